"""Commands: guarded by state and version, done once for each key, their outcome kept."""

import asyncio
import re
from uuid import uuid4

import pytest

from domain.errors import InvalidRequest
from tests.api.service import (
    AGENCY,
    COMMUNE,
    DESK,
    FOREIGN_DESK,
    PROCEDURE,
    Service,
    acceptance,
    code_of,
    moment,
)

OFFICER = {"officer": "Lê Văn Bình"}


async def test_accepting_answers_the_dossier_and_its_etag(service: Service) -> None:
    before = await service.position()
    response = await service.command(None, "accept", acceptance())
    assert response.status_code == 201
    body = response.json()
    assert body.keys() == {"id", "code", "version", "seq", "position", "due"}
    assert (body["version"], body["seq"], body["position"]) == (1, before + 1, before + 1)
    assert body["due"] is not None
    assert response.headers["etag"] == '"1"'
    found = await service.get(f"/v1/dossiers/{body['code']}")
    assert found.json()["id"] == body["id"]
    assert found.headers["etag"] == '"1"'


async def test_the_same_key_again_gets_the_same_answer_and_writes_nothing(
    service: Service,
) -> None:
    key = uuid4().hex
    first = await service.command(None, "accept", acceptance(), key=key)
    before = await service.position()
    again = await service.command(None, "accept", acceptance(), key=key)
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["etag"] == first.headers["etag"]
    assert await service.position() == before


async def test_one_key_sent_many_times_at_once_accepts_one_dossier(service: Service) -> None:
    key = uuid4().hex
    before = await service.position()
    answers = await asyncio.gather(
        *(service.command(None, "accept", acceptance(), key=key) for _ in range(20))
    )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert await service.position() == before + 1


async def test_a_key_with_another_content_is_refused(service: Service) -> None:
    key = uuid4().hex
    dossier = await service.accepted()
    await service.command(dossier["id"], "assign", OFFICER, version=1, key=key)
    before = await service.position()
    for path, name, body in (
        (dossier["id"], "assign", {"officer": "Khác"}),
        (dossier["id"], "start-step", {"step": "Thẩm định"}),
        (str(uuid4()), "assign", OFFICER),
        (None, "accept", acceptance()),
    ):
        response = await service.command(path, name, body, version=1, key=key)
        assert (response.status_code, code_of(response)) == (422, "key-reused")
    assert await service.position() == before


async def test_a_key_is_its_senders_own(service: Service) -> None:
    key = uuid4().hex
    mine = await service.command(None, "accept", acceptance(), key=key)
    theirs = await service.command(None, "accept", acceptance(), key=key, who="commune")
    assert theirs.status_code == 201
    assert theirs.json()["id"] != mine.json()["id"]


async def test_a_token_that_replaces_another_takes_over_its_keys(service: Service) -> None:
    """A.7: what was sent under a token that has expired by now is not accepted once more."""
    await service.grant("old", "desk", DESK)
    key = uuid4().hex
    first = await service.command(None, "accept", acceptance(), key=key, who="old")
    await service.grant("new", "desk", DESK, replaces=str(service.token_ids["old"]))
    await service.grant("newest", "desk", DESK, replaces=str(service.token_ids["new"]))
    await service.keep("token.revoked.v1", token_id=str(service.token_ids["old"]))
    for who in ("new", "newest"):
        again = await service.command(None, "accept", acceptance(), key=key, who=who)
        assert again.json() == first.json()
        kept = await service.get(f"/v1/commands/{key}", who=who)
        assert kept.json()["id"] == first.json()["id"]
    other = await service.command(None, "accept", acceptance(), key=key)
    assert other.json()["id"] != first.json()["id"]


async def test_tokens_of_one_source_share_its_keys(service: Service) -> None:
    key = uuid4().hex
    for name in ("one", "two"):
        await service.grant(name, "desk", COMMUNE, source_name="own.example")
    first, again = [
        await service.command(None, "accept", acceptance(), key=key, who=who)
        for who in ("one", "two")
    ]
    assert again.json() == first.json()


@pytest.mark.parametrize(
    ("replaces", "unit"), [(str(uuid4()), DESK), ("desk", COMMUNE)], ids=["unknown", "other unit"]
)
async def test_a_token_replaces_one_that_there_is_of_its_unit(
    service: Service, replaces: str, unit: str
) -> None:
    name = str(service.token_ids.get(replaces, replaces))
    with pytest.raises(InvalidRequest, match="replace"):
        await service.grant("thief", "desk", unit, replaces=name)


async def test_a_key_may_stand_in_quotation_marks_and_is_sent_once(service: Service) -> None:
    key = uuid4().hex
    first = await service.command(None, "accept", acceptance(), key=key)
    again = await service.command(None, "accept", acceptance(), key=f'"{key}"')
    assert again.json() == first.json()
    headers = [("Idempotency-Key", key), ("Idempotency-Key", uuid4().hex)]
    headers += [("Authorization", f"Bearer {service.tokens['desk']}")]
    twice = await service.client.post("/v1/dossiers", json=acceptance(), headers=headers)
    assert (twice.status_code, code_of(twice)) == (400, "invalid-request")


async def test_a_command_needs_a_key(service: Service) -> None:
    before = await service.position()
    for key in (None, "two words", "khóa", "k" * 201):
        headers = {"Content-Type": "application/json"}
        if key is not None:
            headers["Idempotency-Key"] = key
        response = await service.ask(
            "POST",
            "/v1/dossiers",
            json=acceptance(),
            headers={name: value.encode() for name, value in headers.items()},  # type: ignore[misc]  # httpx takes bytes
        )
        assert (response.status_code, code_of(response)) == (400, "key-required")
    assert await service.position() == before


async def test_a_command_needs_the_version_that_was_read(service: Service) -> None:
    dossier = await service.accepted()
    before = await service.position()
    response = await service.command(dossier["id"], "assign", OFFICER)
    assert (response.status_code, code_of(response)) == (428, "version-required")
    for text in ("1", "*", '"1", "2"', '"x"', '""', '"-1"', '"1.0"', '"' + "9" * 40 + '"'):
        response = await service.command(dossier["id"], "assign", OFFICER, version=text)
        assert (response.status_code, code_of(response)) == (400, "invalid-request"), text
    assert await service.position() == before


@pytest.mark.parametrize("text", ['"1"', 'W/"1"', ' "1" ', '"01"'])
async def test_the_version_may_be_written_like_an_etag(service: Service, text: str) -> None:
    dossier = await service.accepted()
    response = await service.command(dossier["id"], "assign", OFFICER, version=text)
    assert response.status_code == 201


async def test_a_stale_version_spoils_nothing_and_leaves_the_key_free(service: Service) -> None:
    dossier = await service.accepted()
    await service.done(dossier, "assign", OFFICER)
    key, before = uuid4().hex, await service.position()
    stale = await service.command(dossier["id"], "assign", OFFICER, version=1, key=key)
    assert (stale.status_code, code_of(stale)) == (412, "stale-version")
    assert await service.position() == before
    assert (await service.get(f"/v1/commands/{key}")).status_code == 404
    fresh = await service.command(dossier["id"], "assign", OFFICER, version=2, key=key)
    assert (fresh.status_code, fresh.json()["version"]) == (201, 3)


async def test_of_many_at_the_same_version_one_wins(service: Service) -> None:
    dossier = await service.accepted()
    answers = await asyncio.gather(
        *(service.command(dossier["id"], "assign", OFFICER, version=1) for _ in range(10))
    )
    assert sorted(answer.status_code for answer in answers) == [201] + [412] * 9


async def test_an_illegal_transition_names_the_status_and_what_is_allowed(
    service: Service,
) -> None:
    dossier = await service.accepted()
    key, before = uuid4().hex, await service.position()
    response = await service.command(dossier["id"], "complete-supplement", {}, version=1, key=key)
    assert (response.status_code, code_of(response)) == (409, "illegal-transition")
    body = response.json()
    assert body["dossier_status"] == 2
    offered = (await service.get(f"/v1/dossiers/{dossier['id']}/next")).json()["allowed"]
    assert body["allowed"] == offered
    assert await service.position() == before
    stored = (await service.get(f"/v1/commands/{key}")).json()
    assert (stored["outcome"], stored["problem"]) == ("refused", body)


async def test_a_refusal_is_kept_under_its_key(service: Service) -> None:
    dossier = await service.accepted()
    key = uuid4().hex
    asked = {"reason": "Thiếu tờ khai"}
    first = await service.command(dossier["id"], "complete-supplement", {}, version=1, key=key)
    await service.done(dossier, "request-supplement", asked)
    again = await service.command(dossier["id"], "complete-supplement", {}, version=1, key=key)
    assert (again.status_code, again.json()) == (409, first.json())


async def test_the_outcome_of_a_command_can_be_asked_for(service: Service) -> None:
    key = "a/b?c%2F:" + uuid4().hex
    done = await service.command(None, "accept", acceptance(), key=key)
    quoted = key.replace("%", "%25").replace("/", "%2F").replace("?", "%3F")
    found = await service.get(f"/v1/commands/{quoted}")
    assert found.status_code == 200
    assert found.json() == {"outcome": "recorded", **done.json(), "problem": None}


async def test_nobody_else_learns_an_outcome(service: Service) -> None:
    key = uuid4().hex
    await service.command(None, "accept", acceptance(), key=key)
    for who in ("commune", "province", "agency"):
        response = await service.get(f"/v1/commands/{key}", who=who)
        assert (response.status_code, code_of(response)) == (404, "not-found")
    assert (await service.get(f"/v1/commands/{uuid4().hex}")).status_code == 404


async def test_what_is_no_news_records_nothing_and_is_said_to(service: Service) -> None:
    dossier = await service.accepted()
    down = await service.done(dossier, "begin-incident", {"system": "csdl-dan-cu"})
    key, before = uuid4().hex, await service.position()
    again = await service.command(
        dossier["id"], "begin-incident", {"system": "csdl-dan-cu"}, version=2, key=key
    )
    assert (again.status_code, again.json()["version"]) == (201, down["version"])
    assert await service.position() == before
    assert (await service.get(f"/v1/commands/{key}")).json()["outcome"] == "no-news"


async def test_a_dry_run_answers_the_same_and_writes_nothing(service: Service) -> None:
    before = await service.position()
    key = uuid4().hex
    tried = await service.command(None, "accept", acceptance(), key=key, dry_run="true")
    assert tried.status_code == 201
    assert (tried.json()["version"], tried.headers["etag"]) == (1, '"1"')
    assert tried.json()["due"] is not None
    assert await service.position() == before
    assert (await service.get(f"/v1/commands/{key}")).status_code == 404
    assert (await service.get(f"/v1/dossiers/{tried.json()['id']}")).status_code == 404
    real = await service.command(None, "accept", acceptance(), key=key, dry_run="false")
    assert real.status_code == 201
    assert await service.position() == before + 1


async def test_a_dry_run_is_refused_like_the_real_thing(service: Service) -> None:
    dossier = await service.accepted()
    before = await service.position()
    for name, version, status in (
        ("complete-supplement", 1, 409),
        ("assign", 7, 412),
        ("assign", None, 428),
    ):
        response = await service.command(
            dossier["id"],
            name,
            OFFICER if name == "assign" else {},
            version=version,
            dry_run="true",
        )
        assert response.status_code == status
    refused = await service.command(
        None, "accept", acceptance(procedure="9.999999"), key=None, dry_run="true"
    )
    assert (refused.status_code, code_of(refused)) == (422, "unknown-procedure")
    keyless = await service.command(None, "accept", acceptance(), key=None, dry_run="true")
    assert keyless.status_code == 201
    assert await service.position() == before


async def test_codes_of_a_unit_and_day_have_no_gap_under_concurrency(service: Service) -> None:
    answers = await asyncio.gather(*(service.accepted(who="commune") for _ in range(30)))
    numbers: dict[str, list[int]] = {}
    for answer in answers:
        found = re.fullmatch(rf"({re.escape(DESK)}-\d{{6}})-(\d{{4,}})", answer["code"])
        assert found is not None, answer["code"]
        numbers.setdefault(found[1], []).append(int(found[2]))
    for serials in numbers.values():  # Two days at midnight.
        first = min(serials)
        assert sorted(serials) == list(range(first, first + len(serials)))


async def test_each_unit_numbers_for_itself(service: Service) -> None:
    said = {"receiving_unit": FOREIGN_DESK, "competent_unit": FOREIGN_DESK}
    first = await service.accepted(who="foreign", **said)
    second = await service.accepted(who="foreign", **said)
    assert first["code"].startswith(FOREIGN_DESK)
    assert first["code"].endswith("-0001")
    assert second["code"].endswith("-0002")


async def test_a_given_code_is_kept_and_the_numbering_skips_it(service: Service) -> None:
    issued = await service.accepted()
    scope, _, number = issued["code"].rpartition("-")
    given = f"{scope}-{int(number) + 1:04d}"
    assert (await service.accepted(code=given))["code"] == given
    assert (await service.accepted())["code"] == f"{scope}-{int(number) + 2:04d}"


async def test_a_taken_code_is_refused_and_the_refusal_is_kept(service: Service) -> None:
    dossier = await service.accepted(code=f"CU-{uuid4().hex[:8]}")
    key, before = uuid4().hex, await service.position()
    body = acceptance(code=dossier["code"])
    taken = await service.command(None, "accept", body, key=key)
    assert (taken.status_code, code_of(taken)) == (409, "code-taken")
    assert await service.position() == before
    again = await service.command(None, "accept", body, key=key)
    assert (again.status_code, again.json()) == (409, taken.json())


async def test_of_many_with_one_code_one_gets_it(service: Service) -> None:
    body = acceptance(code=f"CU-{uuid4().hex[:8]}")
    answers = await asyncio.gather(*(service.command(None, "accept", body) for _ in range(10)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 9


async def test_a_submission_is_accepted_in_its_own_stream(service: Service) -> None:
    submitted = await service.command(
        str(uuid4()), "submit", {"procedure": PROCEDURE, "receiving_unit": DESK}, version=0
    )
    assert submitted.status_code == 201, submitted.text
    accepted = await service.done(submitted.json(), "accept", acceptance())
    assert accepted["id"] == submitted.json()["id"]
    assert accepted["version"] == 2
    assert accepted["code"]


async def test_a_dossier_goes_its_whole_way(service: Service) -> None:
    dossier = await service.accepted()
    dossier = await service.done(dossier, "offer-transfer", {"to_unit": AGENCY})
    dossier = await service.done(dossier, "accept-transfer", {}, who="agency")
    dossier = await service.done(dossier, "complete-step", {"step": "Thẩm định"}, who="agency")
    dossier = await service.done(dossier, "request-supplement", {"reason": "Thiếu"}, who="agency")
    dossier = await service.done(dossier, "complete-supplement", {})
    dossier = await service.done(dossier, "approve-result", {}, who="agency")
    dossier = await service.done(dossier, "deliver-result", {}, who="agency")
    dossier = await service.done(dossier, "return-result", {})
    state = (await service.get(f"/v1/dossiers/{dossier['id']}")).json()
    assert (state["status"], state["delivery"]) == (10, "returned")
    assert state["irregularities"] == []
    assert state["custodian_unit"] == AGENCY


async def test_an_expired_supplement_stops_the_dossier_with_two_events(service: Service) -> None:
    dossier = await service.done(
        await service.accepted(), "request-supplement", {"reason": "Thiếu"}
    )
    before = await service.position()
    done = await service.done(dossier, "expire-supplement", {})
    assert (done["version"], done["position"]) == (4, before + 2)
    assert (await service.get(f"/v1/dossiers/{done['id']}")).json()["status"] == 8


async def test_a_correction_takes_an_event_out_of_what_counts(service: Service) -> None:
    dossier = await service.done(await service.accepted(), "withdraw", {"reason": "Nhầm"})
    history = (await service.get(f"/v1/dossiers/{dossier['id']}/history")).json()["items"]
    wrong = {"corrects": history[1]["id"], "reason": "Ghi nhầm hồ sơ"}
    corrected = await service.done(dossier, "correct-event", wrong)
    assert (await service.get(f"/v1/dossiers/{corrected['id']}")).json()["status"] == 2
    again = await service.command(corrected["id"], "correct-event", wrong, version=3)
    assert (again.status_code, code_of(again)) == (400, "invalid-request")


async def test_only_the_unit_that_it_was_offered_to_answers(service: Service) -> None:
    dossier = await service.done(await service.accepted(), "offer-transfer", {"to_unit": AGENCY})
    response = await service.command(dossier["id"], "accept-transfer", {}, version=2)
    assert (response.status_code, code_of(response)) == (403, "forbidden")


async def test_a_reappointment_comes_before_the_day_and_once(service: Service) -> None:
    dossier = await service.done(await service.accepted(), "assign", OFFICER)
    later = {"new_due": moment(days=-60), "reason": "Cần xác minh"}
    dossier = await service.done(dossier, "issue-reappointment", later)
    assert dossier["due"] is not None
    again = await service.command(dossier["id"], "issue-reappointment", later, version=3)
    assert (again.status_code, code_of(again)) == (409, "illegal-transition")


async def test_an_unknown_command_is_not_found(service: Service) -> None:
    dossier = await service.accepted()
    for name in ("delete", "Assign", "assign%00", "..."):
        response = await service.command(dossier["id"], name, {}, version=1)
        assert (response.status_code, code_of(response)) == (404, "not-found")


async def test_a_command_reaches_a_dossier_by_its_code_too(service: Service) -> None:
    dossier = await service.accepted()
    response = await service.command(dossier["code"], "assign", OFFICER, version=1)
    assert (response.status_code, response.json()["id"]) == (201, dossier["id"])

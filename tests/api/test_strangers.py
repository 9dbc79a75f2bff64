"""What others do not get: the registers' streams, somebody else's dossier, its code, its past."""

from collections.abc import Callable
from unicodedata import normalize
from uuid import uuid4

import pytest

from domain.rules.codes import dossier_named
from domain.rules.register import stream_of
from tests.api.service import (
    AGENCY,
    BATCH,
    DESK,
    FOREIGN,
    FOREIGN_DESK,
    PROCEDURE,
    Service,
    acceptance,
    code_of,
    event,
    moment,
)

ACCEPTED = "dossier.accepted.v1"
STEP = "dossier.step-completed.v1"
UNIT = str(stream_of("unit", AGENCY))


async def test_no_fact_and_no_command_reaches_the_stream_of_a_register(service: Service) -> None:
    fact = event(STEP, {"step": "x"}, subject=UNIT)
    assert code_of(await service.post("/v1/events", fact, who="foreign")) == "invalid-request"
    answer = (await service.post("/v1/events", [fact], who="foreign", media=BATCH)).json()
    assert [item["outcome"] for item in answer["items"]] == ["refused"]
    for path in ("", "/history", "/next"):
        assert code_of(await service.get(f"/v1/dossiers/{UNIT}{path}")) == "not-found"
    assert (
        code_of(await service.command(UNIT, "assign", {"officer": "A"}, version=1)) == "not-found"
    )
    await service.accepted()  # The unit can still be named.


ACTS = [
    ("dossier.transfer-accepted.v1", {"unit": FOREIGN_DESK}),
    ("dossier.transfer-offered.v1", {"to_unit": FOREIGN_DESK}),
    ("dossier.withdrawn.v1", {}),
    (ACCEPTED, acceptance(receiving_unit=FOREIGN_DESK, competent_unit=FOREIGN_DESK)),
    ("dossier.submitted.v1", {"procedure": PROCEDURE, "receiving_unit": FOREIGN_DESK}),
]


@pytest.mark.parametrize(("topic", "data"), ACTS)
async def test_what_a_stranger_tells_of_the_dossier_of_others_is_kept_and_moves_nothing(
    service: Service, topic: str, data: dict[str, object]
) -> None:
    dossier = await service.accepted()
    path = f"/v1/dossiers/{dossier['id']}"
    before = (await service.get(path)).json()
    steps = (await service.get(f"{path}/next")).json()
    for told, subject in enumerate((dossier["id"], f"code:{dossier['code']}"), 1):
        kept = await service.fact(topic, data, who="foreign", subject=subject, expectedversion=9)
        assert kept.status_code == 201
        assert kept.json().keys() == {"outcome", "id", "seq", "position", "irregularities"}
        assert kept.json()["irregularities"] == ["stranger"]
        after = (await service.get(path)).json()
        findings = [each["kind"] for each in after.pop("irregularities")]
        assert findings == ["stranger"] * told
        same = {**before, "version": before["version"] + told, "position": after["position"]}
        assert after == {name: same[name] for name in after}
        assert (await service.get(path, who="foreign")).status_code == 404
    after = (await service.get(f"{path}/next")).json()
    assert {**after, "position": 0} == {**steps, "position": 0}


@pytest.mark.parametrize(("topic", "data"), ACTS)
async def test_nor_does_what_he_told_before_the_ledger_knew_the_dossier(
    service: Service, topic: str, data: dict[str, object]
) -> None:
    """A.1: he sends it under the code to come, and later would read the person and take over."""
    code = f"{DESK}-260302-{int(uuid4()) % 10**8:08d}"
    kept = await service.fact(
        topic, data, who="foreign", subject=f"code:{code}", time=moment(hours=1)
    )
    assert kept.json()["irregularities"] == ["stranger"]
    assert (await service.get(f"/v1/dossiers/{code}", who="foreign")).status_code == 200
    told = await service.recorded(
        ACCEPTED, acceptance(), subject=f"code:{code}", time=moment(hours=2)
    )
    assert [each["kind"] for each in told["irregularities"]] == ["stranger"]
    state = (await service.get(f"/v1/dossiers/{code}")).json()
    assert (state["status"], state["custodian_unit"]) == (2, DESK)
    for path in ("", "/history", "/next"):
        hidden = await service.get(f"/v1/dossiers/{code}{path}", who="foreign")
        assert hidden.status_code == 404
    taken = await service.command(code, "accept-transfer", {}, version=2, who="foreign")
    assert code_of(taken) == "not-found"
    again = await service.fact(
        "dossier.transfer-accepted.v1", who="foreign", subject=f"code:{code}"
    )
    assert again.json()["irregularities"] == ["stranger"]
    assert (await service.get(f"/v1/dossiers/{code}")).json()["custodian_unit"] == DESK


@pytest.mark.parametrize("spell", [str.lower, str.upper, lambda text: text.replace("-", "")])
async def test_no_code_is_the_uuid_of_somebodys_dossier(
    service: Service, spell: Callable[[str], str]
) -> None:
    """A.2: its owner would get 404 from then on."""
    owned = await service.accepted()
    name = spell(owned["id"])
    said = acceptance(code=name, receiving_unit=FOREIGN_DESK)
    for answer in (
        await service.command(None, "accept", said, who="foreign"),
        await service.fact(ACCEPTED, said, who="foreign"),
        await service.fact(STEP, {"step": "x"}, who="foreign", subject=f"code:{name}"),
    ):
        assert (answer.status_code, code_of(answer)) == (400, "invalid-request")
    assert (await service.get(f"/v1/dossiers/{owned['id']}")).json()["code"] == owned["code"]


async def test_a_code_is_found_in_every_spelling_and_kept_as_it_was_given(service: Service) -> None:
    name = f"Hồ sơ {uuid4().hex[:8]}-{uuid4().hex[:4]}z"
    dossier = await service.accepted(code=name)
    assert dossier["code"] == name
    for spelling in (name.upper(), name.lower(), normalize("NFD", name)):
        assert (await service.get(f"/v1/dossiers/{spelling}")).json()["id"] == dossier["id"]
        taken = await service.command(None, "accept", acceptance(code=spelling))
        assert code_of(taken) == "code-taken"
    for part in (name[:9].upper(), "ho so " + name[6:9], name[-6:]):
        assert dossier["id"] in await service.listed(q=part)


async def test_a_batch_tells_a_stranger_no_more(service: Service) -> None:
    dossier = await service.accepted()
    sent = [event(STEP, {"step": "x"}, subject=dossier["id"]) for _ in range(2)]
    for outcome in ("recorded", "duplicate"):
        answer = await service.post("/v1/events", sent, who="foreign", media=BATCH)
        for item in answer.json()["items"]:
            assert item.keys() == {"outcome", "id", "seq", "position", "irregularities"}
            assert (item["outcome"], item["irregularities"]) == (outcome, ["stranger"])


async def test_a_stranger_who_does_not_stop_is_stopped(service: Service) -> None:
    dossier = await service.accepted()
    sent = [event(STEP, {"step": "x"}, subject=dossier["id"]) for _ in range(25)]
    answer = await service.post("/v1/events", sent, who="foreign", media=BATCH)
    outcomes = [item["outcome"] for item in answer.json()["items"]]
    assert outcomes == ["recorded"] * 20 + ["refused"] * 5
    more = await service.fact(STEP, {"step": "y"}, who="foreign", subject=dossier["id"])
    assert (more.status_code, code_of(more)) == (429, "too-many-requests")
    theirs = await service.fact(STEP, {"step": "y"}, subject=dossier["id"])
    assert theirs.status_code == 201


async def test_who_is_named_later_counts_from_then_on_for_what_he_told(service: Service) -> None:
    dossier = await service.accepted()
    told = {"subject": dossier["id"], "time": moment()}
    early = await service.fact(STEP, {"step": "x"}, who="foreign", **told)
    assert early.json()["irregularities"] == ["stranger"]
    assert (await service.get(f"/v1/dossiers/{dossier['id']}")).json()["irregularities"] != []
    version = (await service.get(f"/v1/dossiers/{dossier['id']}")).json()["version"]
    offer = {"to_unit": FOREIGN}
    offered = await service.command(dossier["id"], "offer-transfer", offer, version=version)
    assert offered.status_code == 201
    state = (await service.get(f"/v1/dossiers/{dossier['id']}")).json()
    assert (state["irregularities"], state["status"]) == ([], 4)


async def test_nobody_opens_a_dossier_under_a_code_from_the_numbering_of_others(
    service: Service,
) -> None:
    said = acceptance(
        receiving_unit=FOREIGN_DESK, competent_unit=FOREIGN_DESK, code=f"{DESK}-260302-0777"
    )
    kept = await service.fact(ACCEPTED, said, who="foreign")
    assert kept.json()["irregularities"] == ["stranger"]
    assert code_of(await service.command(None, "accept", said, who="foreign")) == "forbidden"
    theirs = acceptance(code=f"{DESK}-260302-0777")
    assert (await service.command(None, "accept", theirs)).status_code == 201


async def test_after_a_corrected_acceptance_its_units_still_see_the_dossier(
    service: Service,
) -> None:
    dossier = await service.accepted()
    history = (await service.get(f"/v1/dossiers/{dossier['id']}/history")).json()["items"]
    correction = {"corrects": history[0]["id"], "reason": "Nhầm hồ sơ"}
    done = await service.done(dossier, "correct-event", correction, who="commune")
    for who in ("desk", "agency", "commune"):
        shown = await service.get(f"/v1/dossiers/{dossier['code']}", who=who)
        assert shown.status_code == 200
        assert (shown.json()["status"], shown.json()["code"]) == (None, dossier["code"])
        assert (shown.json()["due"], done["due"], done["code"]) == (None, None, dossier["code"])
    again = await service.command(
        dossier["id"], "accept", acceptance(code=dossier["code"]), version=done["version"]
    )
    assert again.status_code == 201, again.text


@pytest.mark.parametrize("by_command", [True, False])
async def test_an_acceptance_joins_the_dossier_that_facts_opened_under_its_code(
    service: Service, *, by_command: bool
) -> None:
    code = f"PAPER-{uuid4().hex[:8]}"
    waits = str(dossier_named(code))
    early = await service.fact(STEP, {"step": "x"}, subject=f"code:{code}", time=moment(hours=1))
    assert early.json()["irregularities"] == ["stranger"]
    named = str(uuid4())
    said = acceptance(code=code)
    if by_command:
        named = (await service.accepted(code=code))["id"]
        assert named == waits
    else:
        told = await service.recorded(ACCEPTED, said, subject=named, time=moment(hours=2))
        assert told["dossier"] == waits
    later = await service.recorded(STEP, {"step": "y"}, subject=named)
    assert later["dossier"] == waits
    for name in (code, named, waits):
        assert (await service.get(f"/v1/dossiers/{name}")).json()["code"] == code
    taken = await service.fact(ACCEPTED, said, subject=str(uuid4()))
    assert code_of(taken) == "code-taken"


async def test_a_command_comes_after_whatever_is_known_to_have_happened(service: Service) -> None:
    dossier = await service.accepted()
    end = {"subject": dossier["id"], "timeprecision": "day", "time": moment()}
    await service.recorded("dossier.result-at-desk.v1", {}, **end)
    body = (await service.get(f"/v1/dossiers/{dossier['id']}")).json()
    await service.done(body, "return-result")
    body = (await service.get(f"/v1/dossiers/{dossier['id']}")).json()
    assert (body["status"], body["irregularities"]) == (10, [])
    assert body["returned_at"] >= body["finished_at"]


async def test_a_dry_run_refuses_what_the_command_would(service: Service) -> None:
    held = await service.accepted()
    for dry_run in ("true", None):
        answer = await service.command(
            None, "accept", acceptance(code=held["code"]), dry_run=dry_run
        )
        assert code_of(answer) == "code-taken"
    await service.command(None, "accept", acceptance(), key="dry-run")
    tried = await service.command(None, "accept", acceptance(), key=None, dry_run="true")
    assert tried.status_code == 201


async def test_one_key_does_not_answer_for_two_dossiers(service: Service) -> None:
    key = uuid4().hex
    first, second = str(uuid4()), str(uuid4())
    done = await service.command(first, "accept", acceptance(), version=0, key=key)
    assert done.json()["id"] == first
    other = await service.command(second, "accept", acceptance(), version=0, key=key)
    assert code_of(other) == "key-reused"
    by_code = await service.command(done.json()["code"], "accept", acceptance(), version=0, key=key)
    assert by_code.json() == done.json()


async def test_a_code_that_nobody_holds_names_no_dossier_to_command(service: Service) -> None:
    submission = {"procedure": PROCEDURE, "receiving_unit": DESK}
    for name, body in (("accept", acceptance()), ("submit", submission)):
        refused = await service.command(f"NO-{uuid4().hex[:8]}", name, body, version=0)
        assert code_of(refused) == "not-found"


async def test_a_source_may_not_be_called_like_a_token(service: Service) -> None:
    refused = await service.fact(STEP, {"step": "x"}, source="token:abc")
    assert code_of(refused) == "forbidden"


async def test_an_answer_to_another_offer_changes_nothing_and_is_irregular(
    service: Service,
) -> None:
    dossier = await service.accepted()
    offer = {"to_unit": AGENCY, "transfer_id": "t1"}
    offered = await service.done(dossier, "offer-transfer", offer)
    answer = {"unit": AGENCY, "transfer_id": "other"}
    told = await service.recorded(
        "dossier.transfer-accepted.v1", answer, subject=dossier["id"], time=moment()
    )
    assert [finding["kind"] for finding in told["irregularities"]] == ["other-offer"]
    body = (await service.get(f"/v1/dossiers/{dossier['id']}")).json()
    assert (body["custodian_unit"], body["status"]) == (DESK, 2)
    assert offered["version"] == 2


async def test_a_person_without_an_identity_number_is_found_by_phone(service: Service) -> None:
    phone = f"09{uuid4().int % 10**8:08d}"
    dossier = await service.accepted(owner={"name": "Trần Thị Sen", "phone": phone})
    fresh = {"min_position": str(await service.position())}
    found = await service.ask("POST", "/v1/dossier-searches", params=fresh, json={"phone": phone})
    assert [item["id"] for item in found.json()["items"]] == [dossier["id"]]


@pytest.mark.parametrize("own", ["clock", "urn:hoso:command-line", "token:mine"])
async def test_nobody_speaks_as_the_ledger_itself(service: Service, own: str) -> None:
    said = event("dossier.accepted.v1", acceptance(), source=own)
    response = await service.post("/v1/events", said)
    assert (response.status_code, code_of(response)) == (403, "forbidden")

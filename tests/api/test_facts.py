"""Facts: recorded once, whatever the state, in the order told; said to be irregular, never lost."""

import asyncio
from uuid import UUID, uuid4

import pytest

from domain.rules.codes import dossier_named
from tests.api.service import (
    AGENCY,
    BATCH,
    BIRTH,
    DESK,
    FOREIGN_DESK,
    HOURS,
    PROCEDURE,
    SOURCE,
    Service,
    acceptance,
    code_of,
    event,
    moment,
)

ACCEPTED = "dossier.accepted.v1"
ASSIGNED = "dossier.assigned.v1"
SUBMITTED = "dossier.submitted.v1"
OFFICER = {"officer": "Lê Văn Bình"}


def new_code() -> str:
    return f"TEST-{uuid4().hex[:12]}"


async def test_an_event_is_recorded_and_answered_with_its_place(service: Service) -> None:
    before = await service.position()
    sent = event(ACCEPTED, acceptance())
    response = await service.post("/v1/events", sent, who="source")
    assert response.status_code == 201
    assert response.json() == {
        "outcome": "recorded",
        "id": sent["id"],
        "dossier": sent["subject"],
        "seq": before + 1,
        "version": 1,
        "position": before + 1,
        "irregularities": [],
    }


async def test_the_same_event_again_is_a_duplicate_with_the_first_answer(service: Service) -> None:
    sent = event(ACCEPTED, acceptance())
    first = (await service.post("/v1/events", sent, who="source")).json()
    before = await service.position()
    again = await service.post("/v1/events", sent, who="source")
    assert again.status_code == 200
    assert again.json() == {**first, "outcome": "duplicate"}
    assert await service.position() == before


async def test_spelling_makes_no_new_event_but_content_does(service: Service) -> None:
    sent = event(ASSIGNED, OFFICER)
    await service.post("/v1/events", sent, who="source")
    spaced = repr(dict(reversed(sent.items()))).replace("'", '"').encode()
    assert (await service.post("/v1/events", spaced, who="source")).status_code == 200
    before = await service.position()
    for change in ({"data": {"officer": "Khác"}}, {"time": moment(hours=2)}, {"actor": "Ai đó"}):
        response = await service.post("/v1/events", {**sent, **change}, who="source")
        assert (response.status_code, code_of(response)) == (422, "key-reused")
    assert await service.position() == before


async def test_the_same_id_of_another_source_is_another_event(service: Service) -> None:
    sent = event(ASSIGNED, OFFICER)
    await service.post("/v1/events", sent, who="source")
    other = await service.post("/v1/events", {**sent, "source": "other.example"}, who="source")
    assert other.status_code == 201
    assert other.json()["outcome"] == "recorded"


async def test_the_same_event_sent_many_times_at_once_is_recorded_once(service: Service) -> None:
    sent = event(ACCEPTED, acceptance())
    before = await service.position()
    answers = await asyncio.gather(
        *(service.post("/v1/events", sent, who="source") for _ in range(20))
    )
    assert sorted(answer.status_code for answer in answers) == [200] * 19 + [201]
    assert len({answer.json()["seq"] for answer in answers}) == 1
    assert await service.position() == before + 1


async def test_what_does_not_fit_is_recorded_and_named(service: Service) -> None:
    dossier = str(uuid4())
    submission = {"procedure": PROCEDURE, "receiving_unit": DESK}
    await service.recorded(SUBMITTED, submission, subject=dossier, time=moment(hours=4))
    answer = await service.recorded(ASSIGNED, OFFICER, subject=dossier, actingunit=DESK)
    assert [finding["kind"] for finding in answer["irregularities"]] == ["before-acceptance"]
    await service.recorded(ACCEPTED, acceptance(), subject=dossier, time=moment(hours=3))
    state = await service.get(f"/v1/dossiers/{dossier}")
    assert state.json()["irregularities"] == []  # Its acceptance came late, and took its place.
    assert state.json()["status"] == 4


async def test_a_fact_that_arrives_late_takes_its_legal_place(service: Service) -> None:
    accepted = await service.recorded(ACCEPTED, acceptance(), time=moment(hours=5))
    subject = accepted["dossier"]
    await service.recorded("dossier.result-at-desk.v1", subject=subject, time=moment(hours=1))
    late = await service.recorded(ASSIGNED, OFFICER, subject=subject, time=moment(hours=3))
    assert late["version"] == 3
    assert late["irregularities"] == []
    history = (await service.get(f"/v1/dossiers/{subject}/history")).json()
    assert [item["version"] for item in history["items"]] == [1, 3, 2]


async def test_an_expected_version_is_held_to(service: Service) -> None:
    first = await service.recorded(ACCEPTED, acceptance(), expectedversion=0)
    subject = first["dossier"]
    before = await service.position()
    stale = await service.fact(ASSIGNED, OFFICER, subject=subject, expectedversion=0)
    assert (stale.status_code, code_of(stale)) == (412, "stale-version")
    assert await service.position() == before
    right = await service.fact(ASSIGNED, OFFICER, subject=subject, expectedversion=1)
    assert right.json()["version"] == 2


async def test_a_day_without_an_hour_opens_the_office_day_or_closes_it(service: Service) -> None:
    said = {"time": "2026-03-02T00:00:00+07:00", "timeprecision": "day"}
    opened = await service.recorded(ACCEPTED, acceptance(), **said)
    subject = opened["dossier"]
    await service.recorded("dossier.result-at-desk.v1", subject=subject, **said)
    history = (await service.get(f"/v1/dossiers/{subject}/history")).json()["items"]
    assert [item["precision"] for item in history] == ["day", "day"]
    assert history[0]["occurred_at"] == "2026-03-02T07:00:00+07:00"
    assert history[1]["occurred_at"].startswith("2026-03-02T23:59:59")


async def test_today_is_no_future_for_a_day(service: Service) -> None:
    response = await service.fact(ASSIGNED, OFFICER, time=moment(hours=0), timeprecision="day")
    assert response.status_code == 201


@pytest.mark.parametrize("seconds", [-200, 0])
async def test_a_clock_may_be_a_little_fast(service: Service, seconds: int) -> None:
    response = await service.fact(ASSIGNED, OFFICER, time=moment(seconds=seconds))
    assert response.status_code == 201


async def test_a_code_names_the_dossier_that_holds_it(service: Service) -> None:
    code = new_code()
    accepted = await service.recorded(ACCEPTED, acceptance(code=code))
    answer = await service.recorded(ASSIGNED, OFFICER, subject=f"code:{code}")
    assert answer["dossier"] == accepted["dossier"]
    found = await service.get(f"/v1/dossiers/{code}")
    assert (found.json()["id"], found.json()["code"]) == (accepted["dossier"], code)


async def test_what_is_told_under_a_code_waits_for_the_acceptance(service: Service) -> None:
    code = new_code()
    early = await service.fact(ASSIGNED, OFFICER, subject=f"code:{code}", time=moment(hours=1))
    assert early.json()["irregularities"] == ["stranger"]
    accepted = await service.recorded(
        ACCEPTED, acceptance(), subject=f"code:{code}", time=moment(hours=2)
    )
    assert (accepted["dossier"], accepted["version"]) == (str(dossier_named(code)), 2)
    assert accepted["irregularities"] == []  # It stands above the unit that is named, and counts.
    assert (await service.get(f"/v1/dossiers/{code}")).json()["code"] == code


async def test_events_about_one_new_code_at_once_meet_in_one_dossier(service: Service) -> None:
    code = new_code()
    answers = await asyncio.gather(
        *(service.fact(ASSIGNED, OFFICER, subject=f"code:{code}") for _ in range(10))
    )
    assert {answer.status_code for answer in answers} == {201}
    history = await service.get(f"/v1/dossiers/{code}/history", who="source")
    assert sorted(item["version"] for item in history.json()["items"]) == list(range(1, 11))
    state = (await service.get(f"/v1/dossiers/{code}", who="source")).json()
    assert state["id"] == str(dossier_named(code))


async def test_a_code_belongs_to_one_dossier(service: Service) -> None:
    code = new_code()
    await service.recorded(ACCEPTED, acceptance(code=code), subject=str(uuid4()))
    before = await service.position()
    taken = await service.fact(ACCEPTED, acceptance(code=code), subject=str(uuid4()))
    assert (taken.status_code, code_of(taken)) == (409, "code-taken")
    assert await service.position() == before


async def test_subject_and_payload_may_not_name_different_codes(service: Service) -> None:
    response = await service.fact(ACCEPTED, acceptance(code="A-1"), subject="code:A-2")
    assert (response.status_code, code_of(response)) == (400, "invalid-request")


async def test_the_due_date_of_the_source_stands_and_a_missing_one_is_computed(
    service: Service,
) -> None:
    said = {"time": "2026-03-02T09:15:00+07:00"}
    stated = await service.recorded(ACCEPTED, acceptance(due="2026-03-20T17:00:00+07:00"), **said)
    state = (await service.get(f"/v1/dossiers/{stated['dossier']}")).json()
    dues = [state[name] for name in ("printed_due", "first_due", "due")]
    assert dues == ["2026-03-20T17:00:00+07:00"] * 3
    computed = await service.recorded(ACCEPTED, acceptance(), **said)
    state = (await service.get(f"/v1/dossiers/{computed['dossier']}")).json()
    assert state["due"] is not None
    assert state["procedure_version"] == 1


async def test_without_a_due_date_it_is_recorded_with_a_finding_or_has_one(
    service: Service,
) -> None:
    answer = await service.recorded(ACCEPTED, acceptance(procedure=HOURS))
    state = (await service.get(f"/v1/dossiers/{answer['dossier']}")).json()
    kinds = [finding["kind"] for finding in answer["irregularities"]]
    assert (state["due"] is None) == (kinds == ["no-due-date"])


async def test_a_batch_answers_each_item_in_its_place(service: Service) -> None:
    good, also = event(ACCEPTED, acceptance()), event(ACCEPTED, acceptance(procedure=BIRTH))
    again = event(ACCEPTED, acceptance())
    await service.post("/v1/events", again, who="source")
    bad = event(ACCEPTED, acceptance(receiving_unit="H99"), id="bad-unit")
    foreign = event(ACCEPTED, acceptance(receiving_unit=FOREIGN_DESK), id="foreign")
    items = [good, bad, "no event", again, foreign, also, {"id": "broken"}]
    before = await service.position()
    response = await service.post("/v1/events", items, who="source", media=BATCH)
    assert response.status_code == 200
    body = response.json()
    assert body["position"] == before + 2 == await service.position()
    outcomes = ["recorded", "refused", "refused", "duplicate", "refused", "recorded", "refused"]
    assert [item["outcome"] for item in body["items"]] == outcomes
    ids = [good["id"], "bad-unit", None, again["id"], "foreign", also["id"], "broken"]
    assert [item["id"] for item in body["items"]] == ids
    codes = [item["problem"] and item["problem"]["code"] for item in body["items"]]
    assert codes[1] in {"forbidden", "unknown-unit"}
    assert codes[2] == codes[6] == "invalid-request"
    assert codes[4] == "forbidden"
    assert [item["version"] for item in body["items"]] == [1, None, None, 1, None, 1, None]


async def test_a_batch_keeps_the_order_of_one_dossier(service: Service) -> None:
    subject = str(uuid4())
    items = [event(ACCEPTED, acceptance(), subject=subject)]
    items += [event(ASSIGNED, OFFICER, subject=subject) for _ in range(300)]
    body = (await service.post("/v1/events", items, who="source", media=BATCH)).json()
    assert [item["version"] for item in body["items"]] == list(range(1, 302))
    seqs = [item["seq"] for item in body["items"]]
    assert seqs == sorted(seqs)


async def test_a_batch_keeps_the_order_though_some_items_take_longer(service: Service) -> None:
    subjects = [str(uuid4()) for _ in range(5)]
    owner = {"name": "Nguyễn Thị Lan", "id_number": "044190001234", "phone": "0912345678"}
    items = []
    for subject in subjects:
        said = (
            (ACCEPTED, acceptance(owner=owner)),
            (ASSIGNED, OFFICER),
            ("dossier.step-started.v1", {"step": "thẩm định"}),
        )
        items += [
            event(topic, data, subject=spelled, expectedversion=version)
            for version, ((topic, data), spelled) in enumerate(
                zip(said, (subject, subject.upper(), subject), strict=True)
            )
        ]
    body = (await service.post("/v1/events", items, who="source", media=BATCH)).json()
    assert [item["version"] for item in body["items"]] == [1, 2, 3] * 5, body


async def test_a_list_needs_the_content_type_of_a_batch(service: Service) -> None:
    for media in ("application/json", "application/cloudevents+json"):
        response = await service.post("/v1/events", [event(ASSIGNED, OFFICER)], media=media)
        assert (response.status_code, code_of(response)) == (400, "invalid-request")
        assert BATCH in response.json()["detail"]


async def test_an_empty_body_is_told_what_to_send(service: Service) -> None:
    response = await service.post("/v1/events", b"")
    assert response.json()["detail"] == "Send a JSON object, {} at least."


async def test_a_day_alone_is_a_time_without_offset(service: Service) -> None:
    response = await service.fact(ASSIGNED, OFFICER, time="2026-11-20")
    assert (response.status_code, code_of(response)) == (422, "time-without-offset")


async def test_a_batch_of_a_thousand_is_taken_and_again_all_duplicates(service: Service) -> None:
    items = [event(ACCEPTED, acceptance()) for _ in range(1_000)]
    first = (await service.post("/v1/events", items, who="source", media=BATCH)).json()
    assert {item["outcome"] for item in first["items"]} == {"recorded"}
    before = await service.position()
    again = (await service.post("/v1/events", items, who="source", media=BATCH)).json()
    assert {item["outcome"] for item in again["items"]} == {"duplicate"}
    pairs = zip(first["items"], again["items"], strict=True)
    assert all(one["seq"] == other["seq"] for one, other in pairs)
    assert await service.position() == before == again["position"]


async def test_one_event_twice_in_a_batch_is_recorded_once(service: Service) -> None:
    sent = event(ACCEPTED, acceptance())
    body = (await service.post("/v1/events", [sent, sent], who="source", media=BATCH)).json()
    assert [item["outcome"] for item in body["items"]] == ["recorded", "duplicate"]


async def test_an_empty_batch_is_answered(service: Service) -> None:
    body = (await service.post("/v1/events", [], who="source", media=BATCH)).json()
    assert body == {"position": await service.position(), "items": []}


async def test_a_registered_source_belongs_to_its_own_tokens(service: Service) -> None:
    stolen = await service.fact(ASSIGNED, OFFICER, source="own.example")
    assert (stolen.status_code, code_of(stolen)) == (403, "forbidden")
    own = await service.fact(ASSIGNED, OFFICER, source="own.example", who="own-source")
    assert own.status_code == 201
    other = await service.fact(ASSIGNED, OFFICER, source=SOURCE, who="own-source")
    assert (other.status_code, code_of(other)) == (403, "forbidden")


async def test_who_said_it_and_for_whom_stands_in_the_history(service: Service) -> None:
    said = {"actor": "Lê Văn Bình", "actingunit": AGENCY, "legalbasis": "NĐ 61/2018/NĐ-CP"}
    dossier = str(uuid4())
    await service.recorded(ASSIGNED, OFFICER, subject=dossier, **said)
    history = await service.get(f"/v1/dossiers/{dossier}/history", who="source")
    shown = history.json()["items"][0]
    assert shown["actor"] == said["actor"]
    assert shown["unit"] == AGENCY
    assert shown["legal_basis"] == said["legalbasis"]
    assert shown["source"] == SOURCE
    assert shown["principal"].startswith("token:")
    assert str(UUID(shown["id"])) == shown["id"]


async def test_keepers_of_the_registers_send_their_events_here_too(service: Service) -> None:
    unit = {"code": "H44.300", "name": "Xã Tiền Hải", "parent": "H44"}
    sent = event("unit.registered.v1", unit)
    first = await service.post("/v1/events", sent, who="keeper")
    assert (first.status_code, first.json()["outcome"]) == (201, "recorded")
    again = await service.post("/v1/events", sent, who="keeper")
    assert (again.status_code, again.json()["outcome"]) == (200, "duplicate")
    refused = await service.post("/v1/events", sent, who="source")
    assert (refused.status_code, code_of(refused)) == (403, "forbidden")


@pytest.mark.parametrize("topic", ["token.granted.v1", "token.revoked.v1", "subject.erased.v1"])
async def test_nobody_grants_or_erases_over_http(service: Service, topic: str) -> None:
    before = await service.position()
    for who in ("source", "keeper"):
        response = await service.fact(topic, {"token_id": str(uuid4())}, who=who)
        assert response.status_code in {400, 403}
    assert await service.position() == before


async def test_a_submission_needs_no_desk_of_its_own(service: Service) -> None:
    answer = await service.recorded(SUBMITTED, {"procedure": BIRTH, "receiving_unit": DESK})
    state = (await service.get(f"/v1/dossiers/{answer['dossier']}")).json()
    assert (state["status"], state["channel"]) == (1, "online")

"""Why a dossier's dates are what they are, told over HTTP; and what one would be."""

from collections.abc import Iterable
from datetime import datetime
from itertools import permutations
from typing import Any, Final, cast
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio
from httpx import Response

from tests.api.service import (
    AGENCY,
    COMMUNE,
    DESK,
    ENDED,
    FOREIGN,
    FOREIGN_DESK,
    HOURS,
    PROVINCE,
    Service,
    acceptance,
    code_of,
    end_unit,
    moment,
)

RESTART: Final = "2.000001"
EXTEND: Final = "2.000002"
NO_TERM: Final = "2.000003"
STEPS: Final = "2.000004"
LONG: Final = "2.000005"
HOME: Final = ZoneInfo("Asia/Ho_Chi_Minh")
LATE_UNIT: Final = "H44.100.77"

ACCEPTED: Final = "dossier.accepted.v1"
ASSIGNED: Final = "dossier.assigned.v1"
ASKED: Final = "dossier.supplement-requested.v1"
ANSWERED: Final = "dossier.supplement-completed.v1"
BILLED: Final = "dossier.financial-obligation-requested.v1"
PAID: Final = "dossier.payment-recorded.v1"
DOWN: Final = "dossier.incident-began.v1"
UP: Final = "dossier.incident-ended.v1"

Fact = tuple[str, dict[str, Any], str]


def wall(text: str | None) -> str | None:
    """Return a moment of an answer as a Vietnamese clock shows it."""
    if text is None:
        return None
    return datetime.fromisoformat(text).astimezone(HOME).strftime("%Y-%m-%dT%H:%M")


def at(wall_time: str) -> str:
    return f"{wall_time}:00+07:00"


def taken_in(procedure: str, **changes: object) -> dict[str, Any]:
    return acceptance(procedure=procedure, **changes)


V12: Final[tuple[Fact, ...]] = (
    (ACCEPTED, taken_in(RESTART), "2026-03-02T09:00"),
    (ASKED, {"reason": "Thiếu bản vẽ"}, "2026-03-04T10:00"),
    (ANSWERED, {}, "2026-03-10T14:00"),
)
V13: Final[tuple[Fact, ...]] = ((ACCEPTED, taken_in(EXTEND), "2026-03-02T09:00"), *V12[1:])


@pytest_asyncio.fixture(scope="module", loop_scope="module", autouse=True)
async def _published(service: Service) -> None:
    five = {"amount": 5, "unit": "working_day"}
    steps = [
        {"name": "Tiếp nhận", "role": "Một cửa", "hours": 2},
        {"name": "Thẩm định", "role": "Chuyên viên", "hours": 46},
    ]
    for code, more in (
        (RESTART, {"term": five}),
        (EXTEND, {"term": five, "pause_policy": "extend"}),
        (NO_TERM, {}),
        (STEPS, {"term": five, "steps": steps, "unit": AGENCY}),
        (LONG, {"term": {"amount": 200, "unit": "working_day"}}),
    ):
        await service.keep(
            "procedure.published.v1",
            code=code,
            version=1,
            name="Cấp giấy phép xây dựng",
            field="Xây dựng",
            valid_from="2019-01-06",
            legal_basis="Luật Xây dựng 2014",
            **more,
        )
    for code, name in ((COMMUNE, "Xã Đông Hưng"), (FOREIGN, "Xã Thái Thụy")):
        await service.keep(
            "unit.registered.v1", code=code, name=name, parent=PROVINCE, level="commune"
        )
    await service.keep("unit.registered.v1", code=LATE_UNIT, name="Phòng Đô thị", parent=COMMUNE)


async def told(service: Service, facts: Iterable[Fact]) -> str:
    """Tell facts of one dossier in this order of arrival and return its id."""
    dossier = str(uuid4())
    for topic, data, when in facts:
        await service.recorded(topic, data, subject=dossier, time=at(when))
    return dossier


async def due_date(service: Service, dossier: str, **params: str) -> dict[str, Any]:
    """Return what is answered; who asks as of a position or a moment gets what a replay gives."""
    response = await service.get(f"/v1/dossiers/{dossier}/due-date", **params)
    assert response.status_code == 200, response.text
    found = cast("dict[str, Any]", response.json())
    if not params:
        replayed = await due_date(service, dossier, known_at=str(found["position"]))
        assert dates(found) == dates(replayed)
        state = (await service.get(f"/v1/dossiers/{dossier}")).json()
        assert dates(state) == dates(found)
    return found


def dates(body: dict[str, Any]) -> tuple[str | None, ...]:
    return tuple(wall(body[name]) for name in ("printed_due", "first_due", "due"))


async def preview(service: Service, *, who: str | None = "desk", **said: object) -> Response:
    body = {"procedure": RESTART, "received_at": at("2026-03-02T09:00"), "channel": "direct"}
    sent = {name: value for name, value in {**body, **said}.items() if value is not None}
    return await service.ask("POST", "/v1/due-previews", who=who, json=sent)


async def previewed(service: Service, **said: Any) -> dict[str, Any]:  # noqa: ANN401  # JSON
    response = await preview(service, **said)
    assert response.status_code == 200, response.text
    return cast("dict[str, Any]", response.json())


# Every date, and every day of it.


async def test_a_restart_is_explained_from_receipt_to_due_date(service: Service) -> None:
    """V12 of the golden vectors."""
    body = await due_date(service, await told(service, V12))
    assert body["state"] == "running"
    assert dates(body) == ("2026-03-09T09:00", "2026-03-17T14:00", "2026-03-17T14:00")
    assert body["term"] == {"amount": 5, "unit": "working_day"}
    assert body["policies"] == {"supplement": "restart", "payment": "extend", "cutoff": "none"}
    (pause,) = body["pauses"]
    assert (pause["kind"], pause["policy"], pause["effect"]) == (
        "supplement",
        "restart",
        "restarted",
    )
    assert pause["working_minutes"] == 2_040
    assert [(move["cause"], wall(move["due"])) for move in body["moves"]] == [
        ("accepted", "2026-03-09T09:00"),
        ("supplement-requested", None),
        ("supplement-completed", "2026-03-17T14:00"),
    ]
    days = [day["date"] for day in body["days"]]
    assert (days[0], days[-1], len(days)) == ("2026-03-02", "2026-03-17", 16)
    assert body["days"][-1]["codes"][-1] == "due"
    assert "19.4" in " ".join(body["text"]["vi"])
    assert "19.4" in " ".join(body["text"]["en"])


async def test_an_extension_moves_by_the_working_time_paused(service: Service) -> None:
    """V13 of the golden vectors."""
    body = await due_date(service, await told(service, V13))
    assert dates(body) == ("2026-03-09T09:00", "2026-03-13T11:00", "2026-03-13T11:00")
    (pause,) = body["pauses"]
    assert (pause["effect"], pause["working_minutes"]) == ("moved", 2_040)
    assert sum(day["paused_minutes"] for day in body["days"]) == 2_040


async def test_a_dossier_body_names_its_pauses_and_limits(service: Service) -> None:
    dossier = await told(service, V13)
    body = (await service.get(f"/v1/dossiers/{dossier}")).json()
    assert (body["pauses"], body["paused_minutes"]) == (1, 2_040)
    assert (body["answer_by"], body["transfer_answer_by"]) == (None, None)
    asked = {"reason": "Thiếu bản vẽ", "answer_by": at("2026-03-20T17:00")}
    dossier = await told(service, (V12[0], (ASKED, asked, "2026-03-04T10:00")))
    offered = (
        (ACCEPTED, taken_in(RESTART), "2026-03-02T09:00"),
        (
            "dossier.transfer-offered.v1",
            {"to_unit": AGENCY, "answer_by": at("2026-03-02T16:00")},
            "2026-03-02T15:00",
        ),
    )
    other = await told(service, offered)
    for one, name, by in (
        (dossier, "answer_by", "2026-03-20T17:00"),
        (other, "transfer_answer_by", "2026-03-02T16:00"),
    ):
        found = (await service.get(f"/v1/dossiers/{one}")).json()
        assert wall(found[name]) == by
        params = {"min_position": str(await service.position()), "limit": "200"}
        items = (await service.get("/v1/dossiers", **params)).json()["items"]
        (item,) = [each for each in items if each["id"] == one]
        assert wall(item[name]) == by


async def test_facts_give_the_same_explanation_in_whatever_order_they_arrive(
    service: Service,
) -> None:
    def plain(body: dict[str, Any]) -> dict[str, Any]:
        own = {"position", "id", "moves", "pauses"}
        kept = {name: value for name, value in body.items() if name not in own}
        kept["moves"] = [(m["cause"], m["at"], m["due_before"], m["due"]) for m in body["moves"]]
        kept["pauses"] = [(p["start"], p["end"], p["effect"]) for p in body["pauses"]]
        return kept

    for facts in (V12, V13):
        found = [
            plain(await due_date(service, await told(service, order), at=at("2026-04-01T08:00")))
            for order in permutations(facts)
        ]
        assert len(found) == 6
        assert all(each == found[0] for each in found)


async def test_tet_is_named_with_its_decision(service: Service) -> None:
    """V2 of the golden vectors: nine days of Tết, each with the notice that it rests on."""
    facts = ((ACCEPTED, taken_in(RESTART, due=None), "2026-02-12T10:00"),)
    body = await due_date(service, await told(service, facts))
    assert wall(body["due"]) == "2026-02-26T10:00"
    off = [day for day in body["days"] if day["decision"] == "2026-tet"]
    assert len(off) == 9
    assert {day["minutes"] for day in off} == {0}
    (decision,) = body["rules"]["calendar"]["decisions"]
    assert decision["id"] == "2026-tet"
    assert decision["title"]
    assert any("2026-tet" in line or decision["title"] in line for line in body["text"]["vi"])


# Every state of a dossier.


async def test_before_acceptance_there_are_duties_only(service: Service) -> None:
    said = {"procedure": RESTART, "receiving_unit": DESK}
    dossier = await told(service, [("dossier.submitted.v1", said, "2026-03-02T09:15")])
    body = await due_date(service, dossier, at=at("2026-03-02T16:00"))
    assert body["state"] == "before-acceptance"
    assert dates(body) == (None, None, None)
    assert body["rules"] is body["term"] is body["policies"] is None
    (duty,) = body["duties"]
    assert (duty["name"], wall(duty["by"]), duty["state"]) == (
        "accept-or-refuse",
        "2026-03-03T09:15",
        "open",
    )
    assert body["days"] == body["pauses"] == body["moves"] == []
    assert body["text"]["vi"]


async def test_a_refused_dossier_has_ended(service: Service) -> None:
    said = {"procedure": RESTART, "receiving_unit": DESK}
    refused = {"reason": "Không thuộc thẩm quyền"}
    facts = (
        ("dossier.submitted.v1", said, "2026-03-02T09:15"),
        ("dossier.intake-refused.v1", refused, "2026-03-02T10:15"),
    )
    body = await due_date(service, await told(service, facts))
    assert (body["state"], body["duties"][0]["state"]) == ("ended", "met")


async def test_while_it_is_paused_it_says_what_it_would_be(service: Service) -> None:
    dossier = await told(service, V12[:2])
    body = await due_date(service, dossier, at=at("2026-03-10T14:00"))
    assert body["state"] == "paused"
    assert dates(body) == ("2026-03-09T09:00", None, None)
    assert wall(body["due_if_resumed_now"]) == "2026-03-17T14:00"
    assert (body["pauses"][0]["effect"], body["pauses"][0]["working_minutes"]) == ("open", 2_040)
    other = await told(service, V13[:2])
    then = await due_date(service, other, at=at("2026-03-10T14:00"))
    assert wall(then["due_if_resumed_now"]) == "2026-03-13T11:00"
    now = await due_date(service, other)
    assert now["due_if_resumed_now"] > then["due_if_resumed_now"]
    ran = await due_date(service, await told(service, V12))
    assert ran["due_if_resumed_now"] is None


async def test_an_ended_dossier_keeps_its_dates(service: Service) -> None:
    facts = (*V13, ("dossier.result-at-desk.v1", {}, "2026-03-12T09:00"))
    body = await due_date(service, await told(service, facts))
    assert (body["state"], wall(body["due"])) == ("ended", "2026-03-13T11:00")
    assert not [duty for duty in body["duties"] if duty["state"] == "open"]


async def test_without_a_term_there_is_no_date_and_a_stated_one_is_said_to_be_stated(
    service: Service,
) -> None:
    none = await told(service, [(ACCEPTED, taken_in(NO_TERM), "2026-03-02T09:00")])
    body = await due_date(service, none)
    assert (body["state"], body["term"], body["days"]) == ("no-term", None, [])
    assert dates(body) == (None, None, None)
    for procedure in (NO_TERM, RESTART):
        said = taken_in(procedure, due=at("2026-03-20T17:00"))
        stated = await told(service, [(ACCEPTED, said, "2026-03-02T09:00")])
        body = await due_date(service, stated)
        assert (body["state"], *dates(body)) == ("running", *["2026-03-20T17:00"] * 3)
        assert "stated" in {code for day in body["days"] for code in day["codes"]}


async def test_a_date_that_cannot_be_computed_says_why(service: Service) -> None:
    dossier = await told(service, [(ACCEPTED, taken_in(RESTART), "2024-03-04T09:00")])
    body = await due_date(service, dossier)
    assert body["state"] == "not-computable"
    assert body["problem"]["code"] == "calendar-lacks-year"
    assert "2024" in body["problem"]["detail"]
    assert body["rules"]["procedure"]["code"] == RESTART
    assert dates(body) == (None, None, None)
    state = (await service.get(f"/v1/dossiers/{dossier}")).json()
    assert [each["kind"] for each in state["irregularities"]] == ["no-due-date"]


async def test_a_pause_that_leaves_the_calendar_says_why(service: Service) -> None:
    said = taken_in(LONG)
    facts = ((ACCEPTED, said, "2026-02-02T09:00"), V12[1])
    body = await due_date(service, await told(service, facts), at=at("2035-11-02T09:00"))
    assert (body["state"], body["problem"]["code"]) == ("paused", "calendar-lacks-year")
    assert body["due_if_resumed_now"] is None


async def test_payments_and_incidents_pause_and_say_what_they_did(service: Service) -> None:
    facts: tuple[Fact, ...] = (
        (ACCEPTED, taken_in(RESTART), "2026-03-02T09:00"),
        (ASSIGNED, {"officer": "Lê Văn Bình"}, "2026-03-02T10:00"),
        (DOWN, {"system": "csdl"}, "2026-03-02T20:00"),
        (UP, {"system": "csdl"}, "2026-03-02T23:00"),
        (BILLED, {"amount": 8000}, "2026-03-03T08:00"),
        (PAID, {"amount": 8000, "channel": "at_desk"}, "2026-03-04T08:00"),
        (DOWN, {"system": "csdl"}, "2026-03-05T08:00"),
        (UP, {"system": "csdl"}, "2026-03-05T09:00"),
    )
    body = await due_date(service, await told(service, facts))
    found = [(p["kind"], p["effect"], p["working_minutes"]) for p in body["pauses"]]
    assert found == [("incident", "none", 0), ("payment", "moved", 480), ("incident", "moved", 60)]
    assert dates(body)[1:] == ("2026-03-10T10:00", "2026-03-10T10:00")


async def test_a_re_appointment_moves_due_and_leaves_first_due(service: Service) -> None:
    again = {"new_due": at("2026-03-20T17:00"), "reason": "Cần xác minh"}
    facts = (
        (ACCEPTED, taken_in(RESTART), "2026-03-02T09:00"),
        (ASSIGNED, {"officer": "Lê Văn Bình"}, "2026-03-02T10:00"),
        ("dossier.reappointment-issued.v1", again, "2026-03-06T10:00"),
    )
    body = await due_date(service, await told(service, facts), at=at("2026-03-06T11:00"))
    assert dates(body) == ("2026-03-09T09:00", "2026-03-09T09:00", "2026-03-20T17:00")
    assert [move["cause"] for move in body["moves"]] == ["accepted", "reappointment-issued"]
    (duty,) = [each for each in body["duties"] if each["name"] == "re-appoint"]
    assert (wall(duty["by"]), duty["state"]) == ("2026-03-08T23:59", "met")
    assert body["days"][-1]["date"] == "2026-03-20"
    assert "19.9" in " ".join(body["text"]["en"])


async def test_taken_in_elsewhere_the_date_is_provisional_until_it_is_received(
    service: Service,
) -> None:
    said = taken_in(RESTART, competent_unit=FOREIGN_DESK)
    start = ((ACCEPTED, said, "2026-03-02T09:00"),)
    dossier = await told(service, start)
    body = await due_date(service, dossier)
    assert (body["provisional"], body["awaits"]) == (True, FOREIGN)
    assert wall(body["due"]) == "2026-03-09T09:00"
    received = {"unit": FOREIGN_DESK}
    await service.recorded(
        "dossier.transfer-accepted.v1",
        received,
        subject=dossier,
        time=at("2026-03-04T08:00"),
        who="foreign",
    )
    body = await due_date(service, dossier)
    assert (body["provisional"], body["awaits"]) == (False, None)
    assert dates(body) == ("2026-03-09T09:00", "2026-03-11T08:00", "2026-03-11T08:00")
    assert wall(body["clock_starts"]) == "2026-03-04T08:00"
    assert [move["cause"] for move in body["moves"]] == ["accepted", "transfer-accepted"]


async def test_a_late_decision_is_told_with_both_dates_and_versions(service: Service) -> None:
    """Days off that nobody could know: those after the acceptance, for one unit only."""
    dossier = await service.accepted(
        procedure=RESTART, competent_unit=LATE_UNIT, receiving_unit=LATE_UNIT, who="commune"
    )
    path = dossier["id"]
    before = (await service.get(f"/v1/dossiers/{path}/due-date", who="commune")).json()
    closed = [day["date"] for day in before["days"][1:] if day["minutes"]][:2]
    await service.keep(
        "calendar.decided.v1",
        id="flood",
        issued=closed[0],
        off=closed,
        unit=LATE_UNIT,
        title="Ngập lụt",
    )
    await service.done(dossier, "recompute-due-date", {"cause": "flood"}, who="commune")
    after = (await service.get(f"/v1/dossiers/{path}/due-date", who="commune")).json()
    assert after["printed_due"] == before["printed_due"]
    assert after["due"] > before["due"]
    move = after["moves"][-1]
    assert (move["cause"], move["note"]) == ("due-date-recomputed", "flood")
    assert (move["due_before"], move["due"]) == (before["due"], after["due"])
    assert move["calendar_version"] == move["calendar_version_before"] + 1
    assert after["rules"]["calendar"]["units"] == [LATE_UNIT]
    assert {day["date"] for day in after["days"] if day["decision"] == "flood"} == set(closed)


async def test_steps_and_duties_have_their_own_dates(service: Service) -> None:
    facts = (
        (ACCEPTED, taken_in(STEPS), "2026-03-02T09:00"),
        ("dossier.transfer-offered.v1", {"to_unit": AGENCY}, "2026-03-03T08:00"),
    )
    body = await due_date(service, await told(service, facts), at=at("2026-03-04T09:00"))
    assert [(step["hours"], wall(step["by"])) for step in body["steps"]] == [
        (2.0, "2026-03-02T11:00"),
        (46.0, "2026-03-09T09:00"),
    ]
    duties = {each["name"]: (wall(each["by"]), each["state"]) for each in body["duties"]}
    assert duties == {
        "transfer": ("2026-03-02T17:00", "late"),
        "ask-for-supplement": ("2026-03-05T23:59", "open"),
        "re-appoint": ("2026-03-08T23:59", "open"),
    }
    assert all(each["text"]["vi"] and each["text"]["en"] for each in body["duties"])


# As of, as known, by whom.


async def test_it_is_told_as_of_a_moment_and_as_known_at_a_position(service: Service) -> None:
    dossier = str(uuid4())
    positions = []
    for topic, data, when in V13:
        done = await service.recorded(topic, data, subject=dossier, time=at(when))
        positions.append(done["position"])
    paused = await due_date(service, dossier, as_of=at("2026-03-05T08:00"))
    assert paused["state"] == "paused"
    assert wall(paused["due_if_resumed_now"]) == "2026-03-09T17:00"
    first = await due_date(service, dossier, known_at=str(positions[0]))
    assert (first["state"], wall(first["due"]), first["position"]) == (
        "running",
        "2026-03-09T09:00",
        positions[0],
    )
    nothing = await due_date(service, dossier, as_of=at("2026-03-01T08:00"))
    assert (nothing["state"], nothing["duties"]) == ("before-acceptance", [])
    unknown = await due_date(service, dossier, known_at=moment(days=1))
    assert unknown["state"] == "before-acceptance"


async def test_strangers_are_told_nothing(service: Service) -> None:
    dossier = await told(service, V12)
    path = f"/v1/dossiers/{dossier}/due-date"
    for who in ("desk", "agency", "source", "reporter", "inspector", "administrator", "province"):
        assert (await service.get(path, who=who)).status_code == 200, who
    stranger = await service.get(path, who="foreign")
    assert (stranger.status_code, code_of(stranger)) == (404, "not-found")
    for name in (str(uuid4()), "H99-000000-0001", "a b"):
        unknown = await service.get(f"/v1/dossiers/{name}/due-date")
        assert (unknown.status_code, code_of(unknown)) == (404, "not-found")
    for nobody in (None, "expired", "revoked"):
        assert (await service.get(path, who=nobody)).status_code == 401


async def test_it_names_no_person(service: Service) -> None:
    owner = {"name": "Trần Văn Minh", "id_number": "044088005678", "phone": "0987654321"}
    said = taken_in(RESTART, owner=owner)
    dossier = await told(service, [(ACCEPTED, said, "2026-03-02T09:00"), *V12[1:]])
    text = (await service.get(f"/v1/dossiers/{dossier}/due-date")).text
    assert not [value for value in owner.values() if value in text]


async def test_it_says_its_version_and_waits_for_a_position(service: Service) -> None:
    done = await service.accepted(procedure=RESTART)
    path = f"/v1/dossiers/{done['code']}/due-date"
    response = await service.get(path, min_position=str(done["position"]))
    assert response.headers["etag"] == f'"{done["version"]}"'
    assert int(response.headers["hoso-position"]) >= done["position"]
    assert response.json()["due"] == response.json()["printed_due"]
    ahead = str(await service.position() + 1_000)
    late = await service.get(path, min_position=ahead, wait="0")
    assert (late.status_code, code_of(late)) == (503, "not-yet")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("at=2026-03-02T09:00:00", "time-without-offset"),
        ("as_of=yesterday", "invalid-request"),
        ("known_at=2026-03-02", "time-without-offset"),
        ("unknown=1", "invalid-request"),
        ("at=2026-03-02T09:00:00Z&at=2026-03-02T09:00:00Z", "invalid-request"),
    ],
)
async def test_a_bad_question_is_refused(service: Service, query: str, code: str) -> None:
    dossier = await service.accepted(procedure=RESTART)
    response = await service.ask("GET", f"/v1/dossiers/{dossier['id']}/due-date?{query}")
    assert code_of(response) == code


# Previews.


@pytest.mark.parametrize("procedure", [RESTART, EXTEND, HOURS, NO_TERM, STEPS])
@pytest.mark.parametrize("channel", ["online", "direct"])
@pytest.mark.parametrize("when", ["2026-02-13T10:00", "2026-03-06T15:00", "2026-05-02T22:10"])
async def test_a_preview_is_what_the_acceptance_gives(
    service: Service, procedure: str, channel: str, when: str
) -> None:
    body = await previewed(
        service,
        procedure=procedure,
        channel=channel,
        received_at=at(when),
        receiving_unit=DESK,
        competent_unit=AGENCY,
    )
    said = taken_in(procedure, channel=channel)
    done = await told(service, [(ACCEPTED, said, when)])
    real = await due_date(service, done)
    assert wall(body["due"]) == wall(real["due"])
    assert (body["due"] is None) is (procedure == NO_TERM)
    for name, value in body["explanation"].items():
        if name != "text":
            assert real[name] == value, name
    assert body["explanation"]["text"]["vi"][-1] == real["text"]["vi"][-1]


async def test_a_preview_writes_nothing_and_may_look_ahead(service: Service) -> None:
    before = await service.position()
    body = await previewed(service, received_at=at("2026-12-21T09:00"))
    assert wall(body["due"]) == "2026-12-28T09:00"
    assert body["position"] == before
    assert await service.position() == before


async def test_a_preview_knows_which_unit_would_decide(service: Service) -> None:
    body = await previewed(service, procedure=STEPS, receiving_unit=FOREIGN_DESK)
    assert (body["explanation"]["provisional"], body["explanation"]["awaits"]) == (True, COMMUNE)
    own = await previewed(service, procedure=RESTART, receiving_unit=FOREIGN_DESK)
    assert own["explanation"]["awaits"] == COMMUNE
    plain = await previewed(service)
    assert plain["explanation"]["provisional"] is False
    said = await previewed(service, non_boundary=True)
    assert said["explanation"]["awaits"] == COMMUNE


async def test_everybody_who_reads_may_ask_for_a_preview(service: Service) -> None:
    for who in ("desk", "agency", "source", "reporter", "inspector", "administrator", "foreign"):
        assert (await preview(service, who=who)).status_code == 200, who
    for nobody in (None, "expired", "revoked"):
        assert (await preview(service, who=nobody)).status_code == 401


@pytest.mark.parametrize(
    ("said", "status", "code"),
    [
        ({"procedure": "9.999999"}, 422, "unknown-procedure"),
        ({"received_at": at("2018-03-02T09:00")}, 422, "unknown-procedure"),
        ({"competent_unit": "H99"}, 422, "unknown-unit"),
        ({"receiving_unit": "H99"}, 422, "unknown-unit"),
        ({"received_at": at("2041-03-01T09:00")}, 422, "calendar-lacks-year"),
        ({"received_at": at("2035-12-31T09:00")}, 422, "calendar-lacks-year"),
        ({"received_at": "2026-03-02T09:00:00"}, 422, "time-without-offset"),
        ({"received_at": "soon"}, 400, "invalid-request"),
        ({"received_at": None}, 400, "invalid-request"),
        ({"channel": "telepathy"}, 400, "invalid-request"),
        ({"channel": None}, 400, "invalid-request"),
        ({"surplus": 1}, 400, "invalid-request"),
        ({"procedure": "a b"}, 400, "invalid-request"),
    ],
)
async def test_a_preview_that_cannot_be_is_refused(
    service: Service, said: dict[str, Any], status: int, code: str
) -> None:
    response = await preview(service, **said)
    assert (response.status_code, code_of(response)) == (status, code)


async def test_a_preview_for_a_unit_that_ended_is_refused(service: Service) -> None:
    await end_unit(service)
    response = await preview(service, competent_unit=ENDED, received_at=moment(minutes=0))
    assert (response.status_code, code_of(response)) == (422, "unit-ended")


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b"null"])
async def test_a_preview_of_no_object_is_refused(service: Service, body: bytes) -> None:
    response = await service.ask("POST", "/v1/due-previews", content=body)
    assert (response.status_code, code_of(response)) == (400, "invalid-request")

"""Entries of the registers over HTTP: CloudEvents as all others are, within the sender's units."""

from typing import Any
from uuid import uuid4

import pytest

from tests.api.service import (
    BATCH,
    COMMUNE,
    DESK,
    FOREIGN,
    PROVINCE,
    Service,
    code_of,
    event,
    moment,
)

UNIT = "unit.registered.v1"
OWN = "administrator"  # Of the commune.


def unit(**changes: object) -> dict[str, Any]:
    return {"code": f"{COMMUNE}.{uuid4().hex[:8]}", "name": "Tổ", "parent": COMMUNE, **changes}


def procedure(**changes: object) -> dict[str, Any]:
    said = {
        "code": f"9.{uuid4().hex[:8]}",
        "version": 1,
        "name": "Thủ tục",
        "field": "Hộ tịch",
        "valid_from": "2026-01-01",
        "legal_basis": "luật",
        "unit": COMMUNE,
        **changes,
    }
    return {name: value for name, value in said.items() if value is not None}


TAKEN: dict[str, tuple[str, dict[str, Any]]] = {
    "another unit": (UNIT, {"code": FOREIGN, "name": "x", "parent": COMMUNE}),
    "a unit above": ("unit.ended.v1", {"code": PROVINCE, "successors": [COMMUNE]}),
    "a unit beside": ("unit.ended.v1", {"code": FOREIGN, "successors": [COMMUNE]}),
    "a unit without parent": (UNIT, {"code": "H99", "name": "x"}),
    "a source of others": ("source.registered.v1", {"name": "x", "unit": FOREIGN}),
    "a national procedure": ("procedure.published.v1", procedure(unit=None)),
    "a version of one": ("procedure.published.v1", procedure(code="1.004193", version=9)),
    "a procedure of others": ("procedure.published.v1", procedure(unit=FOREIGN)),
    "a national day off": ("calendar.decided.v1", {"id": "x", "issued": "2026-01-01"}),
    "a day off of others": (
        "calendar.decided.v1",
        {"id": "x", "issued": "2026-01-01", "unit": FOREIGN},
    ),
}


@pytest.mark.parametrize("case", TAKEN)
async def test_nobody_keeps_what_lies_outside_of_his_units(service: Service, case: str) -> None:
    topic, said = TAKEN[case]
    if topic == "unit.ended.v1":
        said = {**said, "ended_at": moment(hours=1)}
    sent = event(topic, said)
    before = await service.position()
    alone = await service.post("/v1/events", sent, who=OWN)
    assert (alone.status_code, code_of(alone)) == (403, "forbidden")
    batch = await service.post("/v1/events", [sent], who=OWN, media=BATCH)
    assert batch.json()["items"][0]["problem"]["code"] == "forbidden"
    assert await service.position() == before


async def test_a_name_that_others_registered_stays_theirs(service: Service) -> None:
    name = uuid4().hex
    await service.keep("source.registered.v1", name=name, unit=FOREIGN)
    said = {"name": name, "unit": COMMUNE}
    response = await service.fact("source.registered.v1", said, who=OWN)
    assert (response.status_code, code_of(response)) == (403, "forbidden")


async def test_an_administrator_keeps_his_own(service: Service) -> None:
    said = unit()
    await service.recorded(UNIT, said, who=OWN)
    await service.recorded("procedure.published.v1", procedure(unit=said["code"]), who=OWN)
    await service.recorded(
        "source.registered.v1", {"name": uuid4().hex, "unit": said["code"]}, who=OWN
    )
    day = {"id": uuid4().hex, "issued": "2026-01-01", "unit": said["code"]}
    await service.recorded("calendar.decided.v1", day, who=OWN)
    ended = {"code": said["code"], "ended_at": moment(hours=1), "successors": [DESK]}
    await service.recorded("unit.ended.v1", ended, who=OWN)


async def test_an_entry_is_answered_with_its_place(service: Service) -> None:
    before = await service.position()
    sent = event(UNIT, unit())
    first = await service.post("/v1/events", sent, who=OWN)
    assert first.status_code == 201
    assert first.json() == {
        "outcome": "recorded",
        "id": sent["id"],
        "dossier": None,
        "seq": before + 1,
        "version": 1,
        "position": before + 1,
        "irregularities": [],
    }
    changed = event(UNIT, {**sent["data"], "name": "Tổ mới"})
    batch = await service.post("/v1/events", [changed, sent], who=OWN, media=BATCH)
    second, again = batch.json()["items"]
    assert (second["outcome"], second["seq"], second["version"]) == ("recorded", before + 2, 2)
    assert (again["outcome"], again["seq"], again["version"]) == ("duplicate", before + 1, 1)
    alone = await service.post("/v1/events", sent, who=OWN)
    assert alone.status_code == 200
    assert alone.json() == {**first.json(), "outcome": "duplicate"}
    assert await service.position() == before + 2  # The first name was not applied again.
    reused = await service.post("/v1/events", {**sent, "data": changed["data"]}, who=OWN)
    assert (reused.status_code, code_of(reused)) == (422, "key-reused")


@pytest.mark.parametrize(
    ("more", "status", "code"),
    [
        ({"time": "2026-03-02T09:15:00"}, 422, "time-without-offset"),
        ({"time": "2026-03-02"}, 422, "time-without-offset"),
        ({"time": "9000-01-01T00:00:00Z"}, 422, "time-in-future"),
        ({"time": "soon"}, 400, "invalid-request"),
        ({"expectedversion": 1}, 412, "stale-version"),
        ({"source": "own.example"}, 403, "forbidden"),
    ],
)
async def test_the_envelope_is_held_to(
    service: Service, more: dict[str, Any], status: int, code: str
) -> None:
    before = await service.position()
    response = await service.fact(UNIT, unit(), who=OWN, **more)
    assert (response.status_code, code_of(response)) == (status, code)
    assert await service.position() == before


async def test_the_time_is_when_it_happened_and_the_version_is_compared(service: Service) -> None:
    said = unit()
    more = {"time": "2026-03-02T00:00:00+07:00", "timeprecision": "day", "expectedversion": 0}
    got = await service.recorded(UNIT, said, who=OWN, **more)
    row = await service.process.pool.fetchrow(
        "SELECT occurred_at, data FROM ledger.event WHERE seq = $1", got["seq"]
    )
    assert row is not None
    occurred, data = row
    assert occurred.isoformat() == "2026-03-02T00:00:00+00:00"
    assert b'"precision":"day"' in data
    again = await service.recorded(UNIT, {**said, "name": "B"}, who=OWN, expectedversion=1)
    assert again["version"] == 2


async def test_what_follows_an_entry_in_a_batch_may_rest_on_it(service: Service) -> None:
    first = unit()
    chain = [first]
    for _ in range(5):
        chain.append(unit(parent=chain[-1]["code"]))
    items = [event(UNIT, said) for said in chain]
    body = (await service.post("/v1/events", items, who=OWN, media=BATCH)).json()
    assert [item["outcome"] for item in body["items"]] == ["recorded"] * 6
    assert [item["seq"] for item in body["items"]] == list(
        range(body["position"] - 5, body["position"] + 1)
    )


async def test_the_version_of_a_procedure_fits_the_read_models(service: Service) -> None:
    for version, status in ((2**31 - 1, 201), (2**31, 400)):
        said = procedure(version=version)
        response = await service.fact("procedure.published.v1", said, who=OWN)
        assert response.status_code == status


@pytest.mark.parametrize("amount", [0, 10_001, 2**53])
async def test_a_term_that_never_ends_is_refused(service: Service, amount: int) -> None:
    said = procedure(term={"amount": amount, "unit": "working_day"})
    response = await service.fact("procedure.published.v1", said, who=OWN)
    assert (response.status_code, code_of(response)) == (400, "invalid-request")

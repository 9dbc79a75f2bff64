"""What is said twice is compared as it is understood, and where it differs the place is named."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from tests.api.service import AGENCY, COMMUNE, DESK, Service, acceptance, code_of, event, moment

ACCEPTED = "dossier.accepted.v1"
OWNER = {"name": "Nguyễn Thị Hoa", "phone": "0912345678"}


def sent_late() -> dict[str, Any]:
    return event(ACCEPTED, acceptance(), time="2026-03-02T09:15:00.1234567+07:00")


@pytest.mark.parametrize(
    "again",
    [
        {"time": "2026-03-02T02:15:00.123456Z"},
        {"time": "2026-03-02T02:15:00.1234569+00:00"},
        {"expectedversion": 0},
        {"actingunit": DESK},
        {"data": acceptance(sets=1, result_at_once=False, fees=[])},
        {"traceparent": "00-1"},
    ],
)
async def test_the_same_in_other_words_is_a_duplicate(
    service: Service, again: Mapping[str, object]
) -> None:
    sent = sent_late()
    first = await service.post("/v1/events", sent, who="source")
    answer = await service.post("/v1/events", {**sent, **again}, who="source")
    assert (answer.status_code, answer.json()["seq"]) == (200, first.json()["seq"])


async def test_a_code_and_the_uuid_that_it_stands_for_name_the_same_dossier(
    service: Service,
) -> None:
    code = f"TEST-{uuid4().hex[:12]}"
    sent = event(ACCEPTED, acceptance(), subject=f"code:{code}")
    first = (await service.post("/v1/events", sent, who="source")).json()
    again = await service.post("/v1/events", {**sent, "subject": first["dossier"]}, who="source")
    assert (again.status_code, again.json()["seq"]) == (200, first["seq"])


@pytest.mark.parametrize(
    ("again", "pointer"),
    [
        ({"time": "2026-03-02T09:15:00.123457+07:00"}, "/time"),
        ({"timeprecision": "minute"}, "/time"),
        ({"subject": str(uuid4())}, "/subject"),
        ({"type": "vn.gov.motcua.dossier.submitted.v1"}, "/type"),
        ({"data": acceptance(competent_unit=DESK)}, "/data/competent_unit"),
        ({"data": acceptance(due="2026-03-09T17:00:00+07:00")}, "/data/due"),
        ({"data": acceptance(owner=OWNER)}, "/data/owner"),
        ({"actor": "An"}, "/actor"),
        ({"actingunit": COMMUNE}, "/actingunit"),
        ({"legalbasis": "QĐ 1"}, "/legalbasis"),
    ],
)
async def test_the_field_that_differs_is_named_with_the_place_of_the_first(
    service: Service, again: Mapping[str, object], pointer: str
) -> None:
    sent = sent_late()
    first = (await service.post("/v1/events", sent, who="source")).json()
    data = {"procedure": "1.004193", "receiving_unit": DESK}
    more = {"data": data} if "type" in again else {}
    response = await service.post("/v1/events", {**sent, **more, **again}, who="source")
    assert (response.status_code, code_of(response)) == (422, "key-reused")
    problem = response.json()
    assert [error["pointer"] for error in problem["errors"]] == [pointer]
    assert (problem["dossier"], problem["seq"]) == (first["dossier"], first["seq"])


async def test_a_command_names_the_field_from_its_own_root(service: Service) -> None:
    key = uuid4().hex
    first = (await service.command(None, "accept", acceptance(), key=key)).json()
    for body, pointer in (
        (acceptance(competent_unit=DESK), "/competent_unit"),
        (acceptance(due=moment(days=-9)), "/due"),
        ({**acceptance(), "acting_unit": AGENCY}, "/acting_unit"),
    ):
        problem = (await service.command(None, "accept", body, key=key)).json()
        assert problem["code"] == "key-reused"
        assert [error["pointer"] for error in problem["errors"]] == [pointer]
        assert (problem["dossier"], problem["seq"]) == (first["id"], first["seq"])
    same = {**acceptance(), "acting_unit": DESK, "sets": 1}
    again = await service.command(None, "accept", same, key=key)
    assert again.json() == first
    other = await service.command(first["id"], "assign", {"officer": "An"}, version=1, key=key)
    assert (code_of(other), other.json()["errors"][0]["pointer"]) == ("key-reused", "")


async def test_a_personal_value_that_differs_is_named_and_never_told(service: Service) -> None:
    sent = event(ACCEPTED, acceptance(owner=OWNER))
    await service.post("/v1/events", sent, who="source")
    other = {**sent, "data": acceptance(owner={**OWNER, "phone": "0987654321"})}
    response = await service.post("/v1/events", other, who="source")
    assert [error["pointer"] for error in response.json()["errors"]] == ["/data/owner"]
    assert OWNER["phone"] not in response.text
    assert (await service.post("/v1/events", sent, who="source")).status_code == 200


async def test_a_stored_refusal_names_no_field(service: Service) -> None:
    key = uuid4().hex
    dossier = await service.accepted()
    refused = await service.command(dossier["id"], "complete-supplement", {}, version=1, key=key)
    assert code_of(refused) == "illegal-transition"
    other = {"actor": "An"}
    again = await service.command(dossier["id"], "complete-supplement", other, version=1, key=key)
    assert code_of(again) == "key-reused"
    assert not {"errors", "dossier", "seq"} & again.json().keys()


async def test_after_an_erasure_nobody_learns_whether_he_guessed_right(service: Service) -> None:
    number = f"0{uuid4().int % 10**11:011d}"
    owner = {**OWNER, "id_number": number}
    sent = event(ACCEPTED, acceptance(owner=owner))
    first = (await service.post("/v1/events", sent, who="source")).json()
    subjects = await service.process.keys.subjects_of("id_number", number)
    for subject in subjects:
        await service.keep("subject.erased.v1", subject=str(subject), ground="Quyết định 21")
    await service.process.keys.destroy(subjects)
    for guess in (owner, {**owner, "name": "Trần Văn Nam"}, None):
        again = {**sent, "data": acceptance(owner=guess)}
        response = await service.post("/v1/events", again, who="source")
        assert response.status_code == 200
        assert response.json() == {**first, "outcome": "duplicate"}


async def test_a_day_is_the_same_however_a_client_rewrites_it(service: Service) -> None:
    day = datetime(2026, 3, 2, 17, tzinfo=UTC)  # Midnight in Việt Nam, of the third.
    sent = event(ACCEPTED, acceptance(), time="2026-03-03T00:00:00+07:00", timeprecision="day")
    first = (await service.post("/v1/events", sent, who="source")).json()
    again = {**sent, "time": day.isoformat(timespec="milliseconds").replace("+00:00", "Z")}
    response = await service.post("/v1/events", again, who="source")
    assert (response.status_code, response.json()["seq"]) == (200, first["seq"])
    history = (await service.get(f"/v1/dossiers/{first['dossier']}/history")).json()
    assert history["items"][0]["occurred_at"] == "2026-03-03T07:00:00+07:00"

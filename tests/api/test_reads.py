"""Reads: the state, lists and searches, the history as it was known, and what may happen next."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
from httpx import ASGITransport, AsyncClient

from domain.dossier.chapters import COMMANDS
from domain.dossier.evolve import replay
from domain.ledger.appends import Question
from streams.wire.examples import command_example
from tests.api.service import (
    AGENCY,
    BIRTH,
    DESK,
    PROCEDURE,
    Service,
    acceptance,
    code_of,
    moment,
)

ACCEPTED = "dossier.accepted.v1"
ASSIGNED = "dossier.assigned.v1"
OFFICER = {"officer": "Lê Văn Bình"}
MINH = {"name": "Trần Văn Minh", "id_number": "044088005678", "phone": "0987654321"}
FIELDS = """
id code version position status financial delivery
synchronisation procedure procedure_version channel receiving_unit competent_unit returning_unit
custodian_unit accepted_at printed_due first_due due paused_since finished_at
returned_at irregularities
"""


async def test_a_dossier_has_every_field_that_was_promised(service: Service) -> None:
    dossier = await service.accepted()
    response = await service.get(f"/v1/dossiers/{dossier['id']}")
    body = response.json()
    assert set(FIELDS.split()) <= body.keys()
    assert response.headers["etag"] == f'"{body["version"]}"'
    assert response.headers["hoso-position"] == str(body["position"])
    assert (body["status"], body["custodian_unit"]) == (2, DESK)


async def test_what_was_written_is_read_at_once(service: Service) -> None:
    dossier = await service.accepted()
    for _ in range(5):
        dossier = await service.done(dossier, "assign", OFFICER)
        body = (await service.get(f"/v1/dossiers/{dossier['code']}")).json()
        assert body["version"] == dossier["version"]


async def test_an_unknown_dossier_is_not_found(service: Service) -> None:
    for path in (str(uuid4()), "H99-000000-0001", "%00", "%ff", "a b"):
        for end in ("", "/history", "/next"):
            response = await service.get(f"/v1/dossiers/{path}{end}")
            assert (response.status_code, code_of(response)) == (404, "not-found"), path


async def test_a_list_is_filtered(service: Service) -> None:
    plain = await service.accepted()
    birth = await service.accepted(procedure=BIRTH)
    ended = await service.done(await service.accepted(), "withdraw", {})
    offered = await service.done(await service.accepted(), "offer-transfer", {"to_unit": AGENCY})
    odd = str(uuid4())
    await service.recorded(ASSIGNED, OFFICER, who="desk", subject=odd)
    everything = await service.listed()
    ids = [each["id"] for each in (plain, birth, ended, offered)] + [odd]
    assert set(ids) <= set(everything)
    found = await service.listed(procedure=BIRTH)
    assert birth["id"] in found
    assert plain["id"] not in found
    found = await service.listed(status="7")
    assert ended["id"] in found
    assert plain["id"] not in found
    assert set(await service.listed(unit=AGENCY)) >= {plain["id"], offered["id"]}
    assert await service.listed(unit="H44.200") == []
    assert await service.listed(unit="H99") == []
    found = await service.listed(irregular="true")
    assert odd in found
    assert plain["id"] not in found


async def test_the_newest_dossier_comes_first(service: Service) -> None:
    made = [(await service.accepted())["id"] for _ in range(4)]
    await service.recorded(ASSIGNED, OFFICER, subject=made[0])
    assert (await service.listed())[:4] == made[::-1]


async def test_pages_neither_lose_nor_repeat_while_others_write(service: Service) -> None:
    made = {(await service.accepted())["id"] for _ in range(12)}
    seen: list[str] = []
    params = {"limit": "5", "min_position": str(await service.position())}
    while True:
        body = (await service.get("/v1/dossiers", **params)).json()
        seen += [item["id"] for item in body["items"]]
        assert len(body["items"]) <= 5
        if body["next"] is None:
            break
        params["cursor"] = body["next"]
        await service.accepted()
        await service.recorded(ASSIGNED, OFFICER, subject=next(iter(made)))
    assert len(seen) == len(set(seen))
    assert made <= set(seen)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Đăng ký khai sinh", True),
        ("dang ky khai sinh", True),
        ("KHAI SINH", True),
        ("khai  đăng", True),
        (BIRTH, True),
        ("tư pháp", True),
        ("tu phap dong hung", True),
        ("khai tử", False),
        ("%", False),
        ("_", False),
        ("\\", False),
    ],
)
async def test_a_search_needs_no_accents(service: Service, text: str, found: bool) -> None:  # noqa: FBT001  # a cell
    dossier = await service.accepted(procedure=BIRTH)
    assert (dossier["id"] in await service.listed(q=text)) is found


async def test_a_search_finds_a_code_by_its_beginning_or_its_end(service: Service) -> None:
    code = f"TIM-{uuid4().hex[:8].upper()}-77"
    dossier = await service.accepted(code=code)
    for text in (code, code[:8], code.lower(), code[-6:]):
        assert dossier["id"] in await service.listed(q=text), text
    assert dossier["id"] not in await service.listed(q=code[4:8])


async def test_a_person_is_found_by_exact_number_only(service: Service) -> None:
    owner = {**MINH, "id_number": f"0{uuid4().int % 10**11:011d}", "phone": "0900000001"}
    dossier = await service.recorded(ACCEPTED, acceptance(owner=owner))
    await service.listed()  # Until the read model shows it.

    async def search(**asked: object) -> list[str]:
        params = {"min_position": str(await service.position())}
        response = await service.ask("POST", "/v1/dossier-searches", json=asked, params=params)
        assert response.status_code == 200, response.text
        assert response.headers["hoso-position"]
        assert str(owner["id_number"]) not in response.text
        return [item["id"] for item in response.json()["items"]]

    assert await search(id_number=owner["id_number"]) == [dossier["dossier"]]
    assert dossier["dossier"] in await search(phone=owner["phone"])
    assert await search(id_number=owner["id_number"][:-1]) == []
    assert await search(id_number=owner["name"]) == []
    for body in ({}, {"id_number": "1", "phone": "2"}, {"name": "Minh"}, {"id_number": 1}):
        refused = await service.ask("POST", "/v1/dossier-searches", json=body)
        assert (refused.status_code, code_of(refused)) == (400, "invalid-request")


async def test_a_history_is_shown_as_it_was_known_and_as_it_was_then(service: Service) -> None:
    first = await service.recorded(ACCEPTED, acceptance(), time=moment(hours=9))
    path = f"/v1/dossiers/{first['dossier']}/history"
    between = datetime.now(UTC).isoformat()
    late = await service.recorded(ASSIGNED, OFFICER, subject=first["dossier"], time=moment(hours=5))
    await service.recorded(
        "dossier.step-started.v1", {"step": "x"}, subject=first["dossier"], time=moment(hours=2)
    )

    async def versions(**params: str) -> list[int]:
        response = await service.get(path, **params)
        assert response.status_code == 200, response.text
        return [item["version"] for item in response.json()["items"]]

    assert await versions() == [1, 2, 3]
    assert await versions(as_of=moment(hours=4)) == [1, 2]
    assert await versions(as_of=moment(hours=10)) == []
    assert await versions(known_at=str(first["position"])) == [1]
    assert await versions(known_at=str(late["position"])) == [1, 2]
    assert await versions(known_at=between) == [1]
    assert await versions(known_at=moment(days=1)) == []
    assert await versions(known_at=moment(hours=0), as_of=moment(hours=4)) == [1, 2]
    known = await service.get(path, known_at=str(first["position"]))
    assert known.json()["position"] == first["position"]
    head = await service.position()
    for beyond in (str(head + 1_000), moment(days=-1)):
        ahead = await service.get(path, known_at=beyond)
        assert ahead.status_code == 200
        assert ahead.json()["position"] == head


async def test_a_void_event_stays_and_says_what_voids_it(service: Service) -> None:
    dossier = await service.done(await service.accepted(), "withdraw", {})
    path = f"/v1/dossiers/{dossier['id']}/history"
    wrong = (await service.get(path)).json()["items"][1]
    before = await service.position()
    said = {"corrects": wrong["id"], "reason": "Ghi nhầm"}
    await service.done(dossier, "correct-event", said)
    items = (await service.get(path)).json()["items"]
    assert [item["voided_by"] for item in items] == [None, items[2]["id"], None]
    assert items[2]["data"]["corrects"] == wrong["id"]
    earlier = (await service.get(path, known_at=str(before))).json()["items"]
    assert [item["voided_by"] for item in earlier] == [None, None]
    then = (await service.get(path, as_of=wrong["recorded_at"])).json()["items"]
    assert [item["voided_by"] for item in then] == [None, items[2]["id"]]


async def test_each_event_of_a_history_shows_its_leaf_and_its_place(service: Service) -> None:
    dossier = await service.done(await service.accepted(), "assign", OFFICER)
    items = (await service.get(f"/v1/dossiers/{dossier['id']}/history")).json()["items"]
    assert all(len(bytes.fromhex(item["leaf"])) == 32 for item in items)
    assert all(one["seq"] < other["seq"] for one, other in pairwise(items))
    assert [item["type"] for item in items] == [
        "vn.gov.motcua.dossier.accepted.v1",
        "vn.gov.motcua.dossier.assigned.v1",
    ]
    assert items[0]["data"]["code"] == dossier["code"]
    assert items[0]["data"]["procedure"] == PROCEDURE


REASON = {"reason": "Vì lý do chính đáng"}
WAYS: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "1": [],
    "5'": [("request-supplement", REASON)],
    "3": [("refuse-intake", REASON)],
    "2": [("accept", acceptance())],
    "2 offered": [("accept", acceptance()), ("offer-transfer", {"to_unit": AGENCY})],
    "4": [("accept", acceptance()), ("assign", OFFICER)],
    "4 reappointed": [
        ("accept", acceptance()),
        ("assign", OFFICER),
        ("issue-reappointment", {"new_due": moment(days=-90), **REASON}),
    ],
    "4 incident": [
        ("accept", acceptance()),
        ("assign", OFFICER),
        ("begin-incident", {"system": "csdl-ho-tich"}),
    ],
    "5": [("accept", acceptance()), ("request-supplement", REASON)],
    "6": [
        ("accept", acceptance()),
        ("assign", OFFICER),
        ("request-financial-obligation", {"amount": 8000}),
    ],
    "7": [("withdraw", {})],
    "8": [("accept", acceptance()), ("assign", OFFICER), ("stop", REASON)],
    "9": [("accept", acceptance()), ("deliver-result", {})],
    "10": [("accept", acceptance()), ("deliver-result", {}), ("return-result", {})],
}


async def test_the_state_that_is_kept_after_a_command_is_what_a_replay_gives(
    service: Service,
) -> None:
    """The code that the ledger issues included: nobody read or replayed what was just recorded."""
    for way in WAYS.values():
        dossier = await service.accepted(owner=None)
        await assert_kept(service, dossier)
        for name, body in way:
            if name not in {"accept", "refuse-intake"}:
                dossier = await service.done(dossier, name, body, who="commune")
                await assert_kept(service, dossier)


async def assert_kept(service: Service, dossier: dict[str, Any]) -> None:
    store, stream = service.process.services.store, UUID(dossier["id"])
    reading = await store.read(Question(stream=stream))
    kept = reading.dossier.settled(store.rules)
    assert kept == replay(stream, reading.events, store.rules)
    assert (kept.code, kept.version) == (dossier["code"], dossier["version"])


@pytest.mark.parametrize("way", WAYS)
async def test_next_is_what_commands_really_do(service: Service, way: str) -> None:
    submitted = await service.recorded(
        "dossier.submitted.v1", {"procedure": PROCEDURE, "receiving_unit": DESK}
    )
    dossier = {"id": submitted["dossier"], "version": 1}
    for name, body in WAYS[way]:
        dossier = await service.done(dossier, name, body, who="commune")
    path = f"/v1/dossiers/{dossier['id']}"
    state = (await service.get(path)).json()
    assert str(state["status"]) == way.split(maxsplit=1)[0].rstrip("'")
    said = (await service.get(f"{path}/next")).json()
    refused = {each["command"]: each["code"] for each in said["refused"]}
    assert sorted([*said["allowed"], *refused]) == sorted(COMMANDS)
    assert set(refused.values()) <= {"illegal-transition"}
    history = (await service.get(f"{path}/history")).json()["items"]
    before = await service.position()
    for name in COMMANDS:
        body = {**command_example(name), "corrects": history[0]["id"]}
        body = body if name == "correct-event" else dict(command_example(name))
        response = await service.command(
            dossier["id"], name, body, version=dossier["version"], who="commune", dry_run="true"
        )
        illegal = response.status_code == 409 and code_of(response) == "illegal-transition"
        assert illegal is (name in refused), (name, response.text)
        assert response.status_code < 500
    assert await service.position() == before


async def test_a_read_waits_for_the_position_asked_for(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    dossier = await service.accepted()
    ahead = str(await service.position() + 1)
    log, looked = service.process.services.log, asyncio.Event()
    head = log.head

    async def looked_at() -> int:
        position = await head()
        looked.set()
        return position

    async def later() -> None:
        await looked.wait()  # And found that it is not there yet.
        await service.accepted()

    monkeypatch.setattr(log, "head", looked_at)

    paths = (f"/v1/dossiers/{dossier['id']}", "/v1/dossiers")
    waiting = [service.get(path, min_position=ahead, wait="10") for path in paths]
    answers = await asyncio.gather(*waiting, later())
    for answer in answers[:2]:
        assert answer is not None
        assert answer.status_code == 200
        assert int(answer.headers["hoso-position"]) >= int(ahead)


async def test_a_position_that_does_not_come_is_not_yet(service: Service) -> None:
    dossier = await service.accepted()
    ahead = {"min_position": str(await service.position() + 1_000), "wait": "0"}
    paths = ("", f"/{dossier['id']}", f"/{dossier['id']}/history", f"/{dossier['id']}/next")
    for path in paths:
        response = await service.get(f"/v1/dossiers{path}", **ahead)
        assert (response.status_code, code_of(response)) == (503, "not-yet")
        assert response.headers["retry-after"]
    public = await service.get(f"/v1/public/dossiers/{dossier['code']}", who=None, **ahead)
    assert public.status_code == 503


async def test_a_read_answers_from_the_position_of_a_write(service: Service) -> None:
    for _ in range(5):
        dossier = await service.accepted()
        position = str(dossier["position"])
        response = await service.get("/v1/dossiers", min_position=position, limit="1")
        assert response.json()["items"][0]["id"] == dossier["id"]
        assert int(response.headers["hoso-position"]) >= dossier["position"]


async def test_the_public_sees_the_code_and_how_far_it_is_and_no_more(service: Service) -> None:
    dossier = await service.accepted(owner=MINH)
    await service.done(dossier, "assign", OFFICER)
    response = await service.get(f"/v1/public/dossiers/{dossier['code']}", who=None)
    assert response.status_code == 200
    assert response.json() == {
        "code": dossier["code"],
        "completion": "in-process",
        "label": "Đang xử lý",
    }
    for path in (dossier["id"], "nobody", "%00", "a b"):
        unknown = await service.get(f"/v1/public/dossiers/{path}", who=None)
        assert (unknown.status_code, code_of(unknown)) == (404, "not-found")


async def test_the_public_may_not_ask_too_often(service: Service) -> None:
    app: Any = service.app
    statuses: dict[str, list[int]] = {}
    for address in ("203.0.113.7", "203.0.113.8"):
        transport = ASGITransport(app=app, client=(address, 40000))
        async with AsyncClient(transport=transport, base_url="http://hoso.test") as client:
            count = 200 if address.endswith("7") else 5
            for _ in range(count):
                response = await client.get("/v1/public/dossiers/nobody")
                statuses.setdefault(address, []).append(response.status_code)
                if response.status_code == 429:
                    assert code_of(response) == "too-many-requests"
                    assert response.headers["retry-after"]
                    break
    assert statuses["203.0.113.7"].count(429) == 1
    assert set(statuses["203.0.113.8"]) == {404}


PERSONAL = ("name", "id_number", "phone")


@pytest.fixture
def words() -> Callable[[object], str]:
    return lambda value: orjson.dumps(value).decode()


async def test_no_answer_but_an_opened_history_names_a_person(
    service: Service, words: Callable[[object], str]
) -> None:
    key = uuid4().hex
    body = acceptance(owner=MINH)
    done = await service.command(None, "accept", body, key=key)
    dossier = done.json()
    paths = (
        f"/v1/dossiers/{dossier['id']}",
        f"/v1/dossiers/{dossier['id']}/next",
        f"/v1/commands/{key}",
        f"/v1/public/dossiers/{dossier['code']}",
    )
    answers = [words(dossier)] + [(await service.get(path)).text for path in paths]
    answers.append((await service.get("/v1/dossiers", limit="1")).text)
    for text in answers:
        assert not [value for value in MINH.values() if value in text]
    opened = await service.get(f"/v1/dossiers/{dossier['id']}/history")
    assert opened.json()["items"][0]["data"]["owner"]["name"] == MINH["name"]

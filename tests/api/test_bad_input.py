"""Whatever is sent: a refusal of its own, nothing half recorded, and the next request is served."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import orjson
import pytest
import uvicorn

from tests.api.service import (
    BATCH,
    BIRTH,
    ENDED,
    FACTS,
    FOREIGN_DESK,
    Service,
    acceptance,
    code_of,
    end_unit,
    event,
    moment,
)

ACCEPTED = "dossier.accepted.v1"
ASSIGNED = "dossier.assigned.v1"
OFFICER = {"officer": "Lê Văn Bình"}
MIB = 1 << 20
Bytes = Callable[[], bytes]


def fact(data: object = None, topic: str = ASSIGNED, **attributes: Any) -> bytes:  # noqa: ANN401  # JSON
    return orjson.dumps(event(topic, OFFICER if data is None else data, **attributes))


def with_raw(data: bytes, topic: str = ASSIGNED) -> bytes:
    """Return an event with a payload exactly as given."""
    return fact("HERE", topic).replace(b'"HERE"', data)


def said(raw: bytes) -> bytes:
    return with_raw(b'{"officer":' + raw + b"}")


INVALID: dict[str, Bytes] = {
    "empty": lambda: b"",
    "blank": lambda: b"  \n",
    "cut off": lambda: fact()[:-5],
    "two documents": lambda: fact() + fact(),
    "null": lambda: b"null",
    "a list": lambda: b"[]",
    "a text": lambda: b'"x"',
    "no utf-8": lambda: said(b'"\xff\xfe"'),
    "overlong utf-8": lambda: said(b'"\xc0\xaf"'),
    "utf-16": lambda: fact().decode().encode("utf-16"),
    "lone surrogate": lambda: said(b'"\\ud800"'),
    "swapped surrogates": lambda: said(b'"\\udc00\\ud800"'),
    "lone surrogate in the id": lambda: fact(id="HERE").replace(b"HERE", b"\\ud800"),
    "lone surrogate as utf-8": lambda: said(b'"\xed\xa0\x80"'),
    "nul": lambda: said(b'"a\\u0000b"'),
    "nul in the id": lambda: fact(id="a\0b"),
    "nul in the subject": lambda: fact(subject="code:a\0b"),
    "nul in the actor": lambda: fact(actor="a\0b"),
    "member said twice": lambda: said(b'"A","officer":"B"'),
    "member said twice, escaped": lambda: said(b'"A","offi\\u0063er":"B"'),
    "attribute said twice": lambda: fact()[:-1] + b',"id":"other"}',
    "raw nul": lambda: said(b'"a\x00b"'),
    "control character in the source": lambda: fact(source="a\r\nSet-Cookie: x=1"),
    "NaN": lambda: with_raw(b'{"amount":NaN,"channel":"post"}', "dossier.payment-recorded.v1"),
    "deep nesting": lambda: with_raw(b'{"officer":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    "deep objects": lambda: with_raw(b'{"a":' * 100_000 + b"1" + b"}" * 100_000),
    "deep attribute": lambda: fact(x=1)[:-2] + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "deep batch": lambda: b"[" * 100_000 + b"]" * 100_000,
    "unknown field": lambda: fact({**OFFICER, "offcier": "x"}),
    "unknown nested field": lambda: fact(acceptance(owner={"nam": "x"}), ACCEPTED),
    "missing field": lambda: fact({}),
    "number for text": lambda: fact({"officer": 7}),
    "text for number": lambda: fact(
        {"amount": "8000", "channel": "post"}, "dossier.payment-recorded.v1"
    ),
    "number that is none": lambda: fact(
        {"amount": True, "channel": "post"}, "dossier.payment-recorded.v1"
    ),
    "negative amount": lambda: fact(
        {"amount": -1, "channel": "post"}, "dossier.payment-recorded.v1"
    ),
    "huge number": lambda: with_raw(
        b'{"amount":' + b"9" * 400 + b',"channel":"post"}', "dossier.payment-recorded.v1"
    ),
    "huge exponent": lambda: with_raw(
        b'{"amount":1e999,"channel":"post"}', "dossier.payment-recorded.v1"
    ),
    "unknown word": lambda: fact(acceptance(channel="fax"), ACCEPTED),
    "empty text": lambda: fact({"officer": ""}),
    "text too long": lambda: fact({"officer": "x" * 10_001}),
    "too many parts": lambda: fact(
        {"reason": "x", "items": ["x"] * 1_001}, "dossier.supplement-requested.v1"
    ),
    "no id": lambda: fact(id=None),
    "empty id": lambda: fact(id=""),
    "long id": lambda: fact(id="x" * 10_000),
    "long source": lambda: fact(source="x" * 10_000),
    "long subject": lambda: fact(subject="code:" + "x" * 10_000),
    "no subject": lambda: fact(subject=None).replace(b'"subject"', b'"about"'),
    "subject that is none": lambda: fact(subject="dossier 7"),
    "empty code": lambda: fact(subject="code:"),
    "code with a slash": lambda: fact(subject="code:a/b"),
    "code in quotes": lambda: fact(subject="code:\u202eabc"),
    "given code too long": lambda: fact(acceptance(code="x" * 65), ACCEPTED),
    "given code with a slash": lambda: fact(acceptance(code="a/b"), ACCEPTED),
    "no type": lambda: fact(type=None),
    "unknown type": lambda: fact(type="vn.gov.motcua.dossier.eaten.v1"),
    "type of another maker": lambda: fact(type="com.example.dossier.assigned.v1"),
    "old version of the envelope": lambda: fact(specversion="0.3"),
    "attribute in capitals": lambda: fact(subJect="x"),
    "attribute with a dash": lambda: fact(**{"x-y": "z"}),
    "data as text": lambda: fact('{"officer": "x"}'),
    "data in base64": lambda: fact(data_base64="e30="),
    "no data": lambda: fact().replace(b'"data"', b'"dat"'),
    "no time": lambda: fact(time=None),
    "time that is none": lambda: fact(time="yesterday"),
    "time as a number": lambda: fact(time=1_700_000_000),
    "13th month": lambda: fact(time="2026-13-02T09:15:00+07:00"),
    "year 1": lambda: fact(time="0001-01-01T00:00:00+14:00"),
    "year 1899": lambda: fact(time="1899-12-31T23:59:59Z"),
    "year 9999": lambda: fact(time="9999-12-31T23:59:59-12:00"),
    "year 12026": lambda: fact(time="12026-03-02T09:15:00Z"),
    "due in year 1": lambda: fact(acceptance(due="0001-01-01T00:00:00+14:00"), ACCEPTED),
    "due in year 9999": lambda: fact(acceptance(due="9999-12-31T23:59:59-12:00"), ACCEPTED),
    "version below 0": lambda: fact(expectedversion=-1),
    "huge version": lambda: fact(expectedversion=2**63),
    "version as text": lambda: fact(expectedversion="1"),
    "unknown precision": lambda: fact(timeprecision="week"),
    "other content type of data": lambda: fact(datacontenttype="text/xml"),
    "the ledger's own field": lambda: fact(acceptance(procedure_version=7), ACCEPTED),
    "the event's own field": lambda: fact({**OFFICER, "originator_version": 7}),
}
REFUSED: dict[str, tuple[int, str, Bytes]] = {
    "date alone": (422, "time-without-offset", lambda: fact(time="2026-03-02")),
    "unknown unit": (
        422,
        "unknown-unit",
        lambda: fact(acceptance(competent_unit="H99"), ACCEPTED),
    ),
    "unknown procedure": (
        422,
        "unknown-procedure",
        lambda: fact(acceptance(procedure="9.999999"), ACCEPTED),
    ),
    "procedure before its time": (
        422,
        "unknown-procedure",
        lambda: fact(acceptance(), ACCEPTED, time="2010-03-02T09:15:00+07:00"),
    ),
    "foreign unit": (
        403,
        "forbidden",
        lambda: fact(acceptance(receiving_unit=FOREIGN_DESK), ACCEPTED),
    ),
    "foreign acting unit": (403, "forbidden", lambda: fact(actingunit=FOREIGN_DESK)),
    "clock in the future": (422, "time-in-future", lambda: fact(time=moment(minutes=-6))),
    "day in the future": (
        422,
        "time-in-future",
        lambda: fact(time=moment(days=-2), timeprecision="day"),
    ),
    "far future": (422, "time-in-future", lambda: fact(time="9000-01-01T00:00:00Z")),
    "time without offset": (
        422,
        "time-without-offset",
        lambda: fact(time="2026-03-02T09:15:00"),
    ),
    "due without offset": (
        422,
        "time-without-offset",
        lambda: fact(acceptance(due="2026-03-02T09:15:00"), ACCEPTED),
    ),
    "stale version": (
        412,
        "stale-version",
        lambda: fact(acceptance(), ACCEPTED, expectedversion=7),
    ),
}


@pytest.mark.parametrize("case", INVALID)
async def test_what_is_no_event_is_refused_whole(service: Service, case: str) -> None:
    before = await service.position()
    response = await service.post("/v1/events", INVALID[case](), who="source")
    assert (response.status_code, code_of(response)) == (400, "invalid-request"), response.text
    assert len(response.text) < 1_000
    assert await service.position() == before


@pytest.mark.parametrize("case", REFUSED)
async def test_what_cannot_be_recorded_says_why(service: Service, case: str) -> None:
    status, code, body = REFUSED[case]
    before = await service.position()
    response = await service.post("/v1/events", body(), who="source")
    assert (response.status_code, code_of(response)) == (status, code), response.text
    assert await service.position() == before


@pytest.mark.parametrize("case", [case for case in INVALID if "utf-16" not in case])
async def test_a_bad_item_spoils_no_good_one(service: Service, case: str) -> None:
    good = fact()
    before = await service.position()
    body = b"[" + INVALID[case]() + b"," + good + b"]"
    response = await service.post("/v1/events", body, who="source", media=BATCH)
    if response.status_code == 400:  # Then it is no JSON array at all.
        assert code_of(response) == "invalid-request"
        assert await service.position() == before
        return
    assert response.status_code == 200
    *bad, last = response.json()["items"]
    assert {item["outcome"] for item in bad} <= {"refused", "recorded"}
    assert bad[0]["problem"]["code"] == "invalid-request"
    assert last["outcome"] == "recorded"


async def test_a_batch_has_at_most_a_thousand_events(service: Service) -> None:
    before = await service.position()
    items = [event(ASSIGNED, OFFICER) for _ in range(1_001)]
    response = await service.post("/v1/events", items, who="source", media=BATCH)
    assert (response.status_code, code_of(response)) == (400, "invalid-request")
    for body in (b"{}", b"null", b"", fact(), b"[1,", b"[" + b"[" * 100_000):
        response = await service.post("/v1/events", body, who="source", media=BATCH)
        assert (response.status_code, code_of(response)) == (400, "invalid-request")
    assert await service.position() == before


@pytest.mark.parametrize(
    "media", ["text/plain", "application/xml", "x", "multipart/form-data", ";"]
)
async def test_another_content_type_is_refused(service: Service, media: str) -> None:
    before = await service.position()
    response = await service.post("/v1/events", fact(), who="source", media=media)
    assert (response.status_code, code_of(response)) == (400, "invalid-request")
    assert await service.position() == before


@pytest.mark.parametrize(
    "media",
    [FACTS, "application/json", "Application/JSON; charset=utf-8", FACTS + ";charset=UTF-8"],
)
async def test_content_types_are_read_as_http_means_them(service: Service, media: str) -> None:
    response = await service.post("/v1/events", fact(), who="source", media=media)
    assert response.status_code == 201


async def test_facts_about_an_ended_unit_end_with_it(service: Service) -> None:
    await service.recorded(ACCEPTED, acceptance(competent_unit=ENDED), time=moment(hours=1))
    await end_unit(service)
    past = await service.fact(ACCEPTED, acceptance(competent_unit=ENDED), time=moment(hours=1))
    assert past.status_code == 201
    before = await service.position()
    late = await service.fact(ACCEPTED, acceptance(competent_unit=ENDED), time=moment(seconds=0))
    assert (late.status_code, code_of(late)) == (422, "unit-ended")
    command = await service.command(None, "accept", acceptance(competent_unit=ENDED))
    assert (command.status_code, code_of(command)) == (422, "unit-ended")
    assert await service.position() == before


COMMANDS: dict[str, tuple[int, str, Bytes]] = {
    "empty": (400, "invalid-request", lambda: b""),
    "no object": (400, "invalid-request", lambda: b"[]"),
    "cut off": (400, "invalid-request", lambda: b'{"procedure":'),
    "no utf-8": (400, "invalid-request", lambda: b'{"procedure":"\xff"}'),
    "deep": (400, "invalid-request", lambda: b'{"owner":' * 100_000 + b"1" + b"}" * 100_000),
    "unknown field": (400, "invalid-request", lambda: orjson.dumps(acceptance(colour="red"))),
    "wrong type": (400, "invalid-request", lambda: orjson.dumps(acceptance(sets="one"))),
    "nul": (400, "invalid-request", lambda: orjson.dumps(acceptance(contents="a\0b"))),
    "surrogate": (
        400,
        "invalid-request",
        lambda: orjson.dumps(acceptance(contents="HERE")).replace(b"HERE", b"\\ud83d"),
    ),
    "bad code": (400, "invalid-request", lambda: orjson.dumps(acceptance(code="a/b"))),
    "huge number": (400, "invalid-request", lambda: orjson.dumps(acceptance(sets=2**60))),
    "due without offset": (
        422,
        "time-without-offset",
        lambda: orjson.dumps(acceptance(due="2026-03-02T09:15:00")),
    ),
    "due in year 1": (
        400,
        "invalid-request",
        lambda: orjson.dumps(acceptance(due="0001-01-01T00:00:00+14:00")),
    ),
    "unknown procedure": (
        422,
        "unknown-procedure",
        lambda: orjson.dumps(acceptance(procedure="9.999999")),
    ),
    "unknown unit": (
        422,
        "unknown-unit",
        lambda: orjson.dumps(acceptance(competent_unit="H99")),
    ),
    "foreign unit": (
        403,
        "forbidden",
        lambda: orjson.dumps(acceptance(receiving_unit=FOREIGN_DESK)),
    ),
    "foreign acting unit": (
        403,
        "forbidden",
        lambda: orjson.dumps(acceptance(acting_unit=FOREIGN_DESK)),
    ),
}


@pytest.mark.parametrize("case", COMMANDS)
async def test_a_bad_command_says_what_is_wrong(service: Service, case: str) -> None:
    status, code, body = COMMANDS[case]
    before = await service.position()
    for dry_run in ("false", "true"):
        response = await service.command(None, "accept", body(), dry_run=dry_run)
        assert (response.status_code, code_of(response)) == (status, code), response.text
    assert await service.position() == before


QUERIES = (
    "limit=0",
    "limit=201",
    "limit=-1",
    "limit=1.5",
    "limit=x",
    "limit=",
    "limit=\u0661",
    "limit=" + "9" * 5_000,
    "limit=5&limit=5",
    "status=11",
    "status=-1",
    "status=x",
    "cursor=x",
    "cursor=",
    "cursor=%00",
    "cursor=%C4%90",
    "cursor=YmVmb3JlOg==",
    "cursor=YmVmb3JlOi0x",
    "cursor=" + "OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5",
    "cursor=YmVmb3JlOjk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5",
    "cursor=YmVmb3JlOjUgNg==",
    "q=",
    "q=%00",
    "q=" + "x" * 201,
    "q=a&q=b",
    "unit=%00",
    "procedure=%00",
    "unit=",
    "procedure=",
    "unit=a&unit=b",
    "irregular=yes",
    "irregular=",
    "min_position=-1",
    "min_position=x",
    "min_position=" + "9" * 100,
    "min_position=1&min_position=2",
    "wait=31",
    "wait=x",
    "page=2",
    "Limit=5",
    "limit[]=5",
)


@pytest.mark.parametrize("query", QUERIES)
async def test_a_list_takes_no_parameter_that_it_does_not_know(
    service: Service, query: str
) -> None:
    response = await service.ask("GET", f"/v1/dossiers?{query}")
    assert (response.status_code, code_of(response)) == (400, "invalid-request"), response.text


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("as_of=2026-03-02T09:15:00", 422, "time-without-offset"),
        ("known_at=2026-03-02T09:15:00", 422, "time-without-offset"),
        ("as_of=x", 400, "invalid-request"),
        ("as_of=", 400, "invalid-request"),
        ("as_of=2026-03-02", 422, "time-without-offset"),
        ("as_of=0001-01-01T00:00:00%2B14:00", 400, "invalid-request"),
        ("known_at=x", 400, "invalid-request"),
        ("known_at=-1", 400, "invalid-request"),
        ("known_at=" + "9" * 400, 400, "invalid-request"),
        ("known_at=1&known_at=2", 400, "invalid-request"),
        ("asof=2026-03-02T09:15:00Z", 400, "invalid-request"),
    ],
)
async def test_a_history_takes_no_time_that_is_none(
    service: Service, query: str, status: int, code: str
) -> None:
    dossier = await service.accepted()
    response = await service.ask("GET", f"/v1/dossiers/{dossier['id']}/history?{query}")
    assert (response.status_code, code_of(response)) == (status, code), response.text


async def test_writes_take_no_parameter_that_they_do_not_know(service: Service) -> None:
    before = await service.position()
    for query in ("dryrun=true", "dry_run=1", "dry_run=", "dry_run=true&dry_run=false", "wait=1"):
        headers = {"Idempotency-Key": uuid4().hex}
        response = await service.ask(
            "POST", f"/v1/dossiers?{query}", json=acceptance(), headers=headers
        )
        assert (response.status_code, code_of(response)) == (400, "invalid-request"), query
    response = await service.ask("POST", "/v1/events?dry_run=true", content=fact(), who="source")
    assert (response.status_code, code_of(response)) == (400, "invalid-request")
    assert await service.position() == before


@pytest.mark.parametrize(
    ("path", "who", "body"),
    [
        ("/v1/dossiers", "desk", acceptance()),
        (
            "/v1/due-previews",
            "desk",
            {"procedure": BIRTH, "received_at": "2026-03-02T09:15:00Z", "channel": "post"},
        ),
        ("/v1/dossier-searches", "desk", {"phone": "0912345678"}),
    ],
)
async def test_a_body_that_says_a_member_twice_is_refused(
    service: Service, path: str, who: str, body: dict[str, Any]
) -> None:
    first, *_ = body.items()
    doubled = orjson.dumps(body)[:-1] + b"," + orjson.dumps(dict([first]))[1:]
    headers = {"Idempotency-Key": uuid4().hex}
    answers = [
        await service.ask("POST", path, who=who, content=each, headers=headers)
        for each in (doubled, orjson.dumps(body))
    ]
    assert [each.status_code for each in answers] in ([400, 200], [400, 201])
    assert "twice" in answers[0].json()["detail"]


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Basic dTpw", "Bearer x", "Bearer \xff", "Token x", "x" * 9_000],
)
async def test_a_token_that_is_none_is_no_token(service: Service, header: str) -> None:
    response = await service.ask(
        "GET",
        "/v1/dossiers",
        who=None,
        headers={"Authorization": header.encode("latin-1")},  # type: ignore[dict-item]  # httpx takes bytes
    )
    assert (response.status_code, code_of(response)) == (401, "unauthorized")
    assert response.headers["www-authenticate"] == "Bearer"


async def test_other_methods_and_addresses_are_refused_as_problems(service: Service) -> None:
    for method, path in (("DELETE", "/v1/dossiers"), ("PUT", "/v1/events"), ("PATCH", "/health")):
        response = await service.ask(method, path)
        assert (response.status_code, code_of(response)) == (405, "method-not-allowed")
        assert response.headers["allow"]
    for path in (
        "/",
        "/v1",
        "/v2/dossiers",
        "/v1/dossiers/a/b/c",
        "/%00",
        "/v1/commands/",
        "/v1//x",
    ):
        response = await service.ask("GET", path)
        assert (response.status_code, code_of(response)) == (404, "not-found"), path


async def test_no_refusal_repeats_a_personal_value(service: Service) -> None:
    number = "044190001234"
    for owner in (
        {"id_number": number, "nam": 1},
        {"id_number": [number]},
        {"id_number": {"x": number}},
    ):
        body = event(ACCEPTED, acceptance(owner=owner))
        response = await service.post("/v1/events", body, who="source")
        assert response.status_code == 400
        assert number not in response.text
    search = await service.ask("POST", "/v1/dossier-searches", json={"id_number": [number]})
    assert search.status_code == 400
    assert number not in search.text


async def test_a_body_too_large_is_refused(service: Service) -> None:
    before = await service.position()
    large = fact({"officer": "x" * (8 * MIB)})
    paths = ("/v1/events", "/v1/dossiers", "/v1/dossier-searches")
    for path in paths:
        headers = {"Idempotency-Key": uuid4().hex, "Content-Type": FACTS}
        response = await service.ask("POST", path, content=large, headers=headers)
        assert (response.status_code, code_of(response)) == (413, "too-large"), path
    assert await service.position() == before


@asynccontextmanager
async def socket_to(service: Service) -> AsyncIterator[int]:
    """Serve the application on a real socket, as the server does, and give its port."""
    app: Any = service.app
    server = uvicorn.Server(
        uvicorn.Config(app, port=0, lifespan="off", http="httptools", log_level="critical")
    )
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110  # it tells in no other way
        await asyncio.sleep(0.01)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await task


async def spoken(port: int, *parts: bytes) -> bytes:
    """Say something over a socket and return what was answered first."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
        return await asyncio.wait_for(reader.read(64 << 10), 60)
    except ConnectionError:
        return b""  # It hung up while we spoke.
    finally:
        writer.close()


def head(service: Service, *lines: str) -> bytes:
    sent = (
        "POST /v1/events HTTP/1.1",
        "Host: hoso.test",
        f"Authorization: Bearer {service.tokens['source']}",
        f"Content-Type: {FACTS}",
        *lines,
        "",
        "",
    )
    return "\r\n".join(sent).encode()


async def test_a_socket_takes_neither_endless_chunks_nor_lies_about_the_length(
    service: Service,
) -> None:
    before = await service.position()
    chunk = b"100000\r\n" + b" " * MIB + b"\r\n"
    body = fact()
    async with socket_to(service) as port:
        chunked = await spoken(port, head(service, "Transfer-Encoding: chunked"), *[chunk] * 9)
        assert chunked == b"" or b" 413 " in chunked.split(b"\r\n")[0]
        declared = await spoken(port, head(service, f"Content-Length: {9 * MIB}"), body)
        assert b" 413 " in declared.split(b"\r\n")[0]
        for line in (
            "Content-Length: -5",
            "Content-Length: x",
            "Content-Length: 5\r\nContent-Length: 6",
        ):
            wrong = await spoken(port, head(service, line), body)
            assert b" 400 " in wrong.split(b"\r\n")[0], line
        short = await spoken(port, head(service, f"Content-Length: {len(body) - 5}"), body)
        assert b" 400 " in short.split(b"\r\n")[0]
        split = await spoken(
            port, head(service, "X-Test: a\r\n b\x00c", "Content-Length: 2"), b"{}"
        )
        assert b" 201 " not in split.split(b"\r\n")[0]
        assert await service.position() == before
        good = await spoken(port, head(service, f"Content-Length: {len(body)}"), body)
        assert b" 201 " in good.split(b"\r\n")[0]


async def test_who_hangs_up_half_way_has_sent_nothing(service: Service) -> None:
    before = await service.position()
    body = fact()
    async with socket_to(service) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(head(service, f"Content-Length: {len(body)}") + body[:-5])
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        response = await service.post("/v1/events", fact(), who="source")
        assert response.status_code == 201
    assert await service.position() == before + 1


async def test_reserved_words_and_odd_texts_are_only_text(service: Service) -> None:
    for text in ("'; DROP TABLE ledger.event; --", "<script>", "${jndi:x}", "%s%n", "\u202e", "🏛️"):
        dossier = str(uuid4())
        await service.recorded(ASSIGNED, {"officer": text}, subject=dossier)
        history = await service.get(f"/v1/dossiers/{dossier}/history", who="commune")
        assert history.json()["items"][0]["data"]["officer"] == text
        await service.listed(q=text)


async def test_the_largest_number_and_the_longest_text_come_back_whole(service: Service) -> None:
    said = {"amount": 2**53, "channel": "post", "receipt": "ỵ" * 10_000}
    dossier = str(uuid4())
    await service.recorded("dossier.payment-recorded.v1", said, subject=dossier)
    history = await service.get(f"/v1/dossiers/{dossier}/history", who="commune")
    assert history.json()["items"][0]["data"] == said

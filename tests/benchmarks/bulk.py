"""Fills a ledger quickly: judged like any append, so that it audits, but written with COPY."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import islice
from uuid import UUID, uuid5

import asyncpg

from domain.deadlines.law import CalendarUse
from domain.dossier.intake import DossierAccepted
from domain.dossier.work import StepCompleted
from domain.envelope import Meta, ProcedureCode, Recorded, UnitCode, event_id
from domain.evidence.leaves import NO_LEAF
from domain.ledger.appends import DOSSIER_CODE, Append, Claim, Outcome, Write
from domain.rules.procedures import Channel
from infra.admission import Encoded, Judgement, Prepared, Snapshot, judge
from infra.codec import decode, encode

DOSSIERS = UUID("5a5f7e5c-64a8-5c1c-9d2b-0d5c1e7a4c09")
START = datetime(2026, 1, 5, 2, tzinfo=UTC)
PROCEDURE = ProcedureCode("2.000815")
LONG_PROCEDURE = ProcedureCode("1.009994")  # Fifteen working days.
_CHUNK = 5_000


@dataclass(frozen=True, kw_only=True)
class Filling:
    """So many dossiers of an acceptance and some steps, spread over the desks in turn."""

    dossiers: int
    events_each: int
    desks: Sequence[str]
    first: int = 0
    calendar_version: int = 0


def dossier_id(number: int) -> UUID:
    return uuid5(DOSSIERS, str(number))


def code_of(number: int, desk: str) -> str:
    return f"{desk}-260105-{number:07d}"


async def fill(url: str, filling: Filling) -> int:
    """Record it all as the owner of the database; return the position."""
    connection = await asyncpg.connect(url)
    ledger_id, seq = await connection.fetchrow(  # type: ignore[misc]  # there is one head
        "SELECT ledger_id, (SELECT coalesce(max(seq), 0) FROM ledger.event) FROM ledger.head"
    )
    snapshot = Snapshot(
        ledger_id=UUID(bytes=ledger_id.bytes),
        seq=seq,
        recorded_at=datetime.now(UTC),
        streams={},
        keys={},
        claims={},
        serials={},
        given={},
    )
    numbers = iter(range(filling.first, filling.first + filling.dossiers))
    while chunk := list(islice(numbers, _CHUNK // filling.events_each or 1)):
        snapshot.streams.clear()
        snapshot.claims.clear()
        snapshot.given.clear()
        judged = judge([_prepared(number, filling) for number in chunk], snapshot)
        await _copy(connection, judged)
    await connection.execute("ANALYZE")
    await connection.close()
    return snapshot.seq


def _prepared(number: int, filling: Filling) -> Prepared:
    desk = filling.desks[number % len(filling.desks)]
    stream = dossier_id(number)
    accepted = _ACCEPTED if not filling.calendar_version else _computed(filling.calendar_version)
    made = _events(number, desk, filling.events_each, accepted)
    events = tuple(Encoded(*each) for each in made)
    append = Append(
        writes=(Write(stream=stream, events=(), expected=None),),
        claims=(Claim(kind=DOSSIER_CODE, value=code_of(number, desk), stream=stream),),
        outcome=Outcome(kind="recorded", stream=stream),
    )
    return Prepared(append, (events,), 0)


def _events(
    number: int, desk: str, count: int, accepted: bytes | None = None
) -> Iterator[tuple[str, datetime, bytes]]:
    start = START + timedelta(seconds=number)
    for place in range(count):
        data = _STEP if place else accepted or _ACCEPTED
        source_id = f"{number}/{place}"
        said = data.replace(b"@DESK", desk.encode()).replace(
            b"@CODE", code_of(number, desk).encode()
        )
        said = said.replace(b"@SOURCE", source_id.encode())
        said = said.replace(_NO_ID, str(event_id("urn:bench", source_id)).encode())
        topic = StepCompleted.TOPIC if place else DossierAccepted.TOPIC
        yield topic, start + timedelta(hours=place), said


async def _copy(connection: asyncpg.Connection, judged: Judgement) -> None:
    await connection.copy_records_to_table(
        "event", schema_name="ledger", records=[tuple(row) for row in judged.events]
    )
    streams = [(stream, *rest) for stream, rest in judged.streams.items()]
    await connection.copy_records_to_table("stream", schema_name="ledger", records=streams)
    claims = [
        (
            c.kind,
            c.value,
            c.stream_id,
            *((c.serial.scope, c.serial.number) if c.serial else (None, None)),
            c.issued,
        )
        for c in judged.claims
    ]
    await connection.copy_records_to_table("claim", schema_name="ledger", records=claims)


def history(count: int) -> list[Recorded[DossierAccepted | StepCompleted]]:
    """Return a dossier's recorded events, as read from a store."""
    stream = dossier_id(0)
    rows = _events(0, "H44.100.01", count)
    return [
        Recorded(place, START, NO_LEAF, decode(topic, stream, place, at, data))  # type: ignore[arg-type]  # made above
        for place, (topic, at, data) in enumerate(rows, 1)
    ]


_NO_ID = b"00000000-0000-0000-0000-000000000000"
_META = Meta(
    event_id=UUID(_NO_ID.decode()),
    source="urn:bench",
    source_id="@SOURCE",
    principal="bench",
    acting_unit=UnitCode("@DESK"),
    offset_minutes=420,
)
_ACCEPTANCE = DossierAccepted(
    originator_id=DOSSIERS,
    originator_version=1,
    timestamp=START,
    meta=_META,
    procedure=PROCEDURE,
    procedure_version=1,
    channel=Channel.DIRECT,
    receiving_unit=UnitCode("@DESK"),
    competent_unit=UnitCode("@DESK"),
    code="@CODE",
    due=START + timedelta(days=7),
)
_ACCEPTED = encode(_ACCEPTANCE)


@cache
def _computed(calendar_version: int) -> bytes:
    """Return an acceptance whose date is computed: the printed one is earlier, and so no bound."""
    return encode(
        replace(
            _ACCEPTANCE,
            procedure=LONG_PROCEDURE,
            due=START,
            due_computed=True,
            calendar_used=CalendarUse(version=calendar_version),
            policy_version=0,
        )
    )


_STEP = encode(
    StepCompleted(
        originator_id=DOSSIERS,
        originator_version=1,
        timestamp=START,
        meta=_META,
        step="Thẩm định hồ sơ",
        officer="Trần Thu Hà",
    )
)

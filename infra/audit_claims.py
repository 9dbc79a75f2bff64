"""Events against claims: the code that an event says is of its dossier, if the event counts."""

from collections.abc import Iterable, Sequence
from typing import Final, cast
from uuid import UUID

import asyncpg
import msgspec

from domain.dossier.events import DossierEvent, code_said
from domain.dossier.history import legal_order
from domain.dossier.parties import counted
from domain.envelope import LedgerEvent, Recorded
from domain.ledger.appends import DOSSIER_CODE
from domain.rules.codes import canonical
from domain.rules.register import RegisterEvent
from domain.rules.rule_book import RuleBook
from infra.codec import UnknownEvent
from infra.event_log import EVENTS, OF_STREAMS, restored

_HOLDERS: Final = """
SELECT value, stream_id FROM ledger.claim WHERE kind = $1 AND value = ANY($2::text[])
"""
_OF_UNITS: Final = f"{EVENTS} WHERE seq <= $1 AND type LIKE 'unit.%' ORDER BY seq"
_UNREADABLE: Final = (
    UnknownEvent,
    msgspec.DecodeError,
    ValueError,
    KeyError,
    TypeError,
    RecursionError,
)

Read = Sequence[tuple[asyncpg.Record, LedgerEvent]]


def codes_of(event: LedgerEvent) -> set[str]:
    """Return the dossier codes that an event says, as text that the database takes."""
    said = (code_said(event), event.meta.subject_code)
    return {sendable(canonical(code)) for code in said if code is not None}


def sendable(text: str) -> str:
    return text.replace("\0", "\ufffd")


async def holders(connection: asyncpg.Connection, codes: set[str]) -> dict[str, UUID]:
    rows = await connection.fetch(_HOLDERS, DOSSIER_CODE, list(codes)) if codes else ()
    return {row["value"]: row["stream_id"] for row in rows}


async def unclaimed(connection: asyncpg.Connection, read: Read) -> list[tuple[asyncpg.Record, str]]:
    """Return the events whose dossier does not hold the code that they say, and what they lack.

    What did not count when it was told claimed nothing, and lacks nothing.
    """
    said = [(row, code) for row, event in read for code in codes_of(event)]
    known = await holders(connection, {code for _, code in said})
    amiss = [(row, code) for row, code in said if known.get(code) != row["stream_id"]]
    foreign = await _foreign(connection, {row["seq"]: row["stream_id"] for row, _ in amiss})
    found = []
    for row, code in amiss:
        holder = known.get(code)
        if row["seq"] in foreign:
            continue
        if holder is None:
            found.append((row, f"nobody claims the dossier code {code} that it says"))
        else:
            found.append((row, f"the dossier code {code} that it says is claimed by {holder}"))
    return found


async def _foreign(connection: asyncpg.Connection, asked: dict[int, UUID]) -> set[int]:
    """Return which of these events did not count when they were told."""
    if not asked:
        return set()
    last = max(asked)
    rules = RuleBook()
    units = _readable(await connection.fetch(_OF_UNITS, last))
    rules.learn(cast("list[Recorded[RegisterEvent]]", units))
    rows = await connection.fetch(OF_STREAMS, list({*asked.values()}), last)
    streams: dict[UUID, list[Recorded[DossierEvent]]] = {}
    for each in cast("list[Recorded[DossierEvent]]", _readable(rows)):
        streams.setdefault(each.event.originator_id, []).append(each)
    return {
        each.seq
        for events in streams.values()
        for each in events
        if each.seq in asked and not _counted_then(each, events, rules)
    }


def _readable(rows: Iterable[asyncpg.Record]) -> list[Recorded[LedgerEvent]]:
    """Return the events that can be read; the others are found where they are looked at."""
    found = []
    for row in rows:
        try:
            found.append(restored(row))
        except _UNREADABLE:
            continue
    return found


def _counted_then(
    told: Recorded[DossierEvent], events: Sequence[Recorded[DossierEvent]], rules: RuleBook
) -> bool:
    known = sorted((each for each in events if each.seq <= told.seq), key=legal_order)
    return told.event.meta.event_id not in counted(known, rules.units).strangers

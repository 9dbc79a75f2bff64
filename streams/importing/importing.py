"""The import of a file: its rows recorded as facts, many at once, those of a dossier in order."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol, TypeVar

from domain.errors import Busy, DomainError, RulesChanged
from domain.ledger.access import Sender
from domain.ledger.appends import Store
from domain.ledger.commands import Ledger
from domain.ledger.registering import Change, Keeper, Registers
from domain.rules.procedures import ProcedurePublished
from domain.rules.register import RegisterEvent
from domain.rules.registers import REGISTERS, kind_of
from domain.rules.rule_book import RuleBook
from domain.rules.units import UnitRegistered
from streams.errors import FileRefused
from streams.importing.files import InputFile
from streams.importing.in_order import InOrder
from streams.importing.mapping import FileMapping, MappingInvalid
from streams.importing.reading import Rows
from streams.importing.refusals import Refusals, RefusedRow
from streams.importing.rows import Row
from streams.registers import entries
from streams.wire.cloudevents import CloudEvent, Digest, fact_of, stored_name

T = TypeVar("T")

_AGAIN: Final = (Busy, RulesChanged)  # Nothing was recorded, nothing is wrong with the row.
_PAUSES: Final = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0, 5.0, 5.0)
_ENTRIES: Final = frozenset(
    kind.event.TOPIC for register in REGISTERS if register.sent for kind in register.kinds
)

Progress = Callable[[int, int, int], None]
"""Told how many bytes are read, of how many, and how many rows they made."""

Pause = Callable[[float], Awaitable[None]]


@dataclass(kw_only=True)
class ImportReport:
    """What became of the rows. `irregular` counts the findings of the dossiers by their kind."""

    read: int = 0
    recorded: int = 0
    duplicate: int = 0
    refused: int = 0
    dossiers: int = 0
    irregular: dict[str, int] = field(default_factory=dict)
    position: int = 0


class ImportStopped(FileRefused):
    """The file was not read to its end. What `report` counts stands; the file may come again."""

    def __init__(self, why: FileRefused, report: ImportReport) -> None:
        super().__init__(str(why))
        self.code = why.code
        self.report = report


class Irregularities(Protocol):
    """Counts what is irregular about the dossiers of an import."""

    async def __call__(self, dossiers: AbstractSet[bytes]) -> Mapping[str, int]:
        """Return how many findings of each kind these dossiers (UUIDs as bytes) have."""


@dataclass(frozen=True, kw_only=True)
class Into:
    """The ledger that an import goes into, and in whose name it comes."""

    store: Store
    ledger: Ledger
    registers: Registers
    sender: Sender
    digest: Digest


async def import_file(
    path: Path,
    mapping: FileMapping | None,
    into: Into,
    *,
    refused: Refusals | None = None,
    progress: Progress | None = None,
    irregularities: Irregularities | None = None,
    pause: Pause = asyncio.sleep,
) -> ImportReport:
    """Record what a file says: CloudEvents, one a line, or an XES log through its mapping.

    Each row stands alone; one that is refused spoils no other. Safe to repeat: what is recorded
    already is a duplicate. Raises ImportStopped where the file cannot be read to its end, Busy
    where the ledger takes nothing for long; what came before is recorded.
    """
    one = _Import(into, mapping, refused, pause)
    try:
        with InputFile(path) as file:
            await one.run(file, progress)
    except FileRefused as why:
        raise ImportStopped(why, one.report) from why
    if irregularities is not None:
        one.report.irregular = dict(await irregularities(one.dossiers))
    return one.report


class _Import:
    """One run. All that it keeps is of fixed size, but for the names of the dossiers."""

    def __init__(
        self,
        into: Into,
        mapping: FileMapping | None,
        refused: Refusals | None,
        pause: Pause,
    ) -> None:
        self.report = ImportReport()
        self._into = into
        source = mapping.source if mapping else "import"
        self._keeper = Keeper(principal=into.sender.principal, source=source)
        self._mapping = mapping
        self._refused = refused
        self._pause = pause
        self.dossiers: set[bytes] = set()

    async def run(self, file: InputFile, progress: Progress | None) -> None:
        rows = Rows(file, self._mapping)
        failures: tuple[BaseException, ...] = ()
        try:
            async with asyncio.TaskGroup() as group:
                await self._all(rows, InOrder(group, self._record), progress)
        except* (DomainError, FileRefused) as several:
            failures = several.exceptions
        if failures:
            raise failures[0]

    async def _all(self, rows: Rows, lines: InOrder[Row], progress: Progress | None) -> None:
        taken = await asyncio.to_thread(rows.take)
        if self._mapping is not None and (taken.rows or taken.failure is None):
            await self._register(self._mapping.registers)
        while taken.rows:
            for row in taken.rows:
                await self._put(row, lines)
            if progress is not None:
                progress(rows.bytes_read, rows.bytes_total, self.report.read)
            if taken.failure is not None:
                break
            taken = await asyncio.to_thread(rows.take)
        await lines.finished()
        if taken.failure is not None:
            raise taken.failure

    async def _register(self, declared: tuple[RegisterEvent, ...]) -> None:
        """Put what the mapping declares and the registers lack. What they know stays as it is."""
        await self._into.store.read()
        rules = self._into.store.rules
        missing = [entry for entry in declared if not _is_registered(entry, rules)]
        _refuse_strangers(missing, rules)
        for entry in missing:
            await self._kept(entry)

    async def _kept(self, entry: RegisterEvent) -> Change:
        return await self._patiently(lambda: self._into.registers.put(entry, self._keeper))

    async def _put(self, row: Row, lines: InOrder[Row]) -> None:
        self.report.read += 1
        if isinstance(row.said, DomainError):
            self._refuse(row, row.said)
        elif stored_name(row.said) in _ENTRIES:
            await lines.finished()  # What follows may rest on it, what came before may not.
            await self._record_entry(row, row.said)
        else:
            await lines.put(row.said.subject or "", row, row.size)

    async def _record_entry(self, row: Row, event: CloudEvent) -> None:
        try:
            entry = entries.entry_from(stored_name(event), bytes(event.data))
            change = await self._kept(entry)
        except _AGAIN:
            raise
        except DomainError as refused:
            self._refuse(row, refused)
            return
        if change is Change.RECORDED:
            self.report.recorded += 1
        else:
            self.report.duplicate += 1

    async def _record(self, row: Row) -> None:
        try:
            fact = fact_of(row.event, self._into.sender, self._into.digest)
            result = await self._patiently(
                lambda: self._into.ledger.record(fact, with_findings=False)
            )
        except _AGAIN:
            raise
        except DomainError as refused:
            self._refuse(row, refused)
            return
        if result.repeated:
            self.report.duplicate += 1
        else:
            self.report.recorded += 1
        outcome = result.outcome
        self.report.position = max(self.report.position, outcome.position)
        if outcome.stream is not None:
            self.dossiers.add(outcome.stream.bytes)
            self.report.dossiers = len(self.dossiers)

    async def _patiently(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Ask the ledger; wait and ask again while it is busy."""
        for seconds in _PAUSES:
            try:
                return await ask()
            except _AGAIN:
                await self._pause(seconds)
        return await ask()

    def _refuse(self, row: Row, why: DomainError) -> None:
        self.report.refused += 1
        if self._refused is not None:
            self._refused.add(
                RefusedRow(
                    row=row.number, id=row.id, code=why.code, reason=str(why), raw=row.shown()
                )
            )


def _is_registered(entry: RegisterEvent, rules: RuleBook) -> bool:
    if isinstance(entry, UnitRegistered):
        return entry.code in rules.units
    if isinstance(entry, ProcedurePublished):
        return rules.procedures.version(entry.code, entry.version) is not None
    return False


def _refuse_strangers(missing: list[RegisterEvent], rules: RuleBook) -> None:
    """Raise MappingInvalid if an entry names a unit that nobody registers, before any is put."""
    known = rules.units.keys() | {e.code for e in missing if isinstance(e, UnitRegistered)}
    for entry in missing:
        for named in kind_of(entry).named(entry):
            if named is not None and named not in known:
                raise MappingInvalid(f"There is no unit {named}, and the mapping declares none.")

"""The import of a file: its rows recorded as facts, many at once, those of a dossier in order."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from domain.errors import Busy, DomainError, RulesChanged
from domain.ledger.access import Sender
from domain.ledger.appends import Store
from domain.ledger.commands import Ledger
from domain.ledger.recording import Result
from domain.ledger.registering import Keeper, Registers
from domain.ledger.sameness import Digest
from domain.rules.procedures import ProcedurePublished
from domain.rules.register import RegisterEvent, is_register
from domain.rules.registers import kind_of
from domain.rules.rule_book import RuleBook
from domain.rules.units import UnitRegistered
from streams.errors import FileRefused
from streams.importing.files import InputFile
from streams.importing.mapping import FileMapping, MappingInvalid
from streams.importing.reading import Rows
from streams.importing.refusals import Refusals, RefusedRow
from streams.importing.rows import Row
from streams.intake import Intake, Pause, Told
from streams.wire.cloudevents import is_entry, message_of

Progress = Callable[[int, int, int], None]
"""Told how many bytes are read, of how many, and how many rows they made."""


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
    """The ledger that an import goes into; who tells its facts, and who its registers' entries."""

    store: Store
    ledger: Ledger
    registers: Registers
    sender: Sender
    keeper: Sender
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
        self._intake = Intake(ledger=into.ledger, registers=into.registers, pause=pause)
        self._mapping = mapping
        self._refused = refused
        self.dossiers: set[bytes] = set()

    async def run(self, file: InputFile, progress: Progress | None) -> None:
        """Record handful by handful, while the next one is read. Raises FileRefused or Busy."""
        rows = Rows(file, self._mapping)
        taken = await asyncio.to_thread(rows.take)
        if self._mapping is not None and (taken.rows or taken.failure is None):
            await self._register(self._mapping.registers)
        while taken.rows:
            following = asyncio.create_task(asyncio.to_thread(rows.take))
            try:
                await self._record(taken.rows)
            finally:
                after = await following
            if progress is not None:
                progress(rows.bytes_read, rows.bytes_total, self.report.read)
            if taken.failure is not None:
                break
            taken = after
        if taken.failure is not None:
            raise taken.failure

    async def _register(self, declared: tuple[RegisterEvent, ...]) -> None:
        """Put what the mapping declares and the registers lack. What they know stays as it is."""
        await self._into.store.read()
        rules = self._into.store.rules
        missing = [entry for entry in declared if not _is_registered(entry, rules)]
        _refuse_strangers(missing, rules)
        for entry in missing:
            await self._into.registers.put(entry, self._keeper)

    async def _record(self, rows: Sequence[Row]) -> None:
        told = [self._message(row) for row in rows]
        for row, became in zip(rows, await self._intake.take(told), strict=True):
            self.report.read += 1
            if isinstance(became, Busy | RulesChanged):
                raise became
            if isinstance(became, DomainError):
                self._refuse(row, became)
            else:
                self._count(became)

    def _message(self, row: Row) -> Told:
        if isinstance(row.said, DomainError):
            return row.said
        sender = self._into.keeper if is_entry(row.said) else self._into.sender
        try:
            return message_of(row.said, sender, self._into.digest)
        except DomainError as refused:
            return refused

    def _count(self, became: Result) -> None:
        if became.repeated:
            self.report.duplicate += 1
        else:
            self.report.recorded += 1
        outcome = became.outcome
        self.report.position = max(self.report.position, outcome.position)
        if outcome.stream is not None and not is_register(outcome.stream):
            self.dossiers.add(outcome.stream.bytes)
            self.report.dossiers = len(self.dossiers)

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

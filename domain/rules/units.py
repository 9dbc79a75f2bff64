"""Units of the organisation register: their levels, which agency they belong to, who succeeds.

An agency is the unit right below a province or a ministry, with all that stands below it. The
register says which that is (`UnitBook.authority`); its code has two groups (`agency_of`), for those
who have codes but no register. They agree wherever parents follow the codes.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final
from unicodedata import normalize
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from domain.envelope import VIETNAM, Pin, UnitCode
from domain.errors import InvalidRequest, UnitEnded, UnknownUnit
from domain.rules.register import EntryKind, Register, RegisterEvent, Units, nothing_to_check, same
from domain.rules.unit_past import UnitPast

_PREFIX: Final = re.compile(r"[A-Z0-9]+(?:\.[A-Z0-9]+)*")


class UnitLevel(StrEnum):
    """Where a unit stands. Since 1 July 2025 there are provinces and communes, no districts."""

    CENTRAL = "central"
    PROVINCE = "province"
    DISTRICT = "district"
    COMMUNE = "commune"
    DEPARTMENT = "department"
    DESK = "desk"
    PUBLIC_POST = "public_post"
    OTHER = "other"

    @classmethod
    def of(cls, text: str) -> "UnitLevel | None":
        """Return the level that a text names, in English or Vietnamese; None: it names none."""
        word = normalize("NFC", text).strip().casefold().removeprefix("cấp ")
        return _LEVELS.get(word)


_LEVELS: Final = {
    **{level.value: level for level in UnitLevel},
    **dict.fromkeys(("ministry", "trung ương", "bộ"), UnitLevel.CENTRAL),
    **dict.fromkeys(
        ("city", "tỉnh", "thành phố", "thành phố trực thuộc trung ương"), UnitLevel.PROVINCE
    ),
    **dict.fromkeys(("huyện", "quận", "thị xã"), UnitLevel.DISTRICT),
    **dict.fromkeys(
        ("ward", "special_zone", "municipality", "xã", "phường", "thị trấn", "đặc khu"),
        UnitLevel.COMMUNE,
    ),
    **dict.fromkeys(("sở", "ban", "phòng", "phòng ban"), UnitLevel.DEPARTMENT),
    **dict.fromkeys(("một cửa", "bộ phận một cửa", "quầy"), UnitLevel.DESK),
    **dict.fromkeys(("bưu điện", "bưu cục"), UnitLevel.PUBLIC_POST),
}


@dataclass(frozen=True, kw_only=True)
class Unit:
    """A unit of the organisation register. `dossier_prefix` starts the codes that it issues.

    `level` is kept as it was told; `UnitLevel.of` reads it.
    """

    code: UnitCode
    name: str
    parent: UnitCode | None = None
    zone: str = "Asia/Ho_Chi_Minh"
    calendar: str | None = None
    level: str | None = None
    dossier_prefix: str | None = None


@dataclass(frozen=True, kw_only=True)
class UnitEnd:
    """A unit is abolished or merged; `successors` take over its dossiers."""

    code: UnitCode
    ended_at: datetime
    successors: tuple[UnitCode, ...] = ()
    legal_basis: str | None = None


@dataclass(frozen=True, kw_only=True)
class UnitRegistered(Unit, RegisterEvent):
    TOPIC = "unit.registered.v1"


@dataclass(frozen=True, kw_only=True)
class UnitEndedByDecision(UnitEnd, RegisterEvent):
    TOPIC = "unit.ended.v1"


def agency_of(code: UnitCode) -> UnitCode:
    """Return the agency of a unit by its code: the first two groups (QĐ 20/2020/QĐ-TTg, Điều 4)."""
    return UnitCode(".".join(code.split(".")[:2]))


@dataclass(frozen=True, slots=True)
class UnitEntry:
    unit: Unit
    pin: Pin
    ended_at: datetime | None = None
    successors: tuple[UnitCode, ...] = ()

    @property
    def level(self) -> UnitLevel | None:
        """Return the level that its register states; None where it states none that rules know."""
        return UnitLevel.of(self.unit.level) if self.unit.level is not None else None


class UnitBook(dict[UnitCode, UnitEntry]):
    """Every unit that was ever registered, by its code."""

    def __init__(self) -> None:
        super().__init__()
        self._past = UnitPast()
        self._children: dict[UnitCode, set[UnitCode]] = {}
        self._predecessors: dict[UnitCode, set[UnitCode]] = {}
        self._subtrees: dict[UnitCode, frozenset[UnitCode]] = {}

    def register(self, event: UnitRegistered) -> None:
        known = self.get(event.code)
        if known is not None and known.unit.parent is not None:
            self._children[known.unit.parent].discard(event.code)
        if event.parent is not None:
            self._children.setdefault(event.parent, set()).add(event.code)
        self._past.register(event.code, event.parent, event.dossier_prefix)
        ended = (known.ended_at, known.successors) if known is not None else (None, ())
        self[event.code] = UnitEntry(event, event.pin, *ended)
        self._subtrees.clear()

    def end(self, event: UnitEndedByDecision) -> None:
        self._past.end(event.code, event.successors)
        known = self.get(event.code)
        if known is not None:
            self[event.code] = replace(
                known, pin=event.pin, ended_at=event.ended_at, successors=event.successors
            )
        for successor in event.successors:
            self._predecessors.setdefault(successor, set()).add(event.code)
        self._subtrees.clear()

    def learned(self, seq: int) -> None:
        """Take to know that the change before stands at a position of the ledger."""
        self._past.learned(seq)

    def above(self, code: UnitCode, seq: int = 0) -> frozenset[UnitCode]:
        """Return a unit, what stands above it or succeeds it, and what does so of these.

        It is as the register was known at a position; 0: as it is known now.
        """
        return self._past.above(code, seq)

    def numbered(self, prefix: str, seq: int = 0) -> frozenset[UnitCode]:
        """Return the units in whose numbering codes with a prefix are, known at a position."""
        return self._past.numbered(prefix, seq)

    def existing(self, code: UnitCode, at: datetime) -> UnitEntry:
        """Return a unit that exists at a moment, or raise UnknownUnit or UnitEnded."""
        entry = self.get(code)
        if entry is None:
            raise UnknownUnit(code)
        if entry.ended_at is not None and entry.ended_at <= at:
            raise UnitEnded(code)
        return entry

    def zone(self, code: UnitCode) -> ZoneInfo:
        entry = self.get(code)
        return ZoneInfo(entry.unit.zone) if entry is not None else VIETNAM

    def line(self, code: UnitCode) -> list[UnitCode]:
        """Return a unit and what stands above it, the nearest first."""
        found: list[UnitCode] = []
        above: UnitCode | None = code
        while above is not None and above not in found:
            found.append(above)
            entry = self.get(above)
            above = entry.unit.parent if entry is not None else None
        return found

    def authority(self, code: UnitCode) -> UnitCode:
        """Return the agency that a unit belongs to: the one below its province or ministry.

        Codes of the first level have no dot (QĐ 20/2020/QĐ-TTg, Điều 4).
        """
        line = self.line(code)
        below = [each for each in line if "." in each]
        return below[-1] if below else line[-1]

    def is_another_area(self, one: UnitCode, other: UnitCode) -> bool:
        """Say whether two agencies have areas of their own: two provinces, or two communes."""
        if one.partition(".")[0] != other.partition(".")[0]:
            return True
        levels = [self[code].level for code in (one, other) if code in self]
        return one != other and levels == [UnitLevel.COMMUNE, UnitLevel.COMMUNE]

    def subtree(self, root: UnitCode) -> frozenset[UnitCode]:
        """Return a unit, everything below it, and what these took over from ended units."""
        if root in self._subtrees:
            return self._subtrees[root]
        found = {root}
        waiting = [root]
        while waiting:
            code = waiting.pop()
            below = self._children.get(code, set()) | self._predecessors.get(code, set())
            waiting += below - found
            found |= below
        return self._subtrees.setdefault(root, frozenset(found))

    def pins(self, codes: Iterable[UnitCode]) -> Iterator[Pin]:
        """Yield the versions of the units that a decision looked at."""
        for code in codes:
            entry = self.get(code)
            if entry is not None:
                yield entry.pin


def is_prefix(text: str) -> bool:
    """Say whether a unit's codes may begin with a text."""
    return _PREFIX.fullmatch(text) is not None


def _check(units: UnitBook, entry: UnitRegistered) -> None:
    try:
        ZoneInfo(entry.zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidRequest("zone is no time zone like Asia/Ho_Chi_Minh.") from error
    if entry.dossier_prefix is not None and not is_prefix(entry.dossier_prefix):
        raise InvalidRequest("dossier_prefix has only A-Z, 0-9 and dots.")
    if entry.parent is not None and entry.parent in units.subtree(entry.code):
        raise InvalidRequest(f"Unit {entry.code} would stand above its own parent.")
    _refuse_unknown_level(units, entry)


def _refuse_unknown_level(units: UnitBook, entry: UnitRegistered) -> None:
    """Refuse a word that names no level where a rule of law goes by it: for agencies.

    What is registered already may be told again.
    """
    is_agency = "." in entry.code and agency_of(entry.code) == entry.code
    if not is_agency or entry.level is None or UnitLevel.of(entry.level) is not None:
        return
    known = units.get(entry.code)
    if known is None or known.unit.level != entry.level:
        raise InvalidRequest(f"level of an agency is one of {', '.join(UnitLevel)}, or xã, tỉnh …")


def _touched(units: UnitBook, entry: UnitRegistered) -> Units:
    known = units.get(entry.code)
    return (entry.parent, *((entry.code, known.unit.parent) if known is not None else ()))


def _says(units: UnitBook, entry: UnitRegistered) -> bool:
    known = units.get(entry.code)
    return known is not None and same(known.unit, entry)


def _says_end(units: UnitBook, entry: UnitEndedByDecision) -> bool:
    known = units[entry.code]
    return known.ended_at == entry.ended_at and known.successors == entry.successors


UNITS: Final = Register(
    name="unit",
    book=UnitBook,
    sent=True,
    kinds=(
        EntryKind[UnitRegistered, UnitBook](
            event=UnitRegistered,
            key=lambda entry: entry.code,
            label="code",
            tables=("units", "unit"),
            named=lambda entry: (entry.parent,),
            touched=_touched,
            check=_check,
            says=_says,
            learn=UnitBook.register,
        ),
        EntryKind[UnitEndedByDecision, UnitBook](
            event=UnitEndedByDecision,
            key=lambda entry: entry.code,
            label="code",
            tables=("ended_units", "ended_unit"),
            named=lambda entry: (entry.code, *entry.successors),
            touched=lambda _, entry: (entry.code, *entry.successors),
            check=nothing_to_check,
            says=_says_end,
            learn=UnitBook.end,
        ),
    ),
)

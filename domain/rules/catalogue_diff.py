"""What a version of a procedure took away, added and changed, field by field in plain words."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Final, TypeVar

from domain.deadlines.law import Term, TermUnit
from domain.rules.procedures import ChannelTerm, ProcedureFee, ProcedureStep, ProcedureVersion

T = TypeVar("T")
_NAMES: Final = {"code", "version"}
_VIETNAMESE: Final = str.maketrans(",.", ".,")


class Kind(StrEnum):
    REMOVED = "removed"
    ADDED = "added"
    CHANGED = "changed"


@dataclass(frozen=True, kw_only=True, slots=True)
class FieldChange:
    """A field that is no longer as it `was`; None on either side: nothing was stated there."""

    field: str
    was: str | None
    now: str | None

    @property
    def kind(self) -> Kind:
        if self.now is None:
            return Kind.REMOVED
        return Kind.ADDED if self.was is None else Kind.CHANGED


def differences(was: ProcedureVersion, now: ProcedureVersion) -> list[FieldChange]:
    """Return in what the later version differs, in the order of the fields; [] if in nothing.

    The order of components and fees says nothing; that of the steps does.
    """
    found: list[FieldChange] = []
    for field in fields(ProcedureVersion):
        if field.name not in _NAMES:
            found += _of_field(field.name, getattr(was, field.name), getattr(now, field.name))
    return found


def _of_field(name: str, was: object, now: object) -> Iterator[FieldChange]:
    if not isinstance(was, tuple) or not isinstance(now, tuple):
        if was != now:
            yield FieldChange(field=name, was=_words(was), now=_words(now))
        return
    yield from _of_lists(name, was, now)
    same = Counter(was) == Counter(now)
    if name == "steps" and same and was != now:
        yield FieldChange(field="order of steps", was=_order(was), now=_order(now))


def _of_lists(name: str, was: Iterable[object], now: Iterable[object]) -> Iterator[FieldChange]:
    """Pair what differs by what it is called; the rest was taken away or added."""
    new = list((Counter(now) - Counter(was)).elements())
    for old in (Counter(was) - Counter(now)).elements():
        match = next((each for each in new if _called(each) == _called(old)), None)
        if match is not None:
            new.remove(match)
        yield FieldChange(field=name, was=_words(old), now=_words(match))
    yield from (FieldChange(field=name, was=None, now=_words(each)) for each in new)


def _order(steps: Iterable[object]) -> str:
    return "; ".join(str(_words(each)) for each in steps)


def _called(entry: object) -> object:
    match entry:
        case ProcedureStep():
            return entry.name
        case ProcedureFee():
            return entry.code or entry.name or entry.kind
        case ChannelTerm():
            return entry.channel
        case _:
            return entry


def _words(value: object) -> str | None:
    match value:
        case None:
            return None
        case Term():
            return _length(value.amount, value.unit)
        case ChannelTerm():
            return f"{value.channel}: {_length(value.amount, value.unit)}"
        case ProcedureStep():
            return f"{value.name} ({value.role}): {_number(value.hours)} working hours"
        case ProcedureFee():
            return f"{_fee(value)}: {_number(value.amount)} đồng"
        case _:
            return str(value)


def _fee(fee: ProcedureFee) -> str:
    code = f"[{fee.code}]" if fee.code is not None else None
    kind = f"({fee.kind})" if fee.kind is not None else None
    return " ".join(part for part in (code, fee.name, kind) if part is not None) or "fee"


def _number(value: float) -> str:
    return f"{value:,}".removesuffix(".0").translate(_VIETNAMESE)


def _length(amount: int, unit: TermUnit) -> str:
    return f"{_number(amount)} {unit.replace('_', ' ')}{'' if amount == 1 else 's'}"

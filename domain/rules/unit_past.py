"""The organisation register as it was known at any position: who stood above or succeeded whom."""

import sys
from bisect import bisect_right
from collections.abc import Sequence
from typing import Final, TypeVar

from domain.envelope import UnitCode

_NOW: Final = sys.maxsize
T = TypeVar("T")


class UnitPast:
    """What stood above which unit, and whose numbering a prefix was, at any position.

    Its epochs are the changes of the register; a position lies in the last one up to it.
    """

    def __init__(self) -> None:
        self._positions: list[int] = []
        self._parents: dict[UnitCode, list[tuple[int, UnitCode | None]]] = {}
        self._successors: dict[UnitCode, list[tuple[int, tuple[UnitCode, ...]]]] = {}
        self._prefixes: dict[str, dict[UnitCode, int]] = {}
        self._above: dict[tuple[UnitCode, int], frozenset[UnitCode]] = {}

    def register(self, code: UnitCode, parent: UnitCode | None, prefix: str | None) -> None:
        """Take in how a unit is registered. Codes once issued under a prefix stay its own."""
        epoch = self._next()
        self._parents.setdefault(code, []).append((epoch, parent))
        for each in (code, prefix, old_order(code)):
            if each is not None:
                self._prefixes.setdefault(each.upper(), {}).setdefault(code, epoch)

    def end(self, code: UnitCode, successors: tuple[UnitCode, ...]) -> None:
        self._successors.setdefault(code, []).append((self._next(), successors))

    def learned(self, seq: int) -> None:
        self._positions.append(seq)

    def above(self, code: UnitCode, seq: int) -> frozenset[UnitCode]:
        asked = code, self._epoch(seq)
        found = self._above.get(asked)
        if found is None:
            found = self._above[asked] = self._all_above(*asked)
        return found

    def numbered(self, prefix: str, seq: int) -> frozenset[UnitCode]:
        epoch = self._epoch(seq)
        since = self._prefixes.get(prefix, {})
        return frozenset(unit for unit, first in since.items() if first <= epoch)

    def _next(self) -> int:
        self._above.clear()
        return len(self._positions) + 1

    def _epoch(self, seq: int) -> int:
        return bisect_right(self._positions, seq) if seq else _NOW

    def _all_above(self, code: UnitCode, epoch: int) -> frozenset[UnitCode]:
        found = {code}
        waiting = [code]
        while waiting:
            each = waiting.pop()
            parent = _as_of(self._parents.get(each, ()), epoch)
            new = {*(_as_of(self._successors.get(each, ()), epoch) or ())}
            new |= {parent} if parent is not None else set()
            waiting += new - found
            found |= new
        return frozenset(found)


def _as_of(told: Sequence[tuple[int, T]], epoch: int) -> T | None:
    """Return what was told last up to an epoch."""
    return next((each for since, each in reversed(told) if since <= epoch), None)


def old_order(unit: str) -> str | None:
    """Turn `H01.12` into `000.00.12.H01` (level 4, 3, 2, 1), the order before QĐ 20/2020."""
    groups = unit.split(".")
    widths = (3, 2, 2, 3)
    padded = ["0" * width for width in widths]
    for place, group in zip((3, 2, 1, 0), groups, strict=False):
        if len(group) > widths[place]:
            return None
        padded[place] = group.rjust(widths[place], "0")
    return ".".join(padded) if len(groups) <= len(widths) else None

"""A due date in a terminal: weeks from Monday to Sunday, each day with its mark, then the words."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from textwrap import fill
from typing import Final

from rich.columns import Columns
from rich.table import Table
from rich.text import Text

from api.terminal.console import out
from domain.deadlines.explaining import Day, Why
from domain.words import Language

_WEEK: Final[Mapping[Language, tuple[str, ...]]] = {
    "vi": ("T2", "T3", "T4", "T5", "T6", "T7", "CN"),
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
}
_DAYS: Final = 7
_WIDEST: Final = 100
_CELL: Final = 9


@dataclass(frozen=True, slots=True)
class _Mark:
    sign: str
    style: str
    vi: str
    en: str


_DUE: Final = _Mark("★", "bold green", "hẹn trả kết quả", "due")
_FIRST: Final = _Mark("○", "bold cyan", "ngày bắt đầu", "first day")
_COUNTED: Final = _Mark("✓", "", "được tính", "counts")
_OFF: Final = _Mark("✗", "red", "nghỉ lễ, tết", "day off")
_AGAIN: Final = _Mark("↺", "dim", "đã tính lại từ đầu", "counted again")
_PAUSED: Final = _Mark("‖", "yellow", "tạm dừng", "paused")
_REST: Final = _Mark("·", "dim", "nghỉ hằng tuần", "weekly rest")
_NOT: Final = _Mark("-", "dim", "không tính", "does not count")
_MADE_UP: Final = _Mark("+", "magenta", "ngày làm bù", "worked in exchange")
_SHORT: Final = _Mark("~", "magenta", "giờ làm việc riêng", "other hours")

_COUNTING: Final = frozenset({Why.COUNTED, Why.WORKED, Why.ELAPSED})
_ROLES: Final = (
    (frozenset({Why.DUE}), _DUE),
    (_COUNTING, _COUNTED),
    (frozenset({Why.DAY_OFF, Why.CLOSED}), _OFF),
    (frozenset({Why.RESTARTED, Why.REPLACED}), _AGAIN),
    (frozenset({Why.DAY_ZERO}), _FIRST),
    (frozenset({Why.PAUSED}), _PAUSED),
    (frozenset({Why.WEEKLY_REST}), _REST),
)
_ALL: Final = (*(mark for _, mark in _ROLES), _NOT, _MADE_UP, _SHORT)


def print_due(days: Sequence[Day], lines: Sequence[str], lang: Language) -> None:
    """Print the days week by week, what the marks mean, and the whole account."""
    table = Table(box=None, padding=(0, 0), show_edge=False)
    table.add_column("", style="bold", min_width=11)
    for name in _WEEK[lang]:
        table.add_column(name, min_width=_CELL - 1, header_style="dim")
    for week in _weeks(days):
        table.add_row(_months(week), *(_cell(each) for each in week))
    used = {mark for day in days for mark in (_role(day), _nature(day)) if mark is not None}
    out.print(table)
    out.print(Columns([_meaning(mark, lang) for mark in _ALL if mark in used], padding=(0, 3)))
    out.print()
    for place, line in enumerate(lines):
        ends = place in {0, len(lines) - 1}
        out.print(Text(_filled(line), style="bold" if ends else ""))


def _filled(line: str) -> str:
    width = min(out.width, _WIDEST)
    return fill(line, width, subsequent_indent="    ", break_on_hyphens=False)


def _weeks(days: Sequence[Day]) -> Iterator[list[Day | None]]:
    """Yield the days in weeks, with None for what is before the first or after the last."""
    row: list[Day | None] = [None] * (days[0].date.weekday() if days else 0)
    for day in days:
        row.append(day)
        if len(row) == _DAYS:
            yield row
            row = []
    if row:
        yield row + [None] * (_DAYS - len(row))


def _months(week: Sequence[Day | None]) -> str:
    """Return the month of a week that begins one, or both if it also ends one."""
    told = [each.date for each in week if each is not None]
    first, last = told[0], told[-1]
    if first.month != last.month:
        return f"{first.month:02}-{last.month:02}/{last.year}"
    begins = week[0] is None or (first - timedelta(days=_DAYS)).month != first.month
    return f"{first.month:02}/{first.year}" if begins else ""


def _cell(day: Day | None) -> Text:
    if day is None:
        return Text()
    role, nature = _role(day), _nature(day)
    counted = any(each.why in _COUNTING for each in day.reasons)
    number = f"{day.nth or ''}" if day.nth or not counted else _length(day)
    style = nature.style if nature is not None and role is _COUNTED else role.style
    text = f"{day.date.day:02}{nature.sign if nature else ''} {role.sign}{number}"
    return Text(text, style=_PAUSED.style if role is _COUNTED and day.paused_minutes else style)


def _length(day: Day) -> str:
    if any(each.why is Why.COUNTED for each in day.reasons):
        return ""
    hours, minutes = divmod(day.minutes, 60)
    return f"{hours}h{minutes:02}" if minutes else f"{hours}h"


def _role(day: Day) -> _Mark:
    whys = {each.why for each in day.reasons}
    return next((mark for among, mark in _ROLES if among & whys), _NOT)


def _nature(day: Day) -> _Mark | None:
    whys = {each.why for each in day.reasons}
    if Why.MADE_UP in whys:
        return _MADE_UP
    return _SHORT if Why.SHORT_DAY in whys else None


def _meaning(mark: _Mark, lang: Language) -> Text:
    said = mark.vi if lang == "vi" else mark.en
    return Text.assemble((mark.sign, mark.style), f" {said}")

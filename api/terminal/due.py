"""`hoso due`: when a term ends, and why, without any database."""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

import rich_click as click

from api.terminal.console import Moment, as_json, fail, print_json
from api.terminal.due_answer import DueAnswer, DueQuestion, DueReckoned, reckoned
from api.terminal.due_table import print_due
from domain.deadlines.decided import SESSIONS
from domain.deadlines.law import CutoffPolicy, PausePolicy, Term, TermUnit
from domain.deadlines.running import Pause
from domain.deadlines.terms import BY_INSTANT, Counting
from domain.deadlines.wording import moment_text
from domain.envelope import VIETNAM
from domain.errors import DomainError, InvalidRequest
from domain.ledger.times import YEARS
from domain.words import LANGUAGES, Language
from streams.errors import FileRefused

_FORMS: Final = "5 working days, 8 working hours, 30 calendar days, 1 month or 24 hours"
_TERM: Final = re.compile(
    r"(-?[0-9]{1,9}) (working day|working hour|calendar day|month|hour|day)s?"
)
_UNITS: Final = {
    "working day": TermUnit.WORKING_DAY,
    "working hour": TermUnit.WORKING_HOUR,
    "calendar day": TermUnit.CALENDAR_DAY,
    "month": TermUnit.MONTH,
    "hour": TermUnit.ELAPSED_HOUR,
}
_OPEN: Final = "open"

_IF_RESUMED: Final[Mapping[Language, str]] = {
    "vi": "Nếu thời hạn được tính tiếp từ bây giờ, hẹn trả kết quả: {}.",
    "en": "If the clock went on now, it would be due: {}.",
}

Parameter = click.Parameter | None
Context = click.Context | None


@dataclass(frozen=True, slots=True)
class StatedTime:
    """A time as it was stated: `at`, and whether only its day was."""

    at: datetime
    day_only: bool


class DayOrMoment(click.ParamType[StatedTime]):
    """A time, or a day alone: it counts from the opening of the office."""

    name = "time"

    def convert(self, value: Any, param: Parameter, ctx: Context) -> StatedTime:  # noqa: ANN401  # click's own signature
        if isinstance(value, StatedTime):
            return value
        with suppress(ValueError):
            day = date.fromisoformat(value)
            return StatedTime(datetime.combine(day, SESSIONS[0][0], VIETNAM), day_only=True)
        return StatedTime(Moment().convert(value, param, ctx), day_only=False)


class PauseEnd(DayOrMoment):
    """The end of a pause, or `open` (None) while it lasts."""

    def convert(self, value: Any, param: Parameter, ctx: Context) -> Any:  # noqa: ANN401  # click's own signature
        return None if value in {_OPEN, None} else super().convert(value, param, ctx)


class TermText(click.ParamType[Term]):
    """A term such as `5 working days`."""

    name = "term"

    def convert(self, value: Any, param: Parameter, ctx: Context) -> Term:  # noqa: ANN401  # click's own signature
        if isinstance(value, Term):
            return value
        found = _TERM.fullmatch(" ".join(value.lower().replace("_", " ").split()))
        if found is None:
            self.fail(f"{value!r} is no term; write it like {_FORMS}.", param, ctx)
        if found[2] not in _UNITS:
            why = "may mean working days or calendar days"
            self.fail(f"{value!r} {why}; write it like {_FORMS}.", param, ctx)
        return Term(amount=int(found[1]), unit=_UNITS[found[2]])


@click.command()
@click.option("--start", required=True, type=DayOrMoment(), help="When the dossier was received.")
@click.option("--term", required=True, type=TermText(), help=f"{_FORMS}.")
@click.option(
    "--pause",
    "pauses",
    nargs=2,
    multiple=True,
    type=(DayOrMoment(), PauseEnd()),
    metavar="START END",
    help="The clock may stand still from START until END, or `open`. May be repeated.",
)
@click.option(
    "--policy",
    type=click.Choice([each.value for each in PausePolicy]),
    default=PausePolicy.RESTART.value,
    show_default=True,
    help="What a pause does to the term: it begins again, is extended, or goes on.",
)
@click.option(
    "--cutoff",
    type=click.Choice([CutoffPolicy.NONE.value, CutoffPolicy.COUNT_FROM_NEXT_DAY.value]),
    default=CutoffPolicy.NONE.value,
    show_default=True,
    help="What receipt after 15:00 does.",
)
@click.option(
    "--calendar",
    type=click.Path(path_type=Path),
    help="TOML with [[decision]] tables, instead of the shipped decisions.",
)
@click.option("--now", type=Moment(), help="When an open pause would end; default: now.")
@click.option(
    "--lang", type=click.Choice(LANGUAGES), default="vi", show_default=True, help="Of the text."
)
@as_json
def due(
    start: StatedTime,
    term: Term,
    pauses: tuple[tuple[StatedTime, StatedTime | None], ...],
    policy: str,
    cutoff: str,
    calendar: Path | None,
    now: datetime | None,
    lang: Language,
    as_json: bool,  # noqa: FBT001  # a flag of the command line
) -> None:
    """Compute when a term ends, day by day and article by article. Needs no database.

    Times without an offset are Asia/Ho_Chi_Minh; a day alone counts from 07:00. Decisions that are
    only proposed do not apply.

    Examples: `hoso due --start 2026-03-02T09:15 --term "5 working days"`,
    `hoso due --start 2026-03-02T09:00 --term "5 working days" --pause 2026-03-04T10:00 open`
    """
    try:
        stated = [start, *(each for pause in pauses for each in pause if each is not None)]
        _refuse_odd_times(term, stated, now)
        asked = DueQuestion(
            start=start.at,
            counting=Counting(term=term, cutoff=CutoffPolicy(cutoff)),
            pauses=tuple(
                Pause(
                    start=begin.at,
                    end=end.at if end is not None else None,
                    policy=PausePolicy(policy),
                )
                for begin, end in pauses
            ),
            now=now,
        )
        found = reckoned(asked, calendar)
    except (DomainError, FileRefused) as error:
        fail(str(error))
    if as_json:
        print_json(DueAnswer.of(found, lang))
    else:
        print_due(found.days, [*found.lines(lang), *_if_resumed(found, lang)], lang)


def _if_resumed(found: DueReckoned, lang: Language) -> list[str]:
    if found.resumed is None:
        return []
    return [_IF_RESUMED[lang].format(moment_text(found.resumed, lang))]


def _refuse_odd_times(term: Term, stated: Sequence[StatedTime], now: datetime | None) -> None:
    """Raise InvalidRequest for a day where the hour counts, and for a year that cannot be."""
    if term.unit in BY_INSTANT and any(each.day_only for each in stated):
        raise InvalidRequest("A term in hours needs the hour: write times like 2026-03-02T09:15.")
    moments = [each.at for each in stated] + ([now] if now is not None else [])
    if any(each.year not in YEARS for each in moments):
        raise InvalidRequest("A time must lie between the years 1900 and 9998.")

"""`hoso calendar`: which days are worked, by which decision; deciding, confirming, proposing."""

from calendar import Calendar
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final, cast

import rich_click as click
from rich.table import Table
from rich.text import Text

from api.main import read_settings
from api.operating import calendars
from api.operating.calendars import HOURS, OFF, PROPOSED, WORKED, CalendarQuestion, Confirmation
from api.terminal.console import as_json, carry_out, out, print_json, print_table, progress
from domain.rules.calendars import CalendarDecided
from domain.rules.rule_book import CALENDAR
from streams.registers.catalogue_files import load_decisions
from streams.registers.entries import CALENDARS, day_of, entry, run_of_days

_WEEK: Final = "T2 T3 T4 T5 T6 T7 CN "
_ABREAST: Final = 3
_SATURDAY: Final = 5
_MARKS: Final = {
    OFF: ("*", "red"),
    WORKED: ("+", "green"),
    HOURS: ("~", "cyan"),
    PROPOSED: ("?", "yellow"),
}
_LEGEND: Final = "* nghỉ (off)  + làm bù (worked)  ~ giờ khác (other hours)  ? đề xuất (proposed)"

in_calendar = click.option(
    "--calendar", default=CALENDAR, show_default=True, help="Another calendar than the national."
)


@click.group()
def calendar() -> None:
    """Show which days are worked and by which decision; decide, confirm and propose days off.

    Every decision is an event of the ledger. One that comes late moves the due dates of open
    dossiers, and never before the date that was printed.
    """


@calendar.command("show")
@click.option("--unit", help="As it holds for this unit's offices, closures of their own included.")
@click.option("--year", type=click.IntRange(1900, 9998), help="Default: this year.")
@click.option("--proposals", is_flag=True, help="Only what waits to be confirmed.")
@click.option("--calendar", "name", help="Default: the unit's calendar, or VN.")
@as_json
def show_calendar(
    unit: str | None,
    year: int | None,
    proposals: bool,  # noqa: FBT001  # flags of the command line
    name: str | None,
    as_json: bool,  # noqa: FBT001
) -> None:
    """Show the calendar as it is decided now: the year's days, and the decisions.

    Examples: `hoso calendar show --year 2026 --unit H44.100`, `hoso calendar show --proposals`
    """
    asked = CalendarQuestion(unit=unit, year=year, calendar=name, proposals=proposals)
    body: dict[str, Any] = carry_out(lambda: calendars.shown(read_settings(), asked))
    if as_json:
        print_json(body)
        return
    _print_calendar(body)


@calendar.command("decide")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option("--id", "id_", help="The decision's name: the same again replaces it as a whole.")
@click.option("--issued", help="The date of the instrument.")
@click.option("--off", multiple=True, help="A day off, or a run: 2026-09-07..2026-09-09.")
@click.option("--working", multiple=True, help="A day worked, in exchange or after all.")
@click.option("--title", help="What it is about, with the instrument's number.")
@click.option("--unit", help="Only for the offices of this unit and of all below it.")
@click.option("--proposal", is_flag=True, help="It applies only once it is confirmed.")
@in_calendar
@as_json
def decide(
    file: Path | None,
    id_: str | None,
    issued: str | None,
    off: tuple[str, ...],
    working: tuple[str, ...],
    title: str | None,
    unit: str | None,
    proposal: bool,  # noqa: FBT001  # flags of the command line
    calendar: str,
    as_json: bool,  # noqa: FBT001
) -> None:
    """Decide days off and days worked, then recompute the open dossiers that this moves.

    FILE is TOML or JSON, with a `[[decision]]` for each; all of it is recorded, or nothing. The
    same again changes nothing.

    Example: `hoso calendar decide --id 2026-bao-so-11 --issued 2026-09-06
    --off 2026-09-07..2026-09-09 --unit H44.100 --title "Công văn 512/UBND-NC"`
    """
    stated = (id_, issued, title, unit, *off, *working)
    if (file is None) == (not any(stated) and not proposal):
        raise click.UsageError("Give a FILE, or --id with --issued and the days.")
    if file is None and not (id_ and issued and (off or working)):
        raise click.UsageError("Give --id, --issued, and --off or --working.")
    said = {
        "id": id_,
        "issued": issued,
        "off": off,
        "working": working,
        "title": title,
        "unit": unit,
        "proposal": proposal,
        "calendar": calendar,
    }

    async def work() -> dict[str, Any]:
        decisions = load_decisions(file) if file is not None else [_decision(said)]
        with progress("recompute") as advance:
            return await calendars.decided(read_settings(), decisions, advance)

    _print_change(carry_out(work), as_json=as_json)


def _decision(said: dict[str, Any]) -> CalendarDecided:
    """Return the decision that options state. Raises InvalidRequest."""
    days = {
        name: [
            day
            for text in said[name]
            for day in run_of_days(text if ".." in text else day_of(text))
        ]
        for name in ("off", "working")
    }
    stated = {name: value for name, value in said.items() if value is not None}
    whole = {**stated, **days, "issued": day_of(said["issued"])}
    return cast("CalendarDecided", entry(CALENDARS, whole))


@calendar.command("confirm")
@click.argument("id_", metavar="ID")
@click.option("--issued", help="The date of the instrument that confirms it.")
@click.option("--title", help="What it is about, with the instrument's number.")
@in_calendar
@as_json
def confirm(id_: str, issued: str | None, title: str | None, calendar: str, as_json: bool) -> None:  # noqa: FBT001  # a flag of the command line
    """Make a decision of a proposal, then recompute the open dossiers that this moves.

    Example: `hoso calendar confirm 2026-national-day-swap --issued 2025-12-30`
    """

    async def work() -> dict[str, Any]:
        said = Confirmation(
            id=id_,
            calendar=calendar,
            issued=day_of(issued) if issued is not None else None,
            title=title,
        )
        with progress("recompute") as advance:
            return await calendars.confirmed(read_settings(), said, advance)

    _print_change(carry_out(work), as_json=as_json)


@calendar.command("propose")
@click.argument("year", type=int)
@in_calendar
@as_json
def propose(year: int, calendar: str, as_json: bool) -> None:  # noqa: FBT001  # a flag of the command line
    """Keep what the Labour Code gives for a year as a proposal. It applies once it is confirmed.

    Example: `hoso calendar propose 2028`, then `hoso calendar confirm 2028-base`
    """
    body: dict[str, Any] = carry_out(lambda: calendars.proposed(read_settings(), year, calendar))
    if as_json:
        print_json(body)
        return
    _print_decisions([body["decision"]])
    out.print(f"{body['id']}: {body['change']}, calendar version {body['version']}", markup=False)
    if body["decision"]["state"] == "proposed":
        out.print(f"It applies after: hoso calendar confirm {body['id']}", markup=False)


def _print_change(body: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(body)
        return
    for each in body.get("decisions", [body]):
        out.print(
            f"{each['id']}: {each['change']}, calendar version {each['version']}", markup=False
        )
    counts = body["recomputed"]
    out.print(
        f"open dossiers: {counts['examined']} examined, {counts['moved']} moved,"
        f" {counts['unchanged']} unchanged, {counts['failed']} failed"
    )


def _print_calendar(body: dict[str, Any]) -> None:
    whose = f", unit {body['unit']}" if body["unit"] else ""
    out.print(f"[bold]Calendar {body['calendar']}[/] version {body['version']}{whose}")
    if not body["year_known"]:
        out.print(
            f"[yellow]{body['year']} is not decided:[/] no date in it can be computed."
            " Confirm or propose it."
        )
    if body["days"]:
        marks = {day["date"]: _MARKS[day["kind"]] for day in body["days"]}
        out.print(_year(body["year"], marks))
        out.print(_LEGEND)
    _print_decisions(body["decisions"])


def _year(year: int, marks: dict[date, tuple[str, str]]) -> Table:
    grid = Table.grid(padding=(0, 4, 1, 0))
    months = [_month(year, month, marks) for month in range(1, 13)]
    for first in range(0, len(months), _ABREAST):
        grid.add_row(*months[first : first + _ABREAST])
    return grid


def _month(year: int, month: int, marks: dict[date, tuple[str, str]]) -> Text:
    text = Text(f"Tháng {month}/{year}".center(len(_WEEK)) + "\n", style="", end="")
    text.append(_WEEK, style="bold")
    for week in Calendar().monthdatescalendar(year, month):
        text.append("\n")
        for day in week:
            rest = "dim" if day.weekday() >= _SATURDAY else ""
            mark, style = marks.get(day, (" ", rest))
            text.append(f"{day.day:2}{mark}" if day.month == month else "   ", style=style)
    return text


def _print_decisions(decisions: list[dict[str, Any]]) -> None:
    rows: list[list[object]] = [
        [f"{each['id']}\n{each['state']}, {_day(each['issued'])}", _settled(each), each["title"]]
        for each in decisions
    ]
    if rows:
        print_table("Decisions", ["decision, issued", "days", "title"], rows)
    else:
        out.print("no decisions")


def _settled(decision: dict[str, Any]) -> str:
    parts = [f"only {decision['unit']}"] if decision["unit"] else []
    parts += [f"{_MARKS[OFF][0]} {run}" for run in _runs(decision["off"])]
    parts += [f"{_MARKS[WORKED][0]} {run}" for run in _runs(decision["working"])]
    parts += [
        f"{_MARKS[HOURS][0]} {_day(each['day'])} {', '.join(each['sessions'])}"
        for each in decision["hours"]
    ]
    return "\n".join(parts)


def _runs(days: Iterable[date]) -> list[str]:
    """Return days as runs, each as people write it: `14-22/02/2026`."""
    runs: list[list[date]] = []
    for day in sorted(days):
        if runs and day - runs[-1][-1] == timedelta(days=1):
            runs[-1].append(day)
        else:
            runs.append([day])
    return [_run(each[0], each[-1]) for each in runs]


def _run(first: date, last: date) -> str:
    if first == last:
        return _day(first)
    if (first.year, first.month) == (last.year, last.month):
        return f"{first:%d}-{_day(last)}"
    return f"{first:%d/%m}-{_day(last)}"


def _day(day: date) -> str:
    return f"{day:%d/%m/%Y}"

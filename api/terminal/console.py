"""How the command speaks: results on standard output, all else on standard error."""

import re
import sys
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Final, NoReturn, TypeVar

import rich_click as click
from msgspec import UNSET
from rich.console import Console
from rich.measure import Measurement
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from api.main import FAILURES, in_loop
from api.showing.answers import encoded
from domain.envelope import VIETNAM
from domain.errors import DomainError
from streams.errors import FileRefused

T = TypeVar("T")

out = Console(highlight=False, soft_wrap=True, emoji=False)  # `:x:` is part of a name here.
notes = Console(stderr=True, highlight=False, emoji=False)

_ANY_WIDTH: Final = 10_000
_AGE = re.compile(r"(\d{1,5})([hdwmy])")
_LONGEST = timedelta(days=100 * 365)
_UNITS = {"h": 1, "d": 24, "w": 24 * 7, "m": 24 * 30, "y": 24 * 365}


def fail(message: str) -> NoReturn:
    """End with status 1 and one line."""
    click.echo("hoso: " + " ".join(message.split()), err=True)
    sys.exit(1)


def carry_out(work: Callable[[], Coroutine[object, object, T]]) -> T:
    """Run a command's work; whatever a user can cause ends as one line and status 1."""
    try:
        return in_loop(work())
    except (DomainError, FileRefused, *FAILURES) as error:
        fail(str(error) or type(error).__name__)
    except KeyboardInterrupt:
        fail("interrupted; what was recorded is recorded, and the command can be run again.")


def print_json(body: object) -> None:
    sys.stdout.buffer.write(encoded(body) + b"\n")
    sys.stdout.buffer.flush()


def print_pairs(pairs: Mapping[str, object]) -> None:
    """Print names and values, one a line."""
    grid = Table.grid(padding=(0, 2))
    for name, value in pairs.items():
        if value is not UNSET and value not in (None, "", [], ()):
            grid.add_row(f"[bold]{name}[/]", _shown(value))
    if (narrowest := _narrowest(grid)) > out.width:
        grid.width = narrowest
    out.print(grid, crop=False)


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows as a table; where it is too narrow for an id or a code, row by row instead.

    What people copy is never broken in two.
    """
    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column, overflow="fold")
    given = list(rows)
    for row in given:
        table.add_row(*map(_shown, row))
    if _narrowest(table) <= out.width:
        return out.print(table)
    out.print(f"[italic]{title}[/]")
    for row in given:
        print_pairs(dict(zip(columns, row, strict=True)))
        out.print()
    return None


def _narrowest(table: Table) -> int:
    """Return how wide a table must be, so that no word is broken."""
    return Measurement.get(out, out.options.update(max_width=_ANY_WIDTH), table).minimum


def _shown(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(VIETNAM).strftime("%d/%m/%Y %H:%M:%S")
    if isinstance(value, list | tuple):
        return ", ".join(map(_shown, value))
    return "" if value is None else str(value).replace("[", r"\[")


@contextmanager
def progress(title: str, total: int | None = None) -> Iterator[Callable[..., None]]:
    """Show how far long work is, on standard error, if somebody looks.

    Yields a function of what is done and, if it becomes known only then, of how much there is.
    """
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=notes,
        disable=not sys.stderr.isatty(),
    )
    with bar:
        task = bar.add_task(title, total=total)

        def advance(done: int, whole: int | None = None) -> None:
            bar.update(task, completed=done, total=total if whole is None else whole)

        yield advance


class Moment(click.ParamType[datetime]):
    """A time; without an offset it is Asia/Ho_Chi_Minh."""

    name = "time"

    def convert(self, value: Any, param: Any, ctx: Any) -> datetime:  # noqa: ANN401  # click's own signature
        if isinstance(value, datetime):
            return value
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no time like 2026-03-02T09:15 or 2026-03-02.", param, ctx)
        return moment if moment.tzinfo is not None else moment.replace(tzinfo=VIETNAM)


class Age(click.ParamType[timedelta]):
    """A length like 12h, 30d, 6m or 1y."""

    name = "length"

    def convert(self, value: Any, param: Any, ctx: Any) -> timedelta:  # noqa: ANN401  # click's own signature
        if isinstance(value, timedelta):
            return value
        found = _AGE.fullmatch(value)
        if found is None or int(found[1]) == 0:
            self.fail(f"{value!r} is no length like 12h, 30d, 6m or 1y.", param, ctx)
        length = timedelta(hours=int(found[1]) * _UNITS[found[2]])
        if length > _LONGEST:
            self.fail(f"{value!r} is longer than 100y.", param, ctx)
        return length


as_json = click.option("--json", "as_json", is_flag=True, help="One JSON document, nothing else.")

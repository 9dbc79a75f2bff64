"""The command `hoso`: one function for each verb."""

import logging
import sys
from importlib.metadata import version
from pathlib import Path

import rich_click as click

from api import main
from api.operating import ledger
from api.terminal import calendar, clock, dossiers, due, explain, project, registers, serve
from api.terminal.console import (
    as_json,
    carry_out,
    fail,
    notes,
    out,
    print_json,
    print_pairs,
    print_table,
    progress,
)
from api.terminal.demo import show_all
from api.terminal.payload_schemas import describe, described_names

click.rich_click.TEXT_MARKUP = "markdown"
click.rich_click.SHOW_ARGUMENTS = True


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version("hoso-ledger"), prog_name="hoso")
def hoso() -> None:
    """Sổ cái hồ sơ: every action on a dossier, recorded for ever and checkable by anybody.

    With no HOSO_DATABASE_URL set, hoso keeps its own PostgreSQL in HOSO_DATA.

    A first walk:

    - `hoso demo` shows everything on a made-up week
    - `hoso catalogue load commune` registers the units and procedures of the shipped example
    - `hoso token create --role desk --unit H44.100` gives a system its token
    - `hoso serve --port 8080` answers over HTTP; its documentation is at /schema
    - `hoso history H44.100-260302-0001` tells a dossier's whole story
    - `hoso due --start 2026-03-02T09:15 --term "5 working days"` says when, and why
    - `hoso audit` proves that nothing was changed
    """


@hoso.command()
@as_json
def status(as_json: bool) -> None:  # noqa: FBT001  # a flag of the command line
    """Show position, processes, and how far each read model is.

    Example: `hoso status --json`
    """
    found = carry_out(lambda: ledger.status(main.read_settings()))
    if as_json:
        print_json(found)
        return
    print_pairs({"position": found.position, "database": found.database_url})
    print_table("Processes", ["role", "pid"], [[each.role, each.pid] for each in found.processes])
    views = [[v.name, v.position, v.lag_events, v.lag_seconds] for v in found.views]
    print_table("Read models", ["name", "position", "events behind", "seconds behind"], views)


@hoso.command()
@as_json
def migrate(as_json: bool) -> None:  # noqa: FBT001  # a flag of the command line
    """Bring the database's schema up to this version. Run it as the database's owner.

    The embedded database migrates itself at every start.
    """
    applied = carry_out(lambda: main.migrated(main.read_settings()))
    if as_json:
        print_json({"applied": applied})
    else:
        out.print("applied: " + (", ".join(applied) or "nothing was missing"))


@hoso.command()
@as_json
@click.option(
    "--workers", type=click.IntRange(1, 64), help="Processes; one for each core by default."
)
def audit(as_json: bool, workers: int | None) -> None:  # noqa: FBT001  # a flag of the command line
    """Recompute every leaf and chain from the rows, and say exactly what differs.

    Exit status 1 if anything does. Example: `hoso audit --json`
    """
    with progress("audit") as advance:
        found = carry_out(lambda: ledger.audited(main.read_settings(), workers, advance))
    if as_json:
        print_json(found)
    else:
        for each in found.differences:
            where = f"seq {each.seq}" if each.seq is not None else "no event"
            out.print(f"[red]differs[/] {where}, stream {each.stream}: {each.what}")
        count = len(found.differences)
        verdict = "[green]nothing was changed[/]" if found.ok else f"[red]{count} differences[/]"
        out.print(f"{found.events} events in {found.streams} streams: {verdict}")
    if not found.ok:
        sys.exit(1)


@hoso.command()
@click.argument("view", required=False)
@click.option("--compare", is_flag=True, help="Only build beside and count the rows that differ.")
@as_json
def rebuild(view: str | None, compare: bool, as_json: bool) -> None:  # noqa: FBT001  # flags of the command line
    """Build a read model again from the events, compare, and switch to it. Without VIEW: all.

    Readers see the old rows until then. Example: `hoso rebuild dossier_overview --compare`
    """
    with progress(f"rebuild {view or 'all read models'}") as advance:
        done = carry_out(
            lambda: ledger.rebuilt(main.read_settings(), view, switch=not compare, advance=advance)
        )
    if as_json:
        print_json({"views": done} if view is None else done[0])
        return
    for each in done:
        out.print(f"{each.view}: {each.rows} rows, {each.rows_different} were different")


@hoso.command()
@click.argument("type_", metavar="[TYPE]", required=False)
@as_json
def schema(type_: str | None, as_json: bool) -> None:  # noqa: FBT001  # a flag of the command line
    """Show the JSON Schema of an event's or a command's payload, with a valid example.

    Without TYPE, list all types. Examples: `hoso schema dossier.accepted`,
    `hoso schema request-supplement --json`
    """
    if type_ is None:
        names = described_names()
        if as_json:
            print_json(names)
        else:
            for kind, each in names.items():
                out.print(f"[bold]{kind}[/]")
                out.print("\n".join(f"  {name}" for name in each))
        return
    body = describe(type_)
    if body is None:
        fail(f"There is no type {type_}; hoso schema lists all.")
    print_json(body)


@hoso.command()
@click.option(
    "--log", type=click.Path(path_type=Path), help="A real event log (XES) to import too."
)
def demo(log: Path | None) -> None:
    """Show the ledger at work on a made-up commune's week, in a folder of its own.

    Example: `hoso demo --log receipt.xes.gz`
    """
    if log is not None and not log.is_file():
        fail(f"There is no file {log}.")
    show_all(log)


hoso.add_command(serve.serve)
hoso.add_command(serve.serve_worker)
hoso.add_command(registers.token)
hoso.add_command(registers.catalogue)
hoso.add_command(registers.subject)
hoso.add_command(calendar.calendar)
hoso.add_command(clock.clock)
hoso.add_command(project.project)
hoso.add_command(due.due)
hoso.add_command(dossiers.import_)
hoso.add_command(dossiers.dossier)
hoso.add_command(dossiers.history)
hoso.add_command(explain.explain)


def run() -> None:
    """Start the command. Logs go to standard error."""
    logging.basicConfig(
        stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(name)s %(message)s"
    )
    try:
        hoso(prog_name="hoso")
    except BrokenPipeError:  # Whoever read our output has seen enough.
        sys.stderr.close()
    finally:
        notes.file.flush()

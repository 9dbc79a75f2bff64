"""`hoso import`, `hoso dossier`, `hoso history`: dossiers for people at a terminal."""

from datetime import datetime
from pathlib import Path

import rich_click as click
from msgspec import UNSET
from msgspec.structs import asdict

from api.main import read_settings
from api.operating import ledger
from api.showing.dossiers import DossierState, History
from api.terminal.console import (
    Moment,
    as_json,
    carry_out,
    fail,
    notes,
    out,
    print_json,
    print_pairs,
    progress,
)
from domain.dossier.status import BY_PORTAL_CODE, SHOWN
from domain.envelope import VIETNAM
from streams.wire.cloudevents import PREFIX

_SAID_APART = ("irregular_kinds", "stopped")


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--mapping",
    type=click.Path(path_type=Path),
    help="TOML; or the name of a shipped one, such as receipt.",
)
@click.option(
    "--refused", type=click.Path(path_type=Path), help="Where refused rows go, with reasons."
)
@as_json
def import_(file: Path, mapping: Path | None, refused: Path | None, as_json: bool) -> None:  # noqa: FBT001
    """Record the facts of a file: CloudEvents, one a line (NDJSON), or an XES log with a mapping.

    Plain or gzipped. The same file again adds nothing, so a broken import is simply run again.
    If the file cannot be read to its end, what was recorded is reported, and the exit status is 1.

    Examples: `hoso import facts.ndjson.gz --refused refused.ndjson`,
    `hoso import receipt.xes.gz --mapping receipt`
    """
    if not file.is_file():
        fail(f"There is no file {file}.")
    with progress(f"import {file.name}", file.stat().st_size) as advance:
        found = carry_out(lambda: ledger.imported(read_settings(), file, mapping, refused, advance))
    if as_json:
        print_json(found)
    else:
        print_pairs({k: v for k, v in asdict(found).items() if k not in _SAID_APART})
        kinds = found.irregular_kinds if found.irregular_kinds is not UNSET else {}
        for kind, count in kinds.items():
            out.print(f"  irregular: {count} of {kind}")
    if found.stopped:
        fail(f"{found.stopped} What was recorded until there stands.")
    if found.refused:
        where = f"; see {refused}" if refused else "; --refused FILE keeps them with the reasons"
        fail(f"{found.refused} rows were refused{where}.")


@click.command()
@click.argument("dossier")
@as_json
def dossier(dossier: str, as_json: bool) -> None:  # noqa: FBT001  # a flag of the command line
    """Show the present state of a dossier, by id or code.

    Example: `hoso dossier H44.100-260302-0001`
    """
    found = carry_out(lambda: ledger.dossier(read_settings(), dossier))
    if as_json:
        print_json(found)
        return
    print_dossier(found)


def print_dossier(found: DossierState) -> None:
    odd = found.irregularities
    status = found.status
    known = BY_PORTAL_CODE[status] if status is not None else None
    label = f"{status} {SHOWN[known].label}" if known is not None else "chưa tiếp nhận"
    print_pairs({**asdict(found), "status": label, "irregularities": len(odd) or None})
    for each in odd:
        out.print(f"  [yellow]irregular[/] {each.kind}: {each.why}")


@click.command()
@click.argument("dossier")
@click.option("--as-of", type=Moment(), help="Only what happened until then.")
@click.option("--known-at", type=Moment(), help="Only what the ledger had been told by then.")
@as_json
def history(
    dossier: str,
    as_of: datetime | None,
    known_at: datetime | None,
    as_json: bool,  # noqa: FBT001
) -> None:
    """Tell the whole story of a dossier, in legal order.

    Times without an offset are Asia/Ho_Chi_Minh.

    Example: `hoso history H44.100-260302-0001 --known-at 2026-04-05`
    """
    told = carry_out(lambda: ledger.history(read_settings(), dossier, as_of, known_at))
    if as_json:
        print_json(told)
        return
    print_history(told)


def print_history(history: History) -> None:
    """Print a history for people: one event a paragraph, void ones crossed out."""
    for item in history.items:
        name = item.type.removeprefix(PREFIX)
        when = item.occurred_at.strftime("%d/%m/%Y %H:%M:%S %z")
        told = item.recorded_at.astimezone(VIETNAM).strftime("%d/%m/%Y %H:%M:%S")
        style = "strike dim" if item.voided_by else "bold"
        out.print(f"[cyan]{when}[/]  [{style}]{name}[/]  v{item.version} seq {item.seq}")
        who = ", ".join(filter(None, (item.actor, item.unit, item.source)))
        out.print(f"    {who}; told {told}", style="dim", markup=False)
        for key, value in item.data.items():
            if _says_something(value):
                out.print(f"    {key}: {_short(value)}", markup=False)
        if item.voided_by:
            out.print(f"    [red]void[/], by event {item.voided_by}")
    notes.print(f"{len(history.items)} events, position {history.position}", style="dim")


def _says_something(value: object) -> bool:
    return value not in (False, 0, [], {})


def _short(value: object) -> str:
    if isinstance(value, dict):
        said = {key: each for key, each in value.items() if _says_something(each)}
        return ", ".join(f"{key} {_short(each)}" for key, each in said.items())
    if isinstance(value, list):
        return "; ".join(map(_short, value))
    if isinstance(value, datetime):
        return value.strftime("%d/%m/%Y %H:%M %z")
    return str(value)

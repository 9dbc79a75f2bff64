"""`hoso explain`: why a dossier's dates are what they are, for people at a terminal."""

from datetime import datetime
from typing import Any, Final

import rich_click as click

from api.main import Process, Settings, opened, read_settings
from api.naming import rules_known
from api.operating.ledger import found_dossier
from api.showing.due_dates import due_date_body
from api.terminal.console import (
    Moment,
    as_json,
    carry_out,
    out,
    print_json,
    print_pairs,
    print_table,
)
from domain.dossier.explanation.explanation import explained as explained_date
from domain.dossier.explanation.explanation import standpoint

_DATES: Final = ("printed_due", "first_due", "due", "due_if_resumed_now", "clock_starts")
_SHOWN: Final = ("id", "code", "state", "awaits", *_DATES)
_COLUMNS: Final = ["duty", "by", "done", "state", "legal basis"]


async def explained(
    settings: Settings,
    text: str,
    at: datetime | None,
    as_of: datetime | None,
    known_at: datetime | None,
) -> dict[str, Any]:
    async with opened(settings, "explain") as process:
        return await explained_by(process, text, at, as_of, known_at)


async def explained_by(
    process: Process,
    text: str,
    at: datetime | None = None,
    as_of: datetime | None = None,
    known_at: datetime | None = None,
) -> dict[str, Any]:
    """Return what is answered over HTTP about a dossier, by id or code."""
    _, events, position = await found_dossier(process.services, text)
    known = await process.log.position_at(known_at) if known_at is not None else None
    services = process.services
    told = standpoint(
        events,
        await rules_known(services, known),
        at=at or as_of or services.now(),
        as_of=as_of,
        known_at=known,
    )
    return due_date_body(explained_date(told), position if known is None else min(known, position))


@click.command()
@click.argument("dossier")
@click.option("--at", type=Moment(), help="When the clock would resume and duties are judged.")
@click.option("--as-of", type=Moment(), help="Only what happened until then.")
@click.option("--known-at", type=Moment(), help="Only what the ledger had been told by then.")
@click.option("--lang", type=click.Choice(["vi", "en"]), default="vi", show_default=True)
@as_json
def explain(
    dossier: str,
    at: datetime | None,
    as_of: datetime | None,
    known_at: datetime | None,
    lang: str,
    as_json: bool,  # noqa: FBT001
) -> None:
    """Explain every date of a dossier, day by day, with the law and decisions behind it.

    Times without an offset are Asia/Ho_Chi_Minh.

    Example: `hoso explain H44.100-260302-0001 --lang en`
    """
    body: dict[str, Any] = carry_out(
        lambda: explained(read_settings(), dossier, at, as_of, known_at)
    )
    if as_json:
        print_json(body)
        return
    print_explanation(body, lang)


def print_explanation(body: dict[str, Any], lang: str) -> None:
    """Print the dates, the account of the days, the steps and the duties."""
    print_pairs({name: body[name] for name in _SHOWN})
    for line in body["text"][lang]:
        out.print(f"  {line}", markup=False)
    if body["steps"]:
        steps = [[each["name"], each["role"], each["hours"], each["by"]] for each in body["steps"]]
        print_table("Steps", ["step", "role", "hours", "by"], steps)
    if body["duties"]:
        rows = [
            [each["text"][lang], each["by"], each["met_at"], each["state"], each["legal_basis"]]
            for each in body["duties"]
        ]
        print_table("Duties", _COLUMNS, rows)

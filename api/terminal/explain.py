"""`hoso explain`: why a dossier's dates are what they are, for people at a terminal."""

from datetime import datetime
from typing import Final

import rich_click as click
from msgspec.structs import asdict

from api.main import Process, Settings, opened, read_settings
from api.naming import rules_known
from api.operating.ledger import found_dossier
from api.showing.due_dates import DueDate
from api.showing.due_parts import DueDuty
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
from domain.words import LANGUAGES, Language

_DATES: Final = ("printed_due", "first_due", "due", "due_if_resumed_now", "clock_starts")
_SHOWN: Final = ("id", "code", "state", "awaits", *_DATES)
_COLUMNS: Final = ["duty", "by", "done", "state", "legal basis"]


async def explained(
    settings: Settings,
    text: str,
    at: datetime | None,
    as_of: datetime | None,
    known_at: datetime | None,
) -> DueDate:
    async with opened(settings, "explain") as process:
        return await explained_by(process, text, at, as_of, known_at)


async def explained_by(
    process: Process,
    text: str,
    at: datetime | None = None,
    as_of: datetime | None = None,
    known_at: datetime | None = None,
) -> DueDate:
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
    shown = position if known is None else min(known, position)
    return DueDate.of(explained_date(told), shown)


@click.command()
@click.argument("dossier")
@click.option("--at", type=Moment(), help="When the clock would resume and duties are judged.")
@click.option("--as-of", type=Moment(), help="Only what happened until then.")
@click.option("--known-at", type=Moment(), help="Only what the ledger had been told by then.")
@click.option("--lang", type=click.Choice(LANGUAGES), default="vi", show_default=True)
@as_json
def explain(
    dossier: str,
    at: datetime | None,
    as_of: datetime | None,
    known_at: datetime | None,
    lang: Language,
    as_json: bool,  # noqa: FBT001
) -> None:
    """Explain every date of a dossier, day by day, with the law and decisions behind it.

    Times without an offset are Asia/Ho_Chi_Minh.

    Example: `hoso explain H44.100-260302-0001 --lang en`
    """
    found = carry_out(lambda: explained(read_settings(), dossier, at, as_of, known_at))
    if as_json:
        print_json(found)
        return
    print_explanation(found, lang)


def print_explanation(found: DueDate, lang: Language) -> None:
    """Print the dates, the account of the days, the steps and the duties."""
    said = asdict(found)
    print_pairs({name: said[name] for name in _SHOWN})
    for line in found.text.vi if lang == "vi" else found.text.en:
        out.print(f"  {line}", markup=False)
    if found.steps:
        steps = [[each.name, each.role, each.hours, each.by] for each in found.steps]
        print_table("Steps", ["step", "role", "hours", "by"], steps)
    if found.duties:
        rows = [
            [_text(each, lang), each.by, each.met_at, each.state, each.legal_basis]
            for each in found.duties
        ]
        print_table("Duties", _COLUMNS, rows)


def _text(duty: DueDuty, lang: Language) -> str:
    return duty.text.vi if lang == "vi" else duty.text.en

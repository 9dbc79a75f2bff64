"""`hoso token`, `hoso catalogue`, `hoso subject`: what an administrator of the machine does."""

import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import rich_click as click

from api.main import read_settings
from api.operating import catalogue_diff, subjects, tokens
from api.operating.catalogue import catalogue as catalogue_shown
from api.operating.catalogue import load_catalogue as catalogue_loaded
from api.terminal.console import Age, Moment, as_json, carry_out, out, print_json, print_table
from domain.rules.tokens import Role

ROLES = click.Choice([role.value for role in Role])


@click.group()
def token() -> None:
    """Give out and take back the tokens by which systems and people are known.

    Only a token's hash is kept; each grant is an event of the ledger.
    """


@token.command("create")
@click.option("--role", required=True, type=ROLES, help="What it may do.")
@click.option("--unit", required=True, help="It acts for this unit and all below it.")
@click.option("--expires", type=Age(), default="90d", show_default=True, help="12h, 30d, 1y.")
@click.option("--source", help="The CloudEvents source that only this system may use.")
@click.option("--replaces", type=click.UUID, help="The id of the token whose keys it takes over.")
def create_token(
    role: str, unit: str, expires: timedelta, source: str | None, replaces: UUID | None
) -> None:
    """Print a new token, and nothing else. It is shown this once.

    A system that gets a new token for an old one repeats safely what it sent under the old one.

    Example: `hoso token create --role source --unit H44.100 --source urn:igate:h44 --expires 30d`
    """
    settings, may = read_settings(), Role(role)
    click.echo(carry_out(lambda: tokens.grant(settings, may, unit, expires, source, replaces)))


@token.command("list")
@as_json
def list_tokens(as_json: bool) -> None:  # noqa: FBT001  # a flag of the command line
    """List who holds a token, until when."""
    rows: list[dict[str, Any]] = carry_out(lambda: tokens.grants(read_settings()))
    if as_json:
        print_json(rows)
        return
    names = ["id", "role", "unit", "source", "expires_at", "state"]
    print_table("Tokens", names, [[row[name] for name in names] for row in rows])


@token.command("revoke")
@click.argument("token_id", type=click.UUID)
@as_json
def revoke_token(token_id: UUID, as_json: bool) -> None:  # noqa: FBT001  # a flag of the command line
    """Revoke a token by its id; it is refused within a second.

    Example: `hoso token revoke 6f0c…`
    """
    carry_out(lambda: tokens.revoke(read_settings(), token_id))
    if as_json:
        print_json({"revoked": token_id})
    else:
        out.print(f"revoked {token_id}")


@click.group()
def catalogue() -> None:
    """Load, show and compare units, procedures, calendars, policies and source systems."""


@catalogue.command("load")
@click.argument("file", type=click.Path(path_type=Path))
@as_json
def load_catalogue(file: Path, as_json: bool) -> None:  # noqa: FBT001  # a flag of the command line
    """Register what a TOML or JSON file, or the shipped one of that name, holds: all or nothing.

    The same again changes nothing.

    Tables: `[[units]]`, `[[procedures]]`, `[[calendars]]`, `[[policies]]`, `[[sources]]`,
    `[[ended_units]]`, with the fields that `hoso schema unit.registered` and the like show.

    Examples: `hoso catalogue load commune`, `hoso catalogue load ours.toml`
    """
    body: dict[str, int] = carry_out(lambda: catalogue_loaded(read_settings(), file))
    if as_json:
        print_json(body)
    else:
        out.print(f"{body['recorded']} recorded, {body['unchanged']} were known")


@catalogue.command("show")
@click.option("--at", "at", type=Moment(), help="As in force then; without offset: Vietnam's time.")
@click.option("--known-at", "known_at", type=Moment(), help="As the ledger knew it then.")
@as_json
def show_catalogue(at: datetime | None, known_at: datetime | None, as_json: bool) -> None:  # noqa: FBT001  # a flag of the command line
    """Show the catalogue as it is in force at a time, by what is known now or was known then.

    With `--at`, decisions and policies that were issued later are left out.

    Example: `hoso catalogue show --at 2026-03-02`
    """
    body: dict[str, Any] = carry_out(lambda: catalogue_shown(read_settings(), at, known_at))
    if as_json:
        print_json(body)
        return
    units = [[u["code"], u["name"], u["parent"], u["ended_at"]] for u in body["units"]]
    print_table("Units", ["code", "name", "parent", "ended"], units)
    procedures = [
        [p["code"], p["version"], p["name"], p["field"], p["valid_from"]]
        for p in body["procedures"]
    ]
    print_table("Procedures", ["code", "version", "name", "field", "valid from"], procedures)
    decisions = [
        [f"{c['id']}\n{c['state']}", c["issued"], c.get("unit"), c["title"]]
        for c in body["calendars"]
    ]
    print_table("Calendar decisions", ["decision", "issued", "unit", "title"], decisions)
    policies = [
        [p["policy"], p["version"], p["issued"], p["sessions"], p["cutoff"], _limits(p)]
        for p in body["policies"]
    ]
    columns = ["policy", "version", "issued", "office hours", "cut-off", "limits"]
    print_table("Office policies", columns, policies)
    sources = [[s["name"], s["unit"], s["title"]] for s in body["sources"]]
    print_table("Sources", ["name", "unit", "title"], sources)


_LIMITS: Final = {
    "intake_hours": "intake",
    "supplement_notice_days": "ask for a supplement",
    "supplement_answer_days": "answer it",
    "transfer_answer_hours": "answer a transfer",
    "due_soon_hours": "due soon",
}


def _limits(policy: dict[str, Any]) -> str:
    return "\n".join(
        f"{words}: {policy[name]} working {name.rpartition('_')[2]}"
        for name, words in _LIMITS.items()
        if name in policy
    )


@catalogue.command("diff")
@click.argument("code")
@click.option("--from", "was", type=click.IntRange(0), help="The earlier version.")
@click.option("--to", "now", type=click.IntRange(0), help="The later version.")
@as_json
def diff_catalogue(code: str, was: int | None, now: int | None, as_json: bool) -> None:  # noqa: FBT001  # a flag of the command line
    """Show what a version of a procedure took away, added and changed; by default the newest.

    Dossiers keep the version that they were accepted under: how many open ones do is said.

    Example: `hoso catalogue diff 1.003554 --from 1 --to 2`
    """
    found = carry_out(lambda: catalogue_diff.compared(read_settings(), code, was, now))
    if as_json:
        print_json(found)
        return
    rows = [[each.kind, each.field, each.was, each.now] for each in found.changes]
    earlier, later = f"version {found.earlier}", f"version {found.later}"
    title = f"{found.procedure}: {earlier} → {found.later}"
    if rows:
        print_table(title, ["", "field", earlier, later], rows)
    else:
        out.print(f"{title}: nothing differs")
    out.print(f"{found.dossiers_on_old_version} open dossiers keep {earlier} to their end")


@click.group()
def subject() -> None:
    """List and erase the persons that dossiers name."""


@subject.command("list")
@click.argument("dossier")
@as_json
def list_subjects(dossier: str, as_json: bool) -> None:  # noqa: FBT001  # a flag of the command line
    """List the subjects that a dossier names, by role.

    Example: `hoso subject list H44.100-260302-0001`
    """
    rows: list[dict[str, Any]] = carry_out(lambda: subjects.subjects(read_settings(), dossier))
    if as_json:
        print_json(rows)
        return
    columns = ["role", "subject", "erased"]
    print_table("Subjects", columns, [[row[name] for name in columns] for row in rows])


@subject.command("erase")
@click.argument("subject_id", metavar="[SUBJECT]", type=click.UUID, required=False)
@click.option("--id-number", help="Find the person by identity number; - reads it from the input.")
@click.option("--ground", required=True, help="On which ground in law; it is recorded.")
@as_json
def erase_subject(
    subject_id: UUID | None,
    id_number: str | None,
    ground: str,
    as_json: bool,  # noqa: FBT001
) -> None:
    """Destroy a person's keys: nobody will read its values again, and every proof still holds.

    Example: `echo 012345678901 | hoso subject erase --id-number - --ground "Luật 91/2025, Điều 14"`
    """
    if (subject_id is None) == (id_number is None):
        raise click.UsageError("Give a SUBJECT or --id-number.")
    number = sys.stdin.readline().strip() if id_number == "-" else id_number
    body = carry_out(lambda: subjects.erase(read_settings(), subject_id, number, ground))
    if as_json:
        print_json(body)
    else:
        out.print(f"erased {len(body['subjects'])} subject(s), {body['keys']} key(s) destroyed")

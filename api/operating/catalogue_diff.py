"""What `hoso catalogue diff` does: compares two versions of a procedure. No token is asked."""

from msgspec import Struct

from api.main import Settings, opened
from domain.envelope import ProcedureCode
from domain.errors import InvalidRequest, NotFound
from domain.rules.catalogue_diff import Kind, differences
from domain.rules.procedures import ProcedurePublished
from domain.rules.rule_book import RuleBook


class FieldChange(Struct, rename={"now": "is"}):
    """A field that a later version of a procedure took away, added or changed."""

    field: str
    was: str | None
    now: str | None
    kind: Kind


class Compared(Struct, rename={"earlier": "from", "later": "to"}):
    """What a later version changed, and how many open dossiers keep the earlier one."""

    procedure: str
    earlier: int
    later: int
    changes: list[FieldChange]
    dossiers_on_old_version: int


async def compared(settings: Settings, code: str, was: int | None, now: int | None) -> Compared:
    """Return what the later version changed, and how many open dossiers keep the earlier one."""
    async with opened(settings, "catalogue") as process:
        earlier, later = chosen(process.services.store.rules, code, was, now)
        await process.services.runner.catch_up()
        changes = [
            FieldChange(each.field, each.was, each.now, each.kind)
            for each in differences(earlier, later)
        ]
        kept = await process.services.overview.open_on(earlier.code, earlier.version)
        return Compared(code, earlier.version, later.version, changes, kept)


def chosen(
    rules: RuleBook, code: str, was: int | None, now: int | None
) -> tuple[ProcedurePublished, ProcedurePublished]:
    """Return the versions to compare: where one is not stated, the newest, or the one before.

    Raises NotFound, and InvalidRequest where there is nothing to compare with.
    """
    entry = rules.procedures.get(ProcedureCode(code))
    if entry is None:
        raise NotFound(f"procedure {code} in the catalogue")
    versions = {each.version: each for each in sorted(entry.versions, key=lambda v: v.version)}
    for stated in (was, now):
        if stated is not None and stated not in versions:
            known = ", ".join(map(str, versions))
            raise NotFound(f"version {stated} of {code}; there is {known}")
    later = max(versions) if now is None else now
    before = [version for version in versions if version < later]
    if was is None and not before:
        raise InvalidRequest(f"There is no version of {code} before {later} to compare with.")
    return versions[before[-1] if was is None else was], versions[later]

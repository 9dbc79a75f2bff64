"""What `hoso catalogue diff` does: compares two versions of a procedure. No token is asked."""

from typing import Any

from api.main import Process, Settings, opened
from domain.envelope import ProcedureCode
from domain.errors import InvalidRequest, NotFound
from domain.rules.catalogue_diff import differences
from domain.rules.procedures import ProcedurePublished
from domain.rules.rule_book import RuleBook

_OPEN = """
SELECT count(*) FROM views.dossier_overview
WHERE procedure = $1 AND procedure_version = $2
  AND accepted_at IS NOT NULL AND finished_at IS NULL
"""


async def compared(
    settings: Settings, code: str, was: int | None, now: int | None
) -> dict[str, Any]:
    """Return what the later version changed, and how many open dossiers keep the earlier one."""
    async with opened(settings, "catalogue") as process:
        earlier, later = chosen(process.services.store.rules, code, was, now)
        return {
            "procedure": code,
            "from": earlier.version,
            "to": later.version,
            "changes": [
                {"field": each.field, "was": each.was, "is": each.now, "kind": each.kind}
                for each in differences(earlier, later)
            ],
            "dossiers_on_old_version": await _open_on(process, earlier),
        }


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


async def _open_on(process: Process, version: ProcedurePublished) -> int:
    await process.services.runner.catch_up()
    return int(await process.pool.fetchval(_OPEN, version.code, version.version))

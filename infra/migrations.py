"""Forward migrations of what is not rebuildable. Run by the owner of the database, alone."""

from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files

import asyncpg

from domain.ledger.locks import Lock
from infra.database import SERVICE_ROLE, NotMigrated


@dataclass(frozen=True, slots=True)
class Migration:
    version: int
    name: str
    sql: str

    @property
    def digest(self) -> str:
        return sha256(self.sql.encode()).hexdigest()


def migrations() -> list[Migration]:
    """Return every migration that this program knows, in their order."""
    found = [
        Migration(int(file.name[:4]), file.name.removesuffix(".sql"), file.read_text("utf-8"))
        for file in (files("infra") / "sql").iterdir()
        if file.name.endswith(".sql")
    ]
    return sorted(found, key=lambda each: each.version)


async def migrate(url: str) -> list[str]:
    """Apply what is missing and return its names. Raises NotMigrated if history differs."""
    connection = await asyncpg.connect(url, timeout=30)
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", Lock.MIGRATE)
        await connection.execute(
            "CREATE TABLE IF NOT EXISTS public.hoso_migration (version int PRIMARY KEY,"
            " name text NOT NULL, digest text NOT NULL, applied_at timestamptz DEFAULT now());"
            "GRANT SELECT ON public.hoso_migration TO PUBLIC"
        )
        applied = await _applied(connection)
        done: list[str] = []
        for each in migrations():
            if each.version in applied:
                _same(each, applied[each.version])
                continue
            async with connection.transaction():
                await connection.execute(each.sql)
                await connection.execute(
                    "INSERT INTO public.hoso_migration (version, name, digest) VALUES ($1, $2, $3)",
                    each.version,
                    each.name,
                    each.digest,
                )
            done.append(each.name)
        return done
    finally:
        await connection.close()


async def migrate_as_owner(url: str) -> list[str]:
    """Apply what is missing on a server that is not our own. Raises NotMigrated for others."""
    try:
        return await migrate(url)
    except asyncpg.InsufficientPrivilegeError as error:
        raise NotMigrated(_not_owner(error)) from error


def _not_owner(error: asyncpg.InsufficientPrivilegeError) -> str:
    if SERVICE_ROLE not in str(error):
        return f"{error}: hoso migrate runs as the owner of the database, who may create roles."
    return (
        f"The role {SERVICE_ROLE} exists already, and this login may not grant it. As a superuser: "
        f"GRANT {SERVICE_ROLE} TO <login> WITH ADMIN OPTION; then run hoso migrate again."
    )


async def refuse_unmigrated(connection: asyncpg.Connection) -> None:
    """Raise NotMigrated unless the schema is exactly the one that this program was made for."""
    if await connection.fetchval("SELECT to_regclass('public.hoso_migration')") is None:
        raise NotMigrated("The database holds no ledger yet: run hoso migrate.")
    applied = await _applied(connection)
    for each in migrations():
        if each.version not in applied:
            raise NotMigrated(f"The database lacks migration {each.name}: run hoso migrate.")
        _same(each, applied[each.version])
    newer = applied.keys() - {each.version for each in migrations()}
    if newer:
        raise NotMigrated("The database was migrated by a newer hoso. Use that one.")


async def _applied(connection: asyncpg.Connection) -> dict[int, str]:
    rows = await connection.fetch("SELECT version, digest FROM public.hoso_migration")
    return {row["version"]: row["digest"] for row in rows}


def _same(migration: Migration, digest: str) -> None:
    if migration.digest != digest:
        raise NotMigrated(f"Migration {migration.name} was edited after it was applied.")

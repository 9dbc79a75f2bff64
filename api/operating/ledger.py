"""What the command line reads and rebuilds: with the whole database open, no token asked."""

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from api.main import VIEWS, Process, Settings, now, opened
from api.naming import dossier_ref, stream_named
from api.services import Services
from api.showing.dossiers import dossier_body, history_body
from domain.dossier.evolve import replay
from domain.dossier.history import History
from domain.dossier.state import Dossier
from domain.errors import NotFound
from domain.ledger.access import Sender
from domain.rules.tokens import Role
from projections import dossier_overview
from projections.rebuild import rebuild
from streams.errors import FileRefused
from streams.importing.importing import ImportReport, ImportStopped, Into, import_file
from streams.importing.mapping import SHIPPED, load_mapping
from streams.importing.refusals import RefusedFile


async def status(settings: Settings) -> dict[str, Any]:
    """Return position, processes and how far each read model is."""
    async with opened(settings, "status") as process:
        return await status_of(process)


async def status_of(process: Process) -> dict[str, Any]:
    position = await process.log.head()
    views = []
    for each in await process.services.runner.progress():
        behind = await process.log.recorded_at(each.position + 1)
        lag = (now() - behind).total_seconds() if behind is not None else 0.0
        views.append(
            {
                "name": each.name,
                "position": each.position,
                "lag_events": max(0, position - each.position),
                "lag_seconds": round(max(0.0, lag), 3),
            }
        )
    names = await process.pool.fetch(
        "SELECT DISTINCT application_name AS name FROM pg_stat_activity"
        " WHERE application_name LIKE 'hoso %' AND datname = current_database()"
    )
    words = sorted(row["name"].split() for row in names)
    return {
        "position": position,
        "database_url": _without_password(process.database.url),
        "processes": [{"role": role, "pid": int(pid)} for _, role, pid in words],
        "views": views,
    }


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    name, _, host = parts.netloc.rpartition("@")
    user = name.partition(":")[0]
    hidden = [
        pair
        for pair in parts.query.split("&")
        if not pair.lower().startswith(("password=", "sslpassword="))
    ]
    netloc = f"{user}@{host}" if user else host
    return urlunsplit(parts._replace(netloc=netloc, query="&".join(hidden)))


async def found_dossier(services: Services, text: str) -> tuple[Dossier, History, int]:
    """Return a dossier by id or code with its events and the position, or raise NotFound."""
    stream = await stream_named(services, dossier_ref(text))
    reading = await services.store.read(stream=stream)
    if not reading.events:
        raise NotFound("such dossier")
    return replay(stream, reading.events, services.store.rules), reading.events, reading.position


async def dossier(settings: Settings, text: str) -> dict[str, Any]:
    async with opened(settings, "dossier") as process:
        found, _, position = await found_dossier(process.services, text)
        return dossier_body(found, position)


async def history(
    settings: Settings, text: str, as_of: datetime | None, known_at: datetime | None
) -> dict[str, Any]:
    async with opened(settings, "history") as process:
        return await history_of(process, text, as_of, known_at)


async def history_of(
    process: Process, text: str, as_of: datetime | None = None, known_at: datetime | None = None
) -> dict[str, Any]:
    _, events, position = await found_dossier(process.services, text)
    known = await process.log.position_at(known_at) if known_at is not None else None
    items = await history_body(process.services, list(events), as_of, known, clear=True)
    return {"position": position if known is None else known, "items": items}


async def rebuilt(
    settings: Settings, view: str, *, switch: bool, advance: Callable[[int], None]
) -> dict[str, Any]:
    """Build a read model again beside the one in use; switch to it unless only comparing."""
    models = {model.NAME: model for model in VIEWS}
    if view not in models:
        raise NotFound(f"read model {view}; there is {', '.join(models)}")
    async with opened(settings, "rebuild") as process:
        done = await rebuild(
            process.pool, process.log, models[view], switch=switch, progress=advance
        )
    return {"view": done.view, "rows": done.rows, "rows_different": done.rows_different}


async def imported(
    settings: Settings,
    path: Path,
    mapping: Path | None,
    refused: Path | None,
    advance: Callable[[int], None],
) -> dict[str, Any]:
    """Record the facts of a file, bring the read models up, and say what is irregular.

    `stopped` says why the file was not read to its end; then nobody has counted what is irregular.
    """
    async with opened(settings, "import") as process:
        try:
            body = await import_into(process, path, mapping, refused, advance)
        except ImportStopped as stopped:
            if not stopped.report.read:
                raise
            return {**_counted(stopped.report), "stopped": str(stopped)}
    return {**body, "stopped": None}


async def import_into(
    process: Process,
    path: Path,
    mapping: Path | None,
    refused: Path | None,
    advance: Callable[[int], None],
) -> dict[str, Any]:
    services = process.services
    await services.store.read()
    into = Into(
        store=services.store,
        ledger=services.ledger,
        registers=services.registers,
        sender=Sender.machine("machine", Role.SOURCE, services.store.rules),
        digest=services.digest,
    )

    async def irregular(dossiers: AbstractSet[bytes]) -> dict[str, int]:
        await services.runner.catch_up()
        return await dossier_overview.irregular_kinds(services.pool, dossiers)

    with ExitStack() as stack:
        report = await import_file(
            path,
            load_mapping(shipped(mapping, SHIPPED, "mapping")) if mapping is not None else None,
            into,
            refused=stack.enter_context(RefusedFile(refused)) if refused is not None else None,
            progress=lambda done, _total, _rows: advance(done),
            irregularities=irregular,
        )
    kinds = report.irregular
    return {
        **_counted(report),
        "irregular": sum(kinds.values()),
        "irregular_kinds": dict(kinds),
    }


def _counted(report: ImportReport) -> dict[str, Any]:
    return {
        "read": report.read,
        "recorded": report.recorded,
        "duplicate": report.duplicate,
        "refused": report.refused,
        "dossiers": report.dossiers,
        "position": report.position,
    }


def shipped(named: Path, folder: Path, what: str) -> Path:
    """Return a file, or the one of that name that comes with hoso; raise FileRefused."""
    if named.is_file():
        return named
    found = {file.stem: file for file in sorted(folder.glob("*.toml"))}
    if str(named) not in found:
        raise FileRefused(
            f"There is no {what} {named}: it is neither a file nor one that comes with hoso "
            f"({', '.join(found)})."
        )
    return found[str(named)]

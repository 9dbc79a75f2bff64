"""What the command line reads and rebuilds: with the whole database open, no token asked."""

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

from msgspec import UNSET, Struct, UnsetType

from api import main
from api.collector import collect_seldom
from api.main import Process, Settings, now, opened
from api.naming import asked_about, dossier_ref
from api.services import Services
from api.showing.dossiers import DossierState, History, history_items
from domain.dossier import history as told
from domain.dossier.state import Dossier
from domain.errors import NotFound
from domain.ledger.access import Sender
from domain.rules.tokens import Role
from streams.errors import FileRefused
from streams.importing.importing import ImportReport, ImportStopped, Into, import_file
from streams.importing.mapping import SHIPPED, load_mapping
from streams.importing.refusals import RefusedFile

Progress = Callable[[int, int], None]


class RunningProcess(Struct):
    role: str
    pid: int


class ViewStatus(Struct):
    """How far a read model is."""

    name: str
    position: int
    lag_events: int
    lag_seconds: float
    halted: str | UnsetType = UNSET


class Status(Struct):
    """The ledger and who works on it."""

    position: int
    database_url: str
    processes: list[RunningProcess]
    views: list[ViewStatus]


async def status(settings: Settings) -> Status:
    """Return position, processes and how far each read model is."""
    async with opened(settings, "status") as process:
        return await status_of(process)


async def status_of(process: Process) -> Status:
    position = await process.log.head()
    views = []
    for each in await process.services.views.progress():
        behind = await process.log.recorded_at(each.position + 1)
        lag = (now() - behind).total_seconds() if behind is not None else 0.0
        lag_events = max(0, position - each.position)
        halted = each.halted if each.halted is not None else UNSET
        lag = round(max(0.0, lag), 3)
        views.append(ViewStatus(each.name, each.position, lag_events, lag, halted))
    words = sorted(name.split() for name in await process.database.applications("hoso "))
    return Status(
        position=position,
        database_url=_without_password(process.database.url),
        processes=[RunningProcess(role, int(pid)) for _, role, pid in words],
        views=views,
    )


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


async def found_dossier(services: Services, text: str) -> tuple[Dossier, told.History, int]:
    """Return a dossier by id or code with its events and the position, or raise NotFound."""
    reading = await services.store.read(asked_about(dossier_ref(text)))
    if reading.stream is None or not reading.events:
        raise NotFound("such dossier")
    found = reading.dossier.state(reading.stream, services.store.rules)
    return found, reading.events, reading.position


async def dossier(settings: Settings, text: str) -> DossierState:
    async with opened(settings, "dossier") as process:
        found, _, position = await found_dossier(process.services, text)
        return DossierState.of(found, position)


async def history(
    settings: Settings, text: str, as_of: datetime | None, known_at: datetime | None
) -> History:
    async with opened(settings, "history") as process:
        return await history_of(process, text, as_of, known_at)


async def history_of(
    process: Process, text: str, as_of: datetime | None = None, known_at: datetime | None = None
) -> History:
    _, events, position = await found_dossier(process.services, text)
    known = await process.log.position_at(known_at) if known_at is not None else None
    items = await history_items(process.services, events, as_of, known, clear=True)
    return History(position if known is None else known, items)


class Difference(Struct):
    """What an audit found not to be as it was recorded."""

    seq: int | None
    stream: UUID | None
    what: str


class Audited(Struct):
    """What an audit looked at, and what differs."""

    events: int
    streams: int
    ok: bool
    differences: list[Difference]


async def audited(settings: Settings, workers: int | None, progress: Progress | None) -> Audited:
    """Recompute everything from the rows; see infra.audit."""
    found = await main.audited(settings, workers, progress)
    differences = [Difference(each.seq, each.stream, each.what) for each in found.differences]
    return Audited(found.events, found.streams, found.ok, differences)


class RebuiltView(Struct):
    """A read model that was built again."""

    view: str
    rows: int
    rows_different: int


async def rebuilt(
    settings: Settings, view: str | None, *, switch: bool, advance: Progress
) -> list[RebuiltView]:
    """Build one read model again, or all; switch to what was built unless only comparing."""
    async with opened(settings, "rebuild") as process:
        names = process.builder.names
        if view is not None and view not in names:
            raise NotFound(f"read model {view}; there is {', '.join(names)}")
        wanted = names if view is None else [view]
        done = await process.builder.rebuild(wanted, switch=switch, progress=advance)
    return [RebuiltView(each.view, each.rows, each.rows_different) for each in done]


class Imported(Struct, kw_only=True):
    """What became of a file. Where it was not read to its end, `stopped` says why.

    Then nobody has counted what is irregular.
    """

    read: int
    recorded: int
    duplicate: int
    refused: int
    dossiers: int
    position: int
    irregular: int | UnsetType = UNSET
    irregular_kinds: dict[str, int] | UnsetType = UNSET
    stopped: str | None

    @classmethod
    def of(
        cls,
        report: ImportReport,
        kinds: dict[str, int] | UnsetType = UNSET,
        stopped: str | None = None,
    ) -> Self:
        return cls(
            read=report.read,
            recorded=report.recorded,
            duplicate=report.duplicate,
            refused=report.refused,
            dossiers=report.dossiers,
            position=report.position,
            irregular=sum(kinds.values()) if kinds is not UNSET else UNSET,
            irregular_kinds=kinds,
            stopped=stopped,
        )


async def imported(
    settings: Settings,
    path: Path,
    mapping: Path | None,
    refused: Path | None,
    advance: Callable[[int], None],
) -> Imported:
    """Record the facts of a file, bring the read models up, and say what is irregular."""
    async with opened(settings, "import") as process:
        collect_seldom()
        try:
            return await import_into(process, path, mapping, refused, advance)
        except ImportStopped as stopped:
            if not stopped.report.read:
                raise
            return Imported.of(stopped.report, stopped=str(stopped))


async def import_into(
    process: Process,
    path: Path,
    mapping: Path | None,
    refused: Path | None,
    advance: Callable[[int], None],
) -> Imported:
    services = process.services
    await services.store.read()
    rules = services.store.rules
    into = Into(
        store=services.store,
        ledger=services.ledger,
        registers=services.registers,
        sender=Sender.machine("machine", Role.SOURCE, rules),
        keeper=Sender.machine("machine", Role.ADMINISTRATOR, rules),
        digest=services.digest,
    )

    async def irregular(dossiers: AbstractSet[bytes]) -> dict[str, int]:
        await services.runner.catch_up()
        return await services.overview.irregular_kinds(dossiers)

    with ExitStack() as stack:
        report = await import_file(
            path,
            load_mapping(shipped(mapping, SHIPPED, "mapping")) if mapping is not None else None,
            into,
            refused=stack.enter_context(RefusedFile(refused)) if refused is not None else None,
            progress=lambda done, _total, _rows: advance(done),
            irregularities=irregular,
        )
    return Imported.of(report, dict(report.irregular))


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

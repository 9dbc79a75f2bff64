"""The application as tests ask it, with a small province and a token for everybody in it.

H44 stands above two communes. H44.100 has the desk .01, the agency .02, and .09, which ended and
was succeeded by .02; H44.200 has the desk .01.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, cast
from uuid import UUID, uuid4

import orjson
from httpx import ASGITransport, AsyncClient, Response

from api.http.app import Application
from api.http.counting import Counts
from api.main import Process, opened
from domain.ledger.registering import Keeper
from domain.rules.register import RegisterEvent
from infra.sealing import MasterKey
from infra.settings import Settings
from streams.wire.cloudevents import PREFIX
from streams.wire.inputs import event_from

PROVINCE: Final = "H44"
COMMUNE: Final = "H44.100"
DESK: Final = "H44.100.01"
AGENCY: Final = "H44.100.02"
ENDED: Final = "H44.100.09"
FOREIGN: Final = "H44.200"
FOREIGN_DESK: Final = "H44.200.01"
PROCEDURE: Final = "1.004193"
BIRTH: Final = "1.001193"
HOURS: Final = "1.009999"
SOURCE: Final = "igate.example"
FACTS: Final = "application/cloudevents+json"
BATCH: Final = "application/cloudevents-batch+json"

TOKENS: Final[Mapping[str, tuple[str, str]]] = {
    "desk": ("desk", DESK),
    "agency": ("agency", AGENCY),
    "commune": ("desk", COMMUNE),
    "province": ("desk", PROVINCE),
    "foreign": ("desk", FOREIGN),
    "source": ("source", COMMUNE),
    "own-source": ("source", COMMUNE),
    "reporter": ("reporter", COMMUNE),
    "inspector": ("inspector", COMMUNE),
    "administrator": ("administrator", COMMUNE),
    "keeper": ("administrator", PROVINCE),
    "expired": ("desk", DESK),
    "revoked": ("desk", DESK),
}
"""Whose token it is: its role and its unit."""

_UNITS: Final = (
    {"code": PROVINCE, "name": "Tỉnh Hưng Yên"},
    {"code": COMMUNE, "name": "Xã Đông Hưng", "parent": PROVINCE},
    {"code": DESK, "name": "Trung tâm Phục vụ hành chính công Đông Hưng", "parent": COMMUNE},
    {"code": AGENCY, "name": "Phòng Tư pháp Đông Hưng", "parent": COMMUNE},
    {"code": ENDED, "name": "Phòng Hộ tịch cũ", "parent": COMMUNE},
    {"code": FOREIGN, "name": "Xã Thái Thụy", "parent": PROVINCE},
    {"code": FOREIGN_DESK, "name": "Bộ phận một cửa Thái Thụy", "parent": FOREIGN},
)
_PROCEDURES: Final = (
    (PROCEDURE, "Cấp bản sao trích lục hộ tịch", {"amount": 3, "unit": "working_day"}),
    (BIRTH, "Đăng ký khai sinh", {"amount": 1, "unit": "working_day"}),
    (HOURS, "Xác nhận khẩn cấp", {"amount": 24, "unit": "elapsed_hour"}),
)


_LATER_YEARS: Final = {
    "id": "later-years",
    "issued": "2026-01-05",
    "off": [f"{year}-01-01" for year in range(2027, 2036)],
}


def moment(**before: float) -> str:
    """Return a time so long ago, as senders write it."""
    return (datetime.now(UTC) - timedelta(**before)).isoformat()


def acceptance(**changes: object) -> dict[str, Any]:
    """Return what an acceptance says, without what is None."""
    said: dict[str, object] = {
        "procedure": PROCEDURE,
        "channel": "direct",
        "receiving_unit": DESK,
        "competent_unit": AGENCY,
        **changes,
    }
    return {name: value for name, value in said.items() if value is not None}


def event(
    topic: str, data: object = None, *, subject: str | None = None, **attributes: object
) -> dict[str, Any]:
    """Return a CloudEvent; every attribute may be given, None leaves it out."""
    said: dict[str, object] = {
        "specversion": "1.0",
        "id": uuid4().hex,
        "source": SOURCE,
        "type": PREFIX + topic,
        "time": moment(hours=1),
        "subject": subject or str(uuid4()),
        "data": {} if data is None else data,
        **attributes,
    }
    return {name: value for name, value in said.items() if value is not None}


def code_of(response: Response) -> str:
    """Return the code of a problem, which must be one in form too."""
    assert response.headers["content-type"] == "application/problem+json", response.text
    body = response.json()
    assert body["status"] == response.status_code
    assert body["type"] == f"urn:hoso:problem:{body['code']}"
    return cast("str", body["code"])


@dataclass
class Service:
    """The application with its ledger. `who` names a token of TOKENS, or nobody."""

    process: Process
    app: Application
    client: AsyncClient
    tokens: dict[str, str] = field(default_factory=dict)
    token_ids: dict[str, UUID] = field(default_factory=dict)

    async def position(self) -> int:
        return await self.process.log.head()

    async def ask(
        self,
        method: str,
        path: str,
        *,
        who: str | None = "desk",
        headers: Mapping[str, str] | None = None,
        **more: Any,  # noqa: ANN401  # what httpx takes
    ) -> Response:
        sent = dict(headers or {})
        if who is not None:
            sent["Authorization"] = f"Bearer {self.tokens.get(who, who)}"
        return await self.client.request(method, path, headers=sent, **more)

    async def get(self, path: str, *, who: str | None = "desk", **params: str) -> Response:
        return await self.ask("GET", path, who=who, params=params)

    async def post(
        self, path: str, body: object, *, who: str | None = "desk", media: str = FACTS
    ) -> Response:
        content = body if isinstance(body, bytes) else orjson.dumps(body)
        return await self.ask(
            "POST", path, who=who, content=content, headers={"Content-Type": media}
        )

    async def fact(
        self,
        topic: str,
        data: object = None,
        *,
        who: str | None = "source",
        subject: str | None = None,
        **attributes: object,
    ) -> Response:
        sent = event(topic, data, subject=subject, **attributes)
        return await self.post("/v1/events", sent, who=who)

    async def recorded(self, topic: str, data: object = None, **more: Any) -> dict[str, Any]:  # noqa: ANN401  # as `fact`
        response = await self.fact(topic, data, **more)
        assert response.status_code == 201, response.text
        return cast("dict[str, Any]", response.json())

    async def command(
        self,
        dossier: str | None,
        name: str,
        body: object = None,
        *,
        version: int | str | None = None,
        key: str | None = "",
        who: str | None = "desk",
        dry_run: str | None = None,
    ) -> Response:
        """Send a command; `dossier` None accepts a new one. `key` "" is a new one, None is none."""
        headers = {"Content-Type": "application/json"}
        if key is not None:
            headers["Idempotency-Key"] = key or uuid4().hex
        if version is not None:
            headers["If-Match"] = f'"{version}"' if isinstance(version, int) else version
        path = "/v1/dossiers" if dossier is None else f"/v1/dossiers/{dossier}/{name}"
        content = body if isinstance(body, bytes) else orjson.dumps({} if body is None else body)
        params = {} if dry_run is None else {"dry_run": dry_run}
        return await self.ask(
            "POST", path, who=who, content=content, headers=headers, params=params
        )

    async def accepted(self, *, who: str = "desk", **changes: object) -> dict[str, Any]:
        response = await self.command(None, "accept", acceptance(**changes), who=who)
        assert response.status_code == 201, response.text
        return cast("dict[str, Any]", response.json())

    async def done(
        self, dossier: Mapping[str, Any], name: str, body: object = None, *, who: str = "desk"
    ) -> dict[str, Any]:
        """Carry out a command on a dossier as it was answered last, and return the next answer."""
        response = await self.command(
            str(dossier["id"]), name, body, version=dossier["version"], who=who
        )
        assert response.status_code == 201, response.text
        return cast("dict[str, Any]", response.json())

    async def listed(self, *, who: str = "desk", **params: str) -> list[str]:
        """Return the ids that a list has, read from the present position on."""
        fresh = {"min_position": str(await self.position()), "limit": "200"}
        response = await self.get("/v1/dossiers", who=who, **{**fresh, **params})
        assert response.status_code == 200, response.text
        return [item["id"] for item in response.json()["items"]]

    async def keep(self, topic: str, **said: object) -> None:
        """Put an entry into the registers, as the command line does."""
        entry = cast("RegisterEvent", event_from(topic, orjson.dumps(said)))
        await self.process.services.registers.put(entry, Keeper(principal="tests", source="tests"))
        await self.process.services.refresh_rules(0)  # Other processes learn of it a little later.

    async def grant(self, name: str, role: str, unit: str, **more: object) -> None:
        token = f"hoso_{name}_{uuid4().hex}"
        self.tokens[name], self.token_ids[name] = token, uuid4()
        said = {"expires_at": moment(days=-30), **more}
        digest = sha256(token.encode()).hexdigest()
        token_id = str(self.token_ids[name])
        await self.keep(
            "token.granted.v1", token_id=token_id, digest=digest, role=role, unit=unit, **said
        )


async def decide_later_years(service: Service) -> None:
    """Let commands have due dates whenever the tests run."""
    await service.keep("calendar.decided.v1", **_LATER_YEARS)


async def _furnish(service: Service) -> None:
    for each in _UNITS:
        await service.keep("unit.registered.v1", **each)
    await decide_later_years(service)
    for code, name, term in _PROCEDURES:
        await service.keep(
            "procedure.published.v1",
            code=code,
            version=1,
            name=name,
            field="Hộ tịch",
            term=term,
            valid_from="2019-01-06",
            legal_basis="Luật Hộ tịch 2014",
        )
    await service.keep("source.registered.v1", name="own.example", unit=COMMUNE)
    for name, (role, unit) in TOKENS.items():
        more: dict[str, object] = {}
        if name == "expired":
            more["expires_at"] = moment(days=1)
        if name == "own-source":
            more["source_name"] = "own.example"
        await service.grant(name, role, unit, **more)
    await service.keep("token.revoked.v1", token_id=str(service.token_ids["revoked"]))


async def end_unit(service: Service) -> None:
    """End the old agency: its dossiers are its successor's from then on."""
    ended_at = moment(minutes=1)
    await service.keep("unit.ended.v1", code=ENDED, ended_at=ended_at, successors=[AGENCY])


@asynccontextmanager
async def serving(
    database_url: str, folder: Path, furnish: Callable[[Service], Awaitable[None]] | None = None
) -> AsyncIterator[Service]:
    """Open the real application on a database, with its read models kept up, and furnish it."""
    key_file = folder / "master.key"
    key_file.touch(0o600)
    key_file.write_text(MasterKey.new_text())
    settings = Settings(data=folder, database_url=database_url, master_key_file=key_file)
    async with opened(settings, "test") as process, AsyncExitStack() as stack:
        stack.push_async_callback(process.services.runner.close)
        process.services.runner.start()
        app = Application(process.services, Counts.alone())
        transport = ASGITransport(app=cast("Any", app))
        client = AsyncClient(transport=transport, base_url="http://hoso.test")
        service = Service(process, app, await stack.enter_async_context(client))
        await (furnish or _furnish)(service)
        yield service

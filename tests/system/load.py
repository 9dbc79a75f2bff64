"""Concurrent clients that never give up: every request is sent again until it is answered."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from time import monotonic
from typing import Any
from uuid import UUID

import httpx

DESK, AGENCY, PROCEDURE = "H44.100.01", "H44.100.02", "2.000815"
BATCH = "application/cloudevents-batch+json"
AGAIN = frozenset({503, 429})
_PAUSE = 0.02


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """What the service said it has recorded, and when that was first asked for and answered.

    Of what comes before its acceptance it says neither dossier nor version.
    """

    source_id: str
    dossier: str | None
    seq: int
    version: int | None
    asked: float
    answered: float


@dataclass
class Load:
    """Sends until told to stop; `resume`/`pause` hold it between two requests."""

    address: str
    token: str
    chance: Random
    clients: int = 8
    acknowledged: list[Acknowledged] = field(default_factory=list)
    requests: int = 0
    retries: int = 0
    _counted: int = 0
    _open: asyncio.Event = field(default_factory=asyncio.Event)
    _idle: asyncio.Condition = field(default_factory=asyncio.Condition)
    _busy: int = 0
    _number: int = 0

    async def run(self) -> None:
        headers = {"Authorization": f"Bearer {self.token}"}
        limits = httpx.Limits(max_connections=self.clients)
        async with (
            httpx.AsyncClient(
                base_url=self.address, headers=headers, timeout=60, limits=limits, trust_env=False
            ) as client,
            asyncio.TaskGroup() as group,
        ):
            for _ in range(self.clients):
                group.create_task(self._one(client))

    def resume(self) -> None:
        self._open.set()

    async def pause(self) -> None:
        """Hold the clients; return when each has its answer."""
        self._open.clear()
        async with self._idle:
            await self._idle.wait_for(lambda: self._busy == 0)

    def newly_acknowledged(self) -> int:
        """Return how many were acknowledged since this was asked last."""
        new, self._counted = len(self.acknowledged) - self._counted, len(self.acknowledged)
        return new

    async def _one(self, client: httpx.AsyncClient) -> None:
        while True:
            await self._open.wait()
            self._busy += 1
            try:
                await self._send_something(client)
            finally:
                self._busy -= 1
                async with self._idle:
                    self._idle.notify_all()

    async def _send_something(self, client: httpx.AsyncClient) -> None:
        self._number += 1
        number = self._number
        draw = self.chance.random()
        if draw < 0.4:
            await self._facts(client, number, count=12)
        elif draw < 0.6:
            await self._facts(client, number, count=1)
        else:
            await self._commands(client, number)

    async def _facts(self, client: httpx.AsyncClient, number: int, count: int) -> None:
        dossier = str(UUID(int=self.chance.getrandbits(128), version=4))
        items = [self._fact(dossier, f"f{number}-{place}", place) for place in range(count)]
        self.chance.shuffle(items)
        asked = monotonic()
        if count == 1:
            body = (await self._until_answered(client, "/v1/events", items[0], {})).json()
            self._note(body["id"], body, asked)
            return
        headers = {"Content-Type": BATCH}
        while items:
            answer = (await self._until_answered(client, "/v1/events", items, headers)).json()
            refused = {i["id"] for i in answer["items"] if i["outcome"] == "refused"}
            for item in answer["items"]:
                if item["outcome"] != "refused":
                    self._note(item["id"], item, asked)
                elif item["problem"]["status"] not in AGAIN:
                    raise AssertionError(f"refused: {item['problem']}")
            items = [item for item in items if item["id"] in refused]
            self.retries += bool(items)

    def _fact(self, dossier: str, name: str, place: int) -> dict[str, Any]:
        at = datetime.now(UTC) - timedelta(days=2) + timedelta(minutes=place)
        data: dict[str, Any] = {"step": f"Bước {place}"}
        if place == 0:
            data = {
                "procedure": PROCEDURE,
                "channel": "direct",
                "receiving_unit": DESK,
                "competent_unit": AGENCY,
                "owner": {"name": "Nguyễn Văn A"},
            }
        return {
            "specversion": "1.0",
            "id": name,
            "source": "urn:test:crash",
            "type": f"vn.gov.motcua.dossier.{'step-completed' if place else 'accepted'}.v1",
            "subject": dossier,
            "time": at.isoformat(),
            "data": data,
        }

    async def _commands(self, client: httpx.AsyncClient, number: int) -> None:
        body = {
            "procedure": PROCEDURE,
            "channel": "direct",
            "receiving_unit": DESK,
            "competent_unit": AGENCY,
        }
        key = {"Idempotency-Key": f"c{number}-1"}
        asked = monotonic()
        first = (await self._until_answered(client, "/v1/dossiers", body, key)).json()
        self._note(f"c{number}-1", {**first, "dossier": first["id"]}, asked)
        asked = monotonic()
        url = f"/v1/dossiers/{first['id']}/offer-transfer"
        headers = {"Idempotency-Key": f"c{number}-2", "If-Match": f'"{first["version"]}"'}
        second = (await self._until_answered(client, url, {"to_unit": AGENCY}, headers)).json()
        self._note(f"c{number}-2", {**second, "dossier": second["id"]}, asked)

    async def _until_answered(
        self, client: httpx.AsyncClient, url: str, body: object, headers: dict[str, str]
    ) -> httpx.Response:
        self.requests += 1
        while True:
            try:
                response = await client.post(url, json=body, headers=headers)
            except httpx.TransportError:
                response = None
            if response is not None and response.status_code not in AGAIN:
                if response.is_error:
                    raise AssertionError(f"{url}: {response.status_code} {response.text}")
                return response
            self.retries += 1
            await asyncio.sleep(_PAUSE)  # A client's back-off, not a wait for a result.

    def _note(self, source_id: str, said: dict[str, Any], asked: float) -> None:
        self.acknowledged.append(
            Acknowledged(
                source_id,
                said.get("dossier"),
                said["seq"],
                said.get("version"),
                asked,
                monotonic(),
            )
        )

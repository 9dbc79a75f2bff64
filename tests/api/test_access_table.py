"""Who may ask what, about which dossier: one test for each cell of the table."""

from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Final
from uuid import uuid4

import orjson
import pytest
import pytest_asyncio
from httpx import ASGITransport, AsyncClient

from domain.rules.tokens import Role
from tests.api.service import (
    AGENCY,
    BATCH,
    COMMUNE,
    DESK,
    ENDED,
    FOREIGN_DESK,
    Service,
    acceptance,
    code_of,
    end_unit,
    event,
    moment,
)

# What is answered: the status; "listed" or "absent" for lists; an item's fate for batches.
TABLE: Final = """
asking   where   desk      agency    source    reporter  inspector admin     none  expired  revoked
event    inside  201       201       201       403       403       403       401   401      401
event    outside 403       403       403       403       403       403       401   401      401
batch    inside  recorded  recorded  recorded  403       403       forbidden 401   401      401
batch    outside forbidden forbidden forbidden 403       403       forbidden 401   401      401
register inside  403       403       403       403       403       200       401   401      401
register outside 403       403       403       403       403       403       401   401      401
accept   inside  201       201       403       403       403       403       401   401      401
accept   outside 403       403       403       403       403       403       401   401      401
command  inside  201       201       403       403       403       403       401   401      401
command  outside 404       404       403       403       403       403       401   401      401
outcome  inside  200       200       403       403       403       403       401   401      401
outcome  outside 404       404       403       403       403       403       401   401      401
list     inside  listed    listed    listed    listed    listed    listed    401   401      401
list     outside absent    absent    absent    absent    absent    absent    401   401      401
get      inside  200       200       200       200       200       200       401   401      401
get      outside 404       404       404       404       404       404       401   401      401
history  inside  200       200       200       200       200       200       401   401      401
history  outside 404       404       404       404       404       404       401   401      401
next     inside  200       200       200       200       200       200       401   401      401
next     outside 404       404       404       404       404       404       401   401      401
due      inside  200       200       200       200       200       200       401   401      401
due      outside 404       404       404       404       404       404       401   401      401
preview  inside  200       200       200       200       200       200       401   401      401
preview  outside 200       200       200       200       200       200       401   401      401
search   inside  listed    listed    403       403       listed    403       401   401      401
search   outside absent    absent    403       403       absent    403       401   401      401
public   inside  200       200       200       200       200       200       200   200      200
public   outside 200       200       200       200       200       200       200   200      200
health   inside  200       200       200       200       200       200       200   200      200
ready    inside  200       200       200       200       200       200       200   200      200
metrics  inside  200       200       200       200       200       200       200   200      200
metrics  outside 403       403       403       403       403       403       403   403      403
openapi  inside  200       200       200       200       200       200       200   200      200
schema   inside  200       200       200       200       200       200       200   200      200
"""
OWN: Final = {"desk": DESK, "agency": AGENCY}
OWNER: Final = {"name": "Trần Văn Minh", "id_number": "044088005678", "phone": "0987654321"}
OFFICER: Final = {"officer": "Lê Văn Bình"}


def cells() -> Iterator[Any]:
    _, _, *roles = TABLE.split("\n")[1].split()
    roles = ["administrator" if role == "admin" else role for role in roles]
    assert set(roles) == {*Role, "none", "expired", "revoked"}
    for line in TABLE.strip().splitlines()[1:]:
        asking, where, *answers = line.split()
        for role, expected in zip(roles, answers, strict=True):
            name = f"{asking}-{where}-{role}"
            yield pytest.param(asking, where, role, expected, id=name)


class Asking:
    """One way of asking for each row, about a dossier inside (or outside) of the tokens' units."""

    def __init__(self, service: Service, dossiers: dict[str, dict[str, Any]]) -> None:
        self.service = service
        self.dossiers = dossiers
        self.keys: dict[str, str] = {}

    async def ask(self, asking: str, where: str, role: str) -> str:
        way: Callable[[str, str | None], Awaitable[str]] = getattr(self, asking)
        return await way(where, None if role == "none" else role)

    def unit(self, where: str, who: str | None) -> str:
        return OWN.get(who or "", COMMUNE) if where == "inside" else FOREIGN_DESK

    def sent(self, where: str, who: str | None) -> dict[str, Any]:
        subject = self.dossiers[where]["id"]
        unit = self.unit(where, who)
        return event("dossier.assigned.v1", OFFICER, subject=subject, actingunit=unit)

    async def event(self, where: str, who: str | None) -> str:
        response = await self.service.post("/v1/events", self.sent(where, who), who=who)
        return str(response.status_code)

    async def batch(self, where: str, who: str | None) -> str:
        body = [self.sent(where, who)]
        response = await self.service.post("/v1/events", body, who=who, media=BATCH)
        if response.status_code != 200:
            return str(response.status_code)
        (item,) = response.json()["items"]
        return str(item["problem"]["code"] if item["problem"] else item["outcome"])

    async def register(self, where: str, who: str | None) -> str:
        unit = {"code": "H44.200", "name": "Xã Thái Thụy", "parent": "H44"}
        if where == "inside":
            unit = {"code": AGENCY, "name": "Phòng Tư pháp Đông Hưng", "parent": "H44.100"}
        body = event("unit.registered.v1", unit)
        return str((await self.service.post("/v1/events", body, who=who)).status_code)

    async def accept(self, where: str, who: str | None) -> str:
        unit = self.unit(where, who)
        body = acceptance(receiving_unit=unit, competent_unit=unit)
        response = await self.service.command(None, "accept", body, who=who, dry_run="true")
        return str(response.status_code)

    async def command(self, where: str, who: str | None) -> str:
        path = f"/v1/dossiers/{self.dossiers[where]['id']}"
        above = "province" if where == "inside" else "foreign"
        version = (await self.service.get(path, who=above)).json()["version"]
        response = await self.service.command(
            self.dossiers[where]["id"], "assign", OFFICER, version=version, who=who, dry_run="true"
        )
        return str(response.status_code)

    async def outcome(self, where: str, who: str | None) -> str:
        """Inside: one's own command; outside: somebody else's."""
        key = uuid4().hex
        sender = who if where == "inside" and who in OWN else "commune"
        unit = self.unit("inside", sender)
        body = acceptance(receiving_unit=unit, competent_unit=unit)
        done = await self.service.command(None, "accept", body, key=key, who=sender)
        assert done.status_code == 201
        return str((await self.service.get(f"/v1/commands/{key}", who=who)).status_code)

    async def _found(self, where: str, response: Any) -> str:  # noqa: ANN401  # a response
        if response.status_code != 200:
            return str(response.status_code)
        ids = [item["id"] for item in response.json()["items"]]
        return "listed" if self.dossiers[where]["id"] in ids else "absent"

    async def list(self, where: str, who: str | None) -> str:
        params = {"unit": DESK if where == "inside" else FOREIGN_DESK, "procedure": "1.001193"}
        fresh = {"min_position": str(self.dossiers["outside"]["position"])}
        return await self._found(
            where, await self.service.get("/v1/dossiers", who=who, **params, **fresh)
        )

    async def search(self, where: str, who: str | None) -> str:
        body = {"id_number": OWNER["id_number"]}
        params = {"min_position": str(self.dossiers["outside"]["position"])}
        response = await self.service.ask(
            "POST", "/v1/dossier-searches", who=who, json=body, params=params
        )
        return await self._found(where, response)

    async def _read(self, path: str, who: str | None) -> str:
        return str((await self.service.get(path, who=who)).status_code)

    async def get(self, where: str, who: str | None) -> str:
        by_code = await self._read(f"/v1/dossiers/{self.dossiers[where]['code']}", who)
        by_id = await self._read(f"/v1/dossiers/{self.dossiers[where]['id']}", who)
        assert by_code == by_id
        return by_id

    async def history(self, where: str, who: str | None) -> str:
        return await self._read(f"/v1/dossiers/{self.dossiers[where]['id']}/history", who)

    async def next(self, where: str, who: str | None) -> str:
        return await self._read(f"/v1/dossiers/{self.dossiers[where]['id']}/next", who)

    async def due(self, where: str, who: str | None) -> str:
        return await self._read(f"/v1/dossiers/{self.dossiers[where]['id']}/due-date", who)

    async def preview(self, where: str, who: str | None) -> str:
        """Say when a dossier would be due: the rules are no secret, also of others' units."""
        said = {"procedure": "1.001193", "received_at": moment(), "channel": "direct"}
        body = {**said, "competent_unit": self.unit(where, who)}
        response = await self.service.ask("POST", "/v1/due-previews", who=who, json=body)
        return str(response.status_code)

    async def public(self, where: str, who: str | None) -> str:
        return await self._read(f"/v1/public/dossiers/{self.dossiers[where]['code']}", who)

    async def health(self, _: str, who: str | None) -> str:
        return await self._read("/health", who)

    async def ready(self, _: str, who: str | None) -> str:
        return await self._read("/ready", who)

    async def openapi(self, _: str, who: str | None) -> str:
        return await self._read("/openapi.json", who)

    async def schema(self, _: str, who: str | None) -> str:
        return await self._read("/schema", who)

    async def metrics(self, where: str, who: str | None) -> str:
        """Inside: from this machine; outside: from another one."""
        app: Any = self.service.app
        address = "127.0.0.1" if where == "inside" else "203.0.113.9"
        headers = {"Authorization": f"Bearer {self.service.tokens[who]}"} if who else {}
        transport = ASGITransport(app=app, client=(address, 1))
        async with AsyncClient(transport=transport, base_url="http://hoso.test") as client:
            return str((await client.get("/metrics", headers=headers)).status_code)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def asking(service: Service) -> Asking:
    said: dict[str, Any] = {"procedure": "1.001193", "owner": OWNER}
    inside = await service.accepted(**said)
    units = {"receiving_unit": FOREIGN_DESK, "competent_unit": FOREIGN_DESK}
    outside = await service.accepted(who="foreign", **said, **units)
    return Asking(service, {"inside": inside, "outside": outside})


@pytest.mark.parametrize(("row", "where", "role", "expected"), list(cells()))
async def test_a_cell(
    service: Service, asking: Asking, row: str, where: str, role: str, expected: str
) -> None:
    before = await service.position()
    assert await asking.ask(row, where, role) == expected
    writes = row == "outcome" or expected in {"201", "recorded"}
    assert writes or await service.position() == before


async def seen_by(service: Service, dossier: str, *whose: str) -> list[str]:
    """Return who sees a dossier: its state, its history, what is next, and in the list alike."""
    found = []
    for who in whose:
        paths = (f"/v1/dossiers/{dossier}{end}" for end in ("", "/history", "/next", "/due-date"))
        statuses = {(await service.get(path, who=who)).status_code for path in paths}
        listed = dossier in await service.listed(who=who)
        assert statuses == ({200} if listed else {404}), who
        found += [who] if listed else []
    return found


async def test_units_that_are_named_and_all_above_them_see_a_dossier(service: Service) -> None:
    alone = await service.accepted(competent_unit=DESK)
    everyone = ("desk", "agency", "commune", "province", "foreign")
    assert await seen_by(service, alone["id"], *everyone) == ["desk", "commune", "province"]
    returning = await service.accepted(competent_unit=DESK, returning_unit=AGENCY)
    assert "agency" in await seen_by(service, returning["id"], "agency")


async def test_whoever_is_offered_a_dossier_sees_it_and_whoever_had_it_still_does(
    service: Service,
) -> None:
    dossier = await service.accepted(competent_unit=DESK)
    dossier = await service.done(dossier, "offer-transfer", {"to_unit": FOREIGN_DESK})
    assert await seen_by(service, dossier["id"], "agency", "foreign") == ["foreign"]
    dossier = await service.done(dossier, "accept-transfer", {}, who="foreign")
    dossier = await service.done(dossier, "offer-transfer", {"to_unit": AGENCY}, who="foreign")
    dossier = await service.done(dossier, "accept-transfer", {}, who="agency")
    state = await service.get(f"/v1/dossiers/{dossier['id']}", who="foreign")
    assert state.json()["custodian_unit"] == AGENCY
    assert await seen_by(service, dossier["id"], "desk", "agency", "foreign") == [
        "desk",
        "agency",
        "foreign",
    ]


async def test_the_successor_of_an_ended_unit_sees_its_dossiers(service: Service) -> None:
    past = {"time": moment(hours=1)}
    said = acceptance(receiving_unit=ENDED, competent_unit=ENDED)
    answer = await service.recorded("dossier.accepted.v1", said, **past)
    assert await seen_by(service, answer["dossier"], "agency", "desk", "commune") == ["commune"]
    await end_unit(service)
    assert await seen_by(service, answer["dossier"], "agency", "desk", "commune") == [
        "agency",
        "commune",
    ]


async def test_until_its_acceptance_each_sees_what_was_told_for_him_and_no_command_reaches_it(
    service: Service,
) -> None:
    dossier = str(uuid4())
    for who, unit in (("source", COMMUNE), ("agency", AGENCY)):
        await service.recorded(
            "dossier.transfer-offered.v1",
            {"to_unit": FOREIGN_DESK},
            who=who,
            actingunit=unit,
            subject=dossier,
        )
    everyone = ("source", "agency", "desk", "foreign")
    assert await seen_by(service, dossier, *everyone) == ["source", "agency"]
    for who, told in (("source", 2), ("agency", 1)):  # The agency belongs to the commune.
        history = (await service.get(f"/v1/dossiers/{dossier}/history", who=who)).json()
        assert len(history["items"]) == told
        state = (await service.get(f"/v1/dossiers/{dossier}", who=who)).json()
        assert state["status"] is None
        assert [each["kind"] for each in state["irregularities"]] == ["stranger"] * told
    before = await service.position()
    response = await service.command(dossier, "assign", OFFICER, version=2, who="agency")
    assert (response.status_code, code_of(response)) == (404, "not-found")
    assert await service.position() == before
    await service.recorded("dossier.accepted.v1", acceptance(), subject=dossier)
    assert await seen_by(service, dossier, *everyone) == ["source", "agency", "desk"]
    response = await service.command(dossier, "assign", OFFICER, version=3, who="agency")
    assert response.status_code == 201


PERSONAL: Final = """
reader        before          erased
desk          clear           ERASED
agency        clear           ERASED
inspector     clear           ERASED
source        SEALED          ERASED
reporter      SEALED          ERASED
administrator SEALED          ERASED
"""


async def test_personal_values_are_clear_sealed_or_erased(service: Service) -> None:
    number = f"0{uuid4().int % 10**11:011d}"
    owner = {**OWNER, "id_number": number}
    accepted = await service.accepted(owner=owner, contents="Xin cấp bản sao cho con")
    path = f"/v1/dossiers/{accepted['id']}/history"

    async def shown(who: str) -> dict[str, Any]:
        response = await service.get(path, who=who)
        data: dict[str, Any] = response.json()["items"][0]["data"]
        return {**data["owner"], "contents": data["contents"]}

    clear = {**owner, "contents": "Xin cấp bản sao cho con"}
    rows = [line.split() for line in PERSONAL.strip().splitlines()[1:]]
    for who, before, _ in rows:
        expected = clear if before == "clear" else dict.fromkeys(clear, before)
        assert await shown(who) == expected, who
    subjects = await service.process.keys.subjects_of("id_number", number)
    assert subjects
    for subject in subjects:
        await service.keep("subject.erased.v1", subject=str(subject), ground="Quyết định 21")
    await service.process.keys.destroy(subjects)
    for who, _, after in rows:
        found = await shown(who)
        assert {found[name] for name in owner} == {after}, who
    search = await service.ask("POST", "/v1/dossier-searches", json={"id_number": number})
    assert search.json()["items"] == []
    assert number not in orjson.dumps((await service.get(path)).json()).decode()


async def test_a_token_that_is_revoked_or_new_counts_at_once(service: Service) -> None:
    await service.grant("brief", "desk", DESK)
    assert (await service.get("/v1/dossiers", who="brief")).status_code == 200
    await service.keep("token.revoked.v1", token_id=str(service.token_ids["brief"]))
    assert (await service.get("/v1/dossiers", who="brief")).status_code == 401

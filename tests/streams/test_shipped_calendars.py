"""The shipped calendar decisions in a ledger: once, whoever opens it, never over an operator's."""

import asyncio
from dataclasses import replace
from datetime import date

from domain.ledger.registering import Keeper, Registers
from domain.rules.calendars import CalendarDecided
from domain.rules.register import stream_of
from streams.registers.shipped_calendars import SOURCE, ship_calendars, shipped_calendars
from tests.conftest import OpenStore
from tests.stores import Opened, rows, utc_now

STREAM = stream_of("calendar", "VN")
OPERATOR = Keeper(principal="machine", source="urn:hoso:command-line")
SHIPPED = {each.id: each for each in shipped_calendars()}


async def ship(opened: Opened) -> int:
    return await ship_calendars(opened.store, utc_now)


async def decide(opened: Opened, decision: CalendarDecided) -> None:
    await Registers(opened.store, utc_now).put(decision, OPERATOR)


async def held(opened: Opened) -> dict[str, CalendarDecided]:
    await opened.store.read()
    return {each.id: each for each in opened.rules.calendars["VN"]}


async def test_processes_that_open_at_once_ship_each_decision_once(open_store: OpenStore) -> None:
    async with open_store() as one, open_store() as two, open_store() as three:
        counts = await asyncio.gather(*map(ship, (one, two, three)))
        assert sum(counts) == len(SHIPPED)
        stored = await rows(one.pool)
        assert [row.stream_id for row in stored] == [STREAM] * len(SHIPPED)
        for each in (one, two, three):  # Whoever lost a race knows what the others recorded.
            assert {known.id for known in each.rules.calendars["VN"]} == SHIPPED.keys()
        event = (
            one.rules.calendars["VN"][0] if one.rules.calendars else (await held(one))["2026-tet"]
        )
        assert (event.meta.principal, event.meta.source) == ("machine", SOURCE)
        assert await ship(one) == 0


async def test_what_an_operator_confirmed_stays(open_store: OpenStore) -> None:
    async with open_store() as opened, open_store() as late:
        await ship(opened)
        await opened.store.read()
        confirmed = replace(SHIPPED["2026-culture-day"], proposal=False)
        await decide(opened, confirmed)
        assert late.rules.position == 0  # It has not looked, and believes that nothing is there.
        assert await ship(late) == 0
        assert (await held(late))["2026-culture-day"].proposal is False


async def test_what_an_operator_decided_before_stays_under_its_id(open_store: OpenStore) -> None:
    async with open_store() as opened:
        own = replace(SHIPPED["2026-tet"], off=(date(2026, 2, 17),))
        await decide(opened, own)
        await opened.store.read()
        assert await ship(opened) == len(SHIPPED) - 1
        assert (await held(opened))["2026-tet"].off == own.off


async def test_what_would_contradict_an_operator_is_left_out(open_store: OpenStore) -> None:
    async with open_store() as opened:
        own = replace(SHIPPED["2026-tet"], id="own", off=(), working=(date(2026, 2, 16),))
        await decide(opened, own)
        assert await ship(opened) == len(SHIPPED) - 1
        assert (await held(opened)).keys() == {"own", *SHIPPED} - {"2026-tet"}

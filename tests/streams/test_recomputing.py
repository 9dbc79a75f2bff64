"""A calendar that is decided late moves open dossiers: once each, never to an earlier day."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from uuid import UUID

import pytest

from domain.dossier.appointments import DueDateRecomputed, IssueReappointment
from domain.dossier.endings import StopDossier, WithdrawDossier
from domain.dossier.incidents import BeginIncident, EndIncident
from domain.dossier.results import DeliverResult
from domain.dossier.work import StartStep
from domain.envelope import UnitCode
from streams.time.recomputing import Recomputed, recompute_open
from tests.conftest import OpenStore
from tests.examples import (
    AGENCY,
    DESK,
    VIETNAM,
    accepted,
    ordinary_years,
    registers,
    supplement_completed,
    unit_ended,
)
from tests.projections.telling import tell
from tests.streams.ticking import DAY, HOUR, MORNING, Office, Time, days, office

TUESDAY = days((3, 3))
FRIDAY = days((3, 6))
SATURDAY = days((3, 7))
ON_MONDAY = datetime(2026, 3, 9, 9, 15, tzinfo=VIETNAM)
ON_TUESDAY = ON_MONDAY + DAY


@pytest.fixture
async def here(open_store: OpenStore) -> AsyncIterator[Office]:
    async with office(open_store, Time()) as opened:
        yield opened


async def recomputed(here: Office, batch: int = 500) -> Recomputed:
    await here.runner.catch_up()
    return await recompute_open(here.machine, here.process.pool, batch=batch)


async def moves_of(here: Office, dossier: UUID) -> list[DueDateRecomputed]:
    events = [each.event for each in await here.events(dossier)]
    return [each for each in events if isinstance(each, DueDateRecomputed)]


async def test_a_late_decision_moves_open_dossiers_with_one_event_of_both_dates_and_versions(
    here: Office,
) -> None:
    dossiers = [await here.accepted() for _ in range(7)]
    await here.decide("late", off=TUESDAY)
    assert await recomputed(here, batch=3) == Recomputed(examined=7, moved=7)
    for dossier in dossiers:
        (event,) = await moves_of(here, dossier)
        moved = event.moved
        assert (moved.first_due_before, moved.first_due) == (ON_MONDAY, ON_TUESDAY)
        assert (moved.due_before, moved.due) == (ON_MONDAY, ON_TUESDAY)
        assert (moved.calendar_before.version, moved.calendar.version) == (1, 2)
        assert (event.meta.principal, event.meta.acting_unit) == ("clock", AGENCY)
        state = await here.dossier(dossier)
        assert (state.printed_due, state.first_due) == (ON_MONDAY, ON_TUESDAY)


async def test_the_same_again_moves_nothing(here: Office) -> None:
    dossier = await here.accepted()
    await here.decide("late", off=TUESDAY)
    await recomputed(here)
    assert await recomputed(here) == Recomputed()
    assert len(await moves_of(here, dossier)) == 1


async def test_an_overview_that_lags_moves_nothing_twice(here: Office) -> None:
    dossier = await here.accepted()
    await here.decide("late", off=TUESDAY)
    await recomputed(here)
    again = await recompute_open(here.machine, here.process.pool)  # It shows the old version.
    assert again == Recomputed(examined=1, unchanged=1)
    assert len(await moves_of(here, dossier)) == 1


async def test_each_further_decision_moves_what_it_touches(here: Office) -> None:
    dossier = await here.accepted()
    await here.decide("late", off=TUESDAY)
    await recomputed(here)
    await here.decide("later", off=days((3, 4)))
    assert await recomputed(here) == Recomputed(examined=1, moved=1)
    versions = [each.moved.calendar.version for each in await moves_of(here, dossier)]
    assert versions == [2, 3]
    assert (await here.dossier(dossier)).first_due == ON_TUESDAY + DAY


async def test_ended_dossiers_keep_their_dates(here: Office) -> None:
    ended = [await here.accepted() for _ in range(3)]
    await here.order(ended[0], WithdrawDossier(reason="Không còn nhu cầu."))
    await here.order(ended[1], DeliverResult())
    await here.order(ended[2], StartStep(step="Thẩm định"))
    await here.order(ended[2], StopDossier(reason="Không đủ điều kiện."))
    await here.decide("late", off=TUESDAY)
    assert await recomputed(here) == Recomputed()
    for dossier in ended:
        assert await moves_of(here, dossier) == []
        assert (await here.dossier(dossier)).first_due == ON_MONDAY


async def test_one_that_ended_after_the_overview_was_read_keeps_its_date(here: Office) -> None:
    dossier = await here.accepted()
    await here.decide("late", off=TUESDAY)
    await here.runner.catch_up()
    await here.order(dossier, WithdrawDossier(reason="Không còn nhu cầu."))
    found = await recompute_open(here.machine, here.process.pool)
    assert found == Recomputed(examined=1, unchanged=1)


async def test_one_that_changed_after_the_overview_was_read_is_read_again(here: Office) -> None:
    dossier = await here.accepted()
    await here.decide("late", off=TUESDAY)
    await here.runner.catch_up()
    await here.order(dossier, StartStep(step="Thẩm định"))
    found = await recompute_open(here.machine, here.process.pool)
    assert found == Recomputed(examined=1, moved=1)
    assert await here.kinds(dossier) == ["StepStarted", "DueDateRecomputed"]


async def test_no_date_becomes_earlier_than_the_printed_one(here: Office) -> None:
    dossier = await here.accepted()
    await here.decide("worked", working=SATURDAY)
    assert await recomputed(here) == Recomputed(examined=1, unchanged=1)
    assert (await here.dossier(dossier)).first_due == ON_MONDAY
    await here.decide("off", off=TUESDAY)  # It takes what the Saturday gave.
    assert await recomputed(here) == Recomputed(examined=1, unchanged=1)
    assert await here.kinds(dossier) == []


async def test_a_decision_that_was_withdrawn_gives_no_day_back(here: Office) -> None:
    dossier = await here.accepted()
    await here.decide("late", off=TUESDAY)
    await recomputed(here)
    await here.decide("late", off=())
    assert await recomputed(here) == Recomputed(examined=1, unchanged=1)
    assert (await here.dossier(dossier)).first_due == ON_TUESDAY


async def test_dossiers_whose_term_lies_elsewhere_are_not_even_examined(here: Office) -> None:
    await here.accepted()
    here.time.reach(MORNING + 28 * DAY)
    dossier = await here.accepted()
    await here.decide("between", off=days((3, 20)))
    assert await recomputed(here) == Recomputed()
    await here.decide("april", off=days((4, 1)))
    assert await recomputed(here) == Recomputed(examined=1, moved=1)
    assert len(await moves_of(here, dossier)) == 1


async def test_a_date_that_a_pause_after_the_reappointment_moved_is_touched_too(
    here: Office,
) -> None:
    dossier = await here.accepted()
    await here.order(dossier, StartStep(step="Thẩm định"))
    reappointed = IssueReappointment(new_due=MORNING + 21 * DAY, reason="Cần xác minh.")
    await here.order(dossier, reappointed)
    await here.order(dossier, BeginIncident(system="LGSP"))
    here.time.reach(MORNING + DAY)
    await here.order(dossier, EndIncident(system="LGSP"))
    before = await here.dossier(dossier)
    assert before.first_due is not None
    assert before.due is not None
    await here.decide("late", off=(before.due.astimezone(VIETNAM).date(),))
    assert (await recomputed(here)).examined == 1


async def test_a_closure_of_one_unit_examines_its_own_dossiers_only(here: Office) -> None:
    theirs = await here.accepted(AGENCY)
    others = await here.accepted(DESK)
    await here.decide("storm", off=TUESDAY, unit=AGENCY)
    assert await recomputed(here) == Recomputed(examined=1, moved=1)
    assert (await here.dossier(theirs)).first_due == ON_TUESDAY
    assert (await here.dossier(others)).first_due == ON_MONDAY


async def test_a_proposal_moves_nothing_until_it_is_confirmed(here: Office) -> None:
    await here.accepted()
    await here.decide("day of culture", off=TUESDAY, proposal=True)
    assert await recomputed(here) == Recomputed()
    await here.decide("day of culture", off=TUESDAY)
    assert await recomputed(here) == Recomputed(examined=1, moved=1)


async def test_a_paused_dossier_waits_until_its_clock_goes_on(here: Office) -> None:
    dossier = await here.asked()
    await here.decide("late", off=TUESDAY)
    assert await recomputed(here) == Recomputed(examined=1, unchanged=1)
    here.time.reach(MORNING + HOUR)
    await here.told(dossier, supplement_completed(), MORNING + HOUR)
    assert (await here.dossier(dossier)).first_due == ON_MONDAY + HOUR
    assert await recomputed(here) == Recomputed(examined=1, moved=1)
    assert (await here.dossier(dossier)).first_due == ON_TUESDAY + HOUR


async def test_what_had_no_date_gets_one_when_its_year_is_decided(open_store: OpenStore) -> None:
    async with office(open_store, Time(), None) as here:
        await tell(here.process, *registers()[:-1], ordinary_years(range(2026, 2027)))
        here.time.reach(datetime(2026, 12, 29, 9, 15, tzinfo=VIETNAM))
        dossier = UUID("d0551e40-0000-4000-8000-000000000009")
        await here.told(dossier, accepted(due=None), here.time())
        assert (await here.dossier(dossier)).first_due is None
        await here.decide("2027", off=days((1, 1), year=2027))
        assert await recomputed(here) == Recomputed(examined=1, moved=1)
        due = datetime(2027, 1, 6, 9, 15, tzinfo=VIETNAM)
        assert (await here.dossier(dossier)).first_due == due


class Interrupted(Exception):
    """Somebody pulled the plug."""


async def test_a_run_that_was_interrupted_goes_on_where_it_stopped(here: Office) -> None:
    dossiers = [await here.accepted() for _ in range(12)]
    await here.decide("late", off=TUESDAY)
    await here.runner.catch_up()

    def unplug(examined: int) -> None:
        if examined >= 6:
            raise Interrupted

    with pytest.raises(Interrupted):
        await recompute_open(here.machine, here.process.pool, progress=unplug, batch=3)
    moved = [len(await moves_of(here, dossier)) for dossier in dossiers]
    assert (sum(moved), max(moved)) == (6, 1)
    assert await recomputed(here, batch=3) == Recomputed(examined=6, moved=6)
    assert [len(await moves_of(here, dossier)) for dossier in dossiers] == [1] * 12


async def test_a_run_that_was_cancelled_while_it_wrote_doubles_nothing(here: Office) -> None:
    dossiers = [await here.accepted() for _ in range(40)]
    await here.decide("late", off=TUESDAY)
    await here.runner.catch_up()
    head = (await here.process.store.read()).position
    running = asyncio.create_task(recompute_open(here.machine, here.process.pool))
    for _ in range(1_000):
        if (await here.process.store.read()).position > head:
            break
    running.cancel()
    await asyncio.wait([running])
    await recomputed(here)
    assert [len(await moves_of(here, dossier)) for dossier in dossiers] == [1] * 40


async def test_two_runs_at_once_move_each_dossier_once(here: Office, open_store: OpenStore) -> None:
    dossiers = [await here.accepted() for _ in range(40)]
    await here.decide("late", off=TUESDAY)
    async with office(open_store, here.time, None) as there:
        await here.runner.catch_up()
        one, other = await asyncio.gather(recomputed(here), recomputed(there))
    assert one.moved + other.moved == 40
    assert one.failed + other.failed == 0
    assert [len(await moves_of(here, dossier)) for dossier in dossiers] == [1] * 40


async def test_one_units_broken_calendar_stops_nobody_else(here: Office) -> None:
    theirs = [await here.accepted(AGENCY) for _ in range(5)]
    others = [await here.accepted(DESK) for _ in range(5)]
    await here.decide("late", off=TUESDAY)
    await here.decide("flood", off=FRIDAY, unit=AGENCY)
    await here.decide("dry", working=FRIDAY, unit=AGENCY)
    assert await recomputed(here, batch=2) == Recomputed(examined=10, moved=5, failed=5)
    for dossier in theirs:
        assert await here.kinds(dossier) == []
    for dossier in others:
        assert len(await moves_of(here, dossier)) == 1
    await here.decide("dry", unit=AGENCY)  # It is mended.
    assert await recomputed(here) == Recomputed(examined=5, moved=5)
    assert (await here.dossier(theirs[0])).first_due == ON_TUESDAY + DAY


async def test_it_is_done_for_another_unit_where_the_competent_one_has_ended(
    here: Office,
) -> None:
    dossier = await here.accepted(AGENCY)
    await end(here, AGENCY)
    await here.decide("late", off=TUESDAY)
    assert await recomputed(here) == Recomputed(examined=1, moved=1)
    (event,) = await moves_of(here, dossier)
    assert event.meta.acting_unit == DESK


async def end(here: Office, unit: UnitCode) -> None:

    await tell(here.process, unit_ended(unit, ended_at=here.time(), successors=()))

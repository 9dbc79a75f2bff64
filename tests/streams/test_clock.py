"""What time brings about happens once: over restarts, with two clocks, with lost answers."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date

import asyncpg
import pytest

from domain.deadlines.law import OfficePolicy
from domain.dossier.competence import SucceedUnit
from domain.dossier.corrections import EventCorrected
from domain.dossier.endings import DossierStopped
from domain.dossier.status import Status
from domain.dossier.supplements import (
    CompleteSupplement,
    ExpireSupplement,
    RequestSupplement,
    SupplementExpired,
    SupplementRequested,
)
from domain.dossier.transfers import AcceptTransfer, OfferTransfer, TransferTimedOut
from domain.dossier.work import StartStep
from domain.envelope import UnitCode
from domain.ledger.locks import Lock
from domain.rules.policies import PolicyDecided
from domain.rules.register import stream_of
from streams.time.recomputing import Recomputed
from streams.time.timekeeper import Ticked, Timekeeper
from tests.conftest import OpenStore
from tests.door import Slam, door_before
from tests.examples import (
    AGENCY,
    DESK,
    corrected,
    stamp,
    supplement_completed,
    supplement_requested,
    transfer_accepted,
    unit_ended,
    unit_registered,
)
from tests.projections.telling import hosted, tell
from tests.stores import opened, until
from tests.streams.ticking import DAY, HOUR, MORNING, SECOND, Office, Time, days, office

WEEK = MORNING + 7 * DAY
PAIR = ["SupplementExpired", "DossierStopped"]
MINUTE = 60 * SECOND
HOLDER = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = $1 AND granted"


@pytest.fixture
async def here(open_store: OpenStore) -> AsyncIterator[Office]:
    async with office(open_store, Time()) as opened:
        yield opened


@pytest.fixture
async def there(here: Office, open_store: OpenStore) -> AsyncIterator[Office]:
    """Give another process on the same ledger, at the same time."""
    async with office(open_store, here.time, None) as opened:
        yield opened


async def ends_of(here: Office, *dossiers: object) -> list[list[str]]:
    """Return what time brought about, for each dossier."""
    timely = (*PAIR, "TransferTimedOut", "DueDateRecomputed")
    return [
        [kind for kind in await here.kinds(dossier) if kind in timely]  # type: ignore[arg-type]  # its UUID
        for dossier in dossiers
    ]


async def test_a_transfer_that_nobody_answers_in_time_times_out_once(here: Office) -> None:
    dossier = await here.offered(MORNING + 2 * HOUR)
    clock = here.clock()
    assert (await clock.tick()).timed_out == 0
    here.time.reach(MORNING + 2 * HOUR)
    assert (await clock.tick()).timed_out == 0  # The last second is still in time.
    here.time.reach(MORNING + 2 * HOUR + SECOND)
    assert (await clock.tick()).timed_out == 1
    assert (await clock.tick()).timed_out == 0
    last = (await here.events(dossier))[-1].event
    assert isinstance(last, TransferTimedOut)
    assert last.answer_by == MORNING + 2 * HOUR
    assert (last.meta.principal, last.meta.acting_unit) == ("clock", AGENCY)
    state = await here.dossier(dossier)
    assert (state.offer, state.custodian_unit, state.irregularities) == (None, DESK, ())


async def test_the_next_offer_of_the_same_dossier_times_out_too(here: Office) -> None:
    dossier = await here.offered(MORNING + HOUR)
    clock = here.clock()
    here.time.reach(MORNING + 2 * HOUR)
    await clock.tick()
    await here.order(dossier, OfferTransfer(to_unit=AGENCY, answer_by=MORNING + 3 * HOUR))
    here.time.reach(MORNING + 4 * HOUR)
    assert (await clock.tick()).timed_out == 1
    assert await ends_of(here, dossier) == [["TransferTimedOut"] * 2]


async def test_a_supplement_that_nobody_brings_stops_the_dossier_once(here: Office) -> None:
    dossier = await here.asked(WEEK)
    clock = here.clock()
    here.time.reach(WEEK)
    assert (await clock.tick()).expired == 0
    here.time.reach(WEEK + SECOND)
    assert (await clock.tick()).expired == 1
    assert (await clock.tick()).expired == 0
    expired, stopped = (each.event for each in (await here.events(dossier))[-2:])
    assert isinstance(expired, SupplementExpired)
    assert isinstance(stopped, DossierStopped)
    assert stopped.expiry == expired.meta.event_id
    state = await here.dossier(dossier)
    assert (state.status, state.irregularities) == (Status.STOPPED, ())


async def test_an_answer_in_time_leaves_nothing_to_do(here: Office) -> None:
    asked, offered = await here.asked(WEEK), await here.offered(WEEK)
    await here.order(asked, CompleteSupplement())
    await here.order(offered, AcceptTransfer())
    here.time.reach(WEEK + DAY)
    done = await here.clock().tick()
    assert (done.expired, done.timed_out) == (0, 0)


async def test_without_a_limit_nothing_expires(here: Office) -> None:
    dossiers = [await here.asked(), await here.offered()]
    here.time.reach(WEEK + 100 * DAY)
    await here.clock().tick()
    assert await ends_of(here, *dossiers) == [[], []]


async def test_the_office_policy_gives_the_limits_that_a_dossier_does_not_state(
    here: Office,
) -> None:
    policy = OfficePolicy(
        issued=date(2026, 1, 1), supplement_answer_days=7, transfer_answer_hours=2
    )
    entry = PolicyDecided(**stamp("policy", stream_of("policy", "VN")), **vars(policy))
    await tell(here.process, entry)
    asked, offered = await here.asked(), await here.offered()
    clock = here.clock()
    here.time.reach(MORNING + 2 * HOUR + SECOND)
    assert (await clock.tick()).timed_out == 1
    here.time.reach(MORNING + 9 * DAY)  # A Wednesday, the seventh working day: until its end.
    assert (await clock.tick()).expired == 0
    here.time.reach(MORNING + 10 * DAY)
    assert (await clock.tick()).expired == 1
    assert await ends_of(here, asked, offered) == [PAIR, ["TransferTimedOut"]]


async def test_two_clocks_at_once_have_one_effect_each(here: Office, there: Office) -> None:
    asked = [await here.asked(WEEK) for _ in range(20)]
    offered = [await here.offered(WEEK) for _ in range(20)]
    here.time.reach(WEEK + SECOND)
    await here.runner.catch_up()
    one, other = await asyncio.gather(here.clock().tick(), there.clock().tick())
    assert one.expired + other.expired == 20
    assert one.timed_out + other.timed_out == 20
    assert await ends_of(here, *asked) == [PAIR] * 20
    assert await ends_of(here, *offered) == [["TransferTimedOut"]] * 20


async def test_a_clock_that_starts_again_with_rows_that_lag_does_nothing_twice(
    here: Office, open_store: OpenStore
) -> None:
    dossiers = [await here.asked(WEEK), await here.offered(WEEK)]
    here.time.reach(WEEK + SECOND)
    done = await here.clock().tick()  # Nobody brings the overview up afterwards.
    assert (done.expired, done.timed_out) == (1, 1)
    async with office(open_store, here.time, None) as again:
        done = await again.clock(stale=True).tick()
        assert (done.expired, done.timed_out) == (0, 0)
    assert await ends_of(here, *dossiers) == [PAIR, ["TransferTimedOut"]]


async def test_a_clock_that_is_killed_in_the_midst_is_followed_by_one_that_finishes(
    here: Office, there: Office
) -> None:
    dossiers = [await here.asked(WEEK) for _ in range(60)]
    here.time.reach(WEEK + SECOND)
    await here.runner.catch_up()
    head = (await there.process.store.read()).position
    ticking = asyncio.create_task(here.clock().tick())
    for _ in range(1_000):
        if (await there.process.store.read()).position > head:
            break
    ticking.cancel()
    await asyncio.wait([ticking])
    await there.clock().tick()
    assert await ends_of(here, *dossiers) == [PAIR] * 60


@pytest.mark.parametrize("slam", Slam)
async def test_an_answer_that_was_lost_at_the_commit_has_one_effect(
    database_url: str, slam: Slam, open_store: OpenStore
) -> None:
    async with office(open_store, Time()) as here:
        dossier = await here.asked(WEEK)
        here.time.reach(WEEK + SECOND)
        await here.runner.catch_up()
        async with (
            door_before(database_url) as door,
            opened(door.url, now=here.time) as process,
        ):
            behind = Office(process, here.time, (await hosted(process)).runner)
            clock = behind.clock(stale=True)
            door.slam = slam
            assert (await clock.tick()).expired == 1
            assert door.slammed == 1
            assert (await clock.tick()).expired == 0
        assert await ends_of(here, dossier) == [PAIR]


async def test_an_answer_that_is_told_after_the_expiry_leaves_the_dossier_open(
    here: Office,
) -> None:
    dossier = await here.asked(WEEK)
    clock = here.clock()
    here.time.reach(WEEK + HOUR)
    await clock.tick()
    assert (await here.dossier(dossier)).status is Status.STOPPED
    await here.told(dossier, supplement_completed(), WEEK - HOUR)
    state = await here.dossier(dossier)
    assert state.status is Status.IN_PROCESS
    assert "overtaken" in [finding.kind for finding in state.irregularities]
    here.time.reach(WEEK + DAY)
    assert (await clock.tick()).expired == 0
    await here.order(dossier, RequestSupplement(reason="Lần nữa.", answer_by=WEEK + 2 * DAY))
    here.time.reach(WEEK + 3 * DAY)
    assert (await clock.tick()).expired == 1
    assert (await here.dossier(dossier)).status is Status.STOPPED


async def test_a_transfer_whose_answer_is_told_late_was_taken_over(here: Office) -> None:
    dossier = await here.offered(MORNING + 2 * HOUR)
    here.time.reach(MORNING + 3 * HOUR)
    assert (await here.clock().tick()).timed_out == 1
    await here.told(dossier, transfer_accepted(), MORNING + HOUR)
    state = await here.dossier(dossier)
    assert (state.custodian_unit, state.status) == (AGENCY, Status.IN_PROCESS)
    assert [finding.kind for finding in state.irregularities] == ["no-open-offer"]


async def test_what_was_due_when_the_ledger_was_told_waits_ten_minutes_for_the_rest(
    here: Office,
) -> None:
    dossiers = [await here.accepted() for _ in range(2)]
    late = WEEK + HOUR
    here.time.reach(late)
    for dossier in dossiers:
        await here.order(dossier, StartStep(step="Thẩm định"))
    here.time.reach(late + HOUR)
    asking = [
        SupplementRequested(**{**vars(supplement_requested()), "answer_by": late + MINUTE})
        for _ in dossiers
    ]
    for dossier, event in zip(dossiers, asking, strict=True):
        await here.told(dossier, event, late)
    clock = here.clock()
    assert (await clock.tick()).expired == 0
    here.time.reach(late + HOUR + 9 * MINUTE)
    await here.told(dossiers[0], supplement_completed(), late)  # The rest of the batch.
    assert (await clock.tick()).expired == 0
    here.time.reach(late + HOUR + 10 * MINUTE)
    assert (await clock.tick()).expired == 1
    assert await ends_of(here, *dossiers) == [[], PAIR]


async def test_a_dossier_for_which_nobody_can_act_stops_no_other(here: Office) -> None:
    lone = unit_registered(UnitCode("H09"), parent=None)
    await tell(here.process, lone)
    stuck = await here.accepted(lone.code, lone.code)
    await here.order(stuck, StartStep(step="Thẩm định"))
    await here.order(stuck, RequestSupplement(reason="Thiếu.", answer_by=WEEK - HOUR))
    others = [await here.asked(WEEK) for _ in range(3)]
    await tell(here.process, unit_ended(lone.code, ended_at=here.time(), successors=()))
    here.time.reach(WEEK + SECOND)
    clock = here.clock()
    assert (await clock.tick()).expired == 3
    assert (await clock.tick()).expired == 0
    assert await ends_of(here, stuck, *others) == [[], PAIR, PAIR, PAIR]
    await here.order(stuck, SucceedUnit(predecessor=lone.code, successor=AGENCY))
    here.time.reach(WEEK + HOUR)
    assert (await clock.tick()).expired == 1


async def test_what_was_refused_before_its_time_is_not_refused_for_ever(here: Office) -> None:
    dossier = await here.asked(WEEK)
    state = await here.dossier(dossier)
    assert state.clock is not None
    (asked,) = state.clock.interruptions
    refused = await here.machine.send(ExpireSupplement(), state, f"supplement-expired/{asked.by}")
    assert refused.outcome.kind == "refused"
    here.time.reach(WEEK + SECOND)
    assert (await here.clock().tick()).expired == 1
    assert await ends_of(here, dossier) == [PAIR]


async def test_what_somebody_corrects_is_not_done_again(here: Office) -> None:
    dossier = await here.offered(MORNING + HOUR)
    clock = here.clock()
    here.time.reach(MORNING + 2 * HOUR)
    await clock.tick()
    timed_out = (await here.events(dossier))[-1].event.meta.event_id
    correction = EventCorrected(**{**vars(corrected()), "corrects": timed_out})
    await here.told(dossier, correction, here.time())
    assert (await here.dossier(dossier)).offer is not None
    here.time.reach(MORNING + 3 * HOUR)
    for clock_of_then in (clock, here.clock()):
        assert (await clock_of_then.tick()).timed_out == 0
    assert await ends_of(here, dossier) == [["TransferTimedOut"]]


async def test_dates_are_recomputed_at_the_start_and_when_a_calendar_is_decided(
    here: Office,
) -> None:
    await here.accepted()
    await here.decide("late", off=days((3, 3)))
    clock = here.clock()
    one = Recomputed(examined=1, moved=1)
    assert await clock.tick() == Ticked(recomputed=one)
    assert await clock.tick() == Ticked()
    await here.decide("later", off=days((3, 4)))
    assert await clock.tick() == Ticked(recomputed=one)
    assert await clock.tick() == Ticked()


async def test_a_date_that_a_fact_moves_after_the_decision_follows_within_a_minute(
    here: Office,
) -> None:
    dossier, _quiet = await here.asked(), await here.asked()
    await here.decide("late", off=days((3, 3)))
    clock = here.clock()
    await clock.tick()
    here.time.reach(MORNING + HOUR)
    await clock.tick()
    await here.told(dossier, supplement_completed(), MORNING + HOUR)
    here.time.reach(MORNING + HOUR + 59 * SECOND)
    assert (await clock.tick()).recomputed == Recomputed()
    here.time.reach(MORNING + HOUR + MINUTE)
    assert (await clock.tick()).recomputed == Recomputed(examined=1, moved=1)


async def test_what_could_not_be_recomputed_is_tried_again_after_ten_minutes(
    here: Office,
) -> None:
    await here.accepted()
    await here.decide("flood", off=days((3, 3)), unit=AGENCY)
    await here.decide("dry", working=days((3, 3)), unit=AGENCY)
    clock = here.clock()
    failed = Recomputed(examined=1, failed=1)
    assert (await clock.tick()).recomputed == failed
    assert (await clock.tick()).recomputed == Recomputed()
    for minutes in (15, 30):
        here.time.reach(MORNING + minutes * MINUTE)
        assert (await clock.tick()).recomputed == failed


async def test_two_clocks_at_once_recompute_each_dossier_once(here: Office, there: Office) -> None:
    dossiers = [await here.accepted() for _ in range(20)]
    await here.decide("late", off=days((3, 3)))
    await here.runner.catch_up()
    one, other = await asyncio.gather(here.clock().tick(), there.clock().tick())
    assert one.recomputed.moved + other.recomputed.moved == 20
    assert await ends_of(here, *dossiers) == [["DueDateRecomputed"]] * 20


async def leads(clock: Timekeeper) -> bool:
    return clock.leading


async def has_ended(here: Office, dossier: object) -> bool:
    return await ends_of(here, dossier) == [PAIR]


async def test_one_clock_leads_and_another_takes_over_when_it_ends(
    here: Office, there: Office
) -> None:
    first, second = here.clock(), there.clock()
    first.start()
    await until(lambda: leads(first))
    second.start()
    dossier = await here.asked(WEEK)
    here.time.reach(WEEK + SECOND)
    await until(lambda: has_ended(here, dossier))
    assert not second.leading
    await first.close()
    assert not first.leading
    await until(lambda: leads(second))
    dossier = await here.asked(WEEK + HOUR)
    here.time.reach(WEEK + 2 * HOUR)
    await until(lambda: has_ended(here, dossier))
    await second.close()


async def test_a_clock_whose_lock_is_lost_acts_no_more_until_it_has_it_again(
    here: Office, there: Office, owner: asyncpg.Connection
) -> None:
    dossier = await here.asked(WEEK)
    first, second = here.clock(), there.clock()
    first.start()
    await until(lambda: leads(first))
    async with owner.transaction():  # So that the first one is in the midst of its work.
        await owner.execute("SELECT FROM ledger.head FOR UPDATE")
        here.time.reach(WEEK + SECOND)
        await until(lambda: waits(owner))
        second.start()
        holder = await owner.fetchval(HOLDER, Lock.KEEP_THE_TIME)
        await owner.execute("SELECT pg_terminate_backend($1)", holder)
        await until(lambda: leads_instead(second, first))
    await until(lambda: has_ended(here, dossier))
    await second.close()
    await until(lambda: leads(first))
    await first.close()
    assert await ends_of(here, dossier) == [PAIR]


async def waits(owner: asyncpg.Connection) -> bool:
    return bool(
        await owner.fetchval(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
    )


async def leads_instead(second: Timekeeper, first: Timekeeper) -> bool:
    return second.leading and not first.leading


async def test_a_clock_goes_on_when_the_database_is_back(database_url: str, here: Office) -> None:
    dossier = await here.asked(WEEK)
    async with (
        door_before(database_url) as door,
        opened(door.url, now=here.time) as process,
    ):
        clock = Office(process, here.time, (await hosted(process)).runner).clock()
        clock.start()
        await until(lambda: leads(clock))
        await door.send_home()
        here.time.reach(WEEK + SECOND)
        await until(lambda: has_ended(here, dossier))
        await until(lambda: leads(clock))
        await clock.close()

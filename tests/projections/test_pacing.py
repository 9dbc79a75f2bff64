"""Work in slices: whoever shares the loop gets it back, and idle time is not counted as work."""

import asyncio
from itertools import count

import pytest

from projections.hosting import pacing
from projections.hosting.pacing import Pace


class Watch:
    """A clock that is moved by hand, and what was slept meanwhile."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []
        self.others = 0.0  # What a turn of the loop takes them.

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds + (0 if seconds else self.others)


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    made = Watch()
    monkeypatch.setattr(pacing, "monotonic", made)
    monkeypatch.setattr(asyncio, "sleep", made.sleep)
    return made


async def test_a_slice_ends_after_some_milliseconds(watch: Watch) -> None:
    pace = Pace(beside_desks=True)
    for _ in count():
        await pace.breathe()
        if watch.slept:
            break
        watch.now += 0.001
    assert watch.slept == [0]
    assert watch.now == pytest.approx(0.004)


async def test_where_others_work_it_rests_longer_than_it_worked(watch: Watch) -> None:
    pace, watch.others = Pace(beside_desks=True), 0.01
    watch.now += 0.005
    await pace.breathe()
    assert watch.slept == [0, pytest.approx(0.0075)]


async def test_where_what_it_does_can_wait_it_rests_far_longer(watch: Watch) -> None:
    pace, watch.others = Pace(beside_desks=True), 0.01
    pace.is_patient = True
    watch.now += 0.005
    await pace.breathe()
    assert watch.slept == [0, pytest.approx(0.03)]


def test_beside_desks_work_is_divided_and_alone_it_is_not() -> None:
    work = list(range(120))
    assert [len(some) for some in Pace(beside_desks=True).portions(work)] == [50, 50, 20]
    assert list(Pace(beside_desks=False).portions(work)) == [work]
    assert list(Pace(beside_desks=False).portions([])) == []


async def test_time_in_which_the_database_was_asked_is_no_work(watch: Watch) -> None:
    pace, watch.others = Pace(beside_desks=True), 0.01
    watch.now += 0.1
    pace.rested()
    watch.now += 0.001
    await pace.breathe()
    assert watch.slept == []


async def test_whoever_is_alone_goes_on(watch: Watch) -> None:
    pace = Pace(beside_desks=False)
    watch.now += 1
    await pace.breathe()
    assert watch.slept == []

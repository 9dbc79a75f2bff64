"""What several processes count together: here each is one that has mapped the same memory."""

from collections.abc import Iterator
from typing import BinaryIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.http.counting import Counts, shared_memory
from api.services import Gauges
from domain.errors import TooManyRequests
from tests.looking import examples

NEVER_MORE = 1e-9  # So slow that no test meets a request given back.


@pytest.fixture
def memory() -> Iterator[BinaryIO]:
    with shared_memory() as memory:
        yield memory


def spent(counts: Counts, address: str, burst: int, rate: float) -> bool:
    try:
        counts.spend(address, burst, rate)
    except TooManyRequests:
        return False
    return True


@given(st.integers(1, 50), st.lists(st.integers(0, 2), max_size=120))
@settings(max_examples=examples(100))
def test_an_address_has_one_allowance_whichever_process_it_asks(
    burst: int, asked: list[int]
) -> None:
    with shared_memory() as memory:
        processes = [Counts(memory, place) for place in range(3)]
        answers = [spent(processes[place], "10.0.0.1", burst, NEVER_MORE) for place in asked]
    assert answers == [number < burst for number in range(len(asked))]


def test_an_allowance_is_given_back_with_time_and_each_address_has_its_own(
    memory: BinaryIO,
) -> None:
    counts = Counts(memory, 0)
    assert all(spent(counts, "10.0.0.1", 1, 1e9) for _ in range(100))
    assert spent(counts, "10.0.0.2", 1, NEVER_MORE)
    assert not spent(counts, "10.0.0.2", 1, NEVER_MORE)
    assert spent(counts, "10.0.0.3", 1, NEVER_MORE)


def test_figures_are_those_of_all_processes(memory: BinaryIO) -> None:
    one, other = Counts(memory, 0), Counts(memory, 63)
    one.total(Gauges(queued=1, batches=2, appended=3))
    assert other.total(Gauges(10, 20, 30)) == Gauges(11, 22, 33)
    assert other.total(Gauges(0, 21, 33)) == Gauges(1, 23, 36)


def test_what_a_process_counted_before_it_died_was_counted(memory: BinaryIO) -> None:
    Counts(memory, 1).total(Gauges(queued=5, batches=6, appended=7))
    successor = Counts(memory, 1)
    assert successor.total(Gauges(0, 0, 0)) == Gauges(0, 6, 7)
    assert successor.total(Gauges(1, 1, 1)) == Gauges(1, 7, 8)


def test_who_is_alone_counts_alone() -> None:
    Counts.alone().total(Gauges(1, 1, 1))
    assert Counts.alone().total(Gauges(2, 2, 2)) == Gauges(2, 2, 2)

"""The shipped calendar decisions, and the proposals that the Labour Code gives for a year."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from domain.errors import InvalidRequest
from domain.ledger.registering import Change, Keeper, Registers
from domain.rules.calendars import CalendarDecided
from infra.memory import MemoryStore
from streams.registers.holiday_proposals import VERIFIED, proposal
from streams.registers.shipped_calendars import shipped_calendars
from tests.streams.files import now

DAY = timedelta(days=1)
ISSUED = date(2026, 11, 22)
SATURDAY = 5

# Computed astronomically at UTC+7. In China 2030 begins on 3 February.
LUNAR = {
    "2018-02-16": "2018-04-25",
    "2019-02-05": "2019-04-14",
    "2020-01-25": "2020-04-02",
    "2021-02-12": "2021-04-21",
    "2022-02-01": "2022-04-10",
    "2023-01-22": "2023-04-29",
    "2024-02-10": "2024-04-18",
    "2025-01-29": "2025-04-07",
    "2026-02-17": "2026-04-26",
    "2027-02-06": "2027-04-16",
    "2028-01-26": "2028-04-04",
    "2029-02-13": "2029-04-23",
    "2030-02-02": "2030-04-12",
    "2031-01-23": "2031-04-01",
    "2032-02-11": "2032-04-19",
    "2033-01-31": "2033-04-09",
}
TET = {day.year: day for day in map(date.fromisoformat, LUNAR)}
GIO_TO = {day.year: day for day in map(date.fromisoformat, LUNAR.values())}


def run(first: date, days: int) -> set[date]:
    return {first + n * DAY for n in range(days)}


def workdays(days: set[date]) -> set[date]:
    return {day for day in days if day.weekday() < SATURDAY}


def holidays_by_law(year: int) -> set[date]:
    """Return the holidays of Điều 112, with Tết and Quốc khánh placed as is usual."""
    tet = run(TET[year] - DAY, 5)
    if any(day.weekday() == SATURDAY for day in tet):
        tet = run(TET[year] - 2 * DAY, 5)
    second = date(year, 9, 2)
    beside = second + (DAY if second.strftime("%a") in {"Sun", "Mon", "Thu"} else -DAY)
    national = {second, beside} if year >= 2021 else {second}
    others = {date(year, 1, 1), GIO_TO[year], date(year, 4, 30), date(year, 5, 1)}
    return tet | national | others


def off_by_law(year: int) -> set[date]:
    """Return the holidays and, by Điều 111.3, the next working day for each on a rest day."""
    off = holidays_by_law(year)
    for day in sorted(off - workdays(off)):
        instead = day
        while instead in off or instead.weekday() >= SATURDAY:
            instead += DAY
        off.add(instead)
    return off


def shipped(*, proposals: bool) -> list[CalendarDecided]:
    return [each for each in shipped_calendars() if each.proposal == proposals]


def off_in(decisions: list[CalendarDecided]) -> set[date]:
    return {day for each in decisions for day in each.off}


async def test_the_shipped_decisions_register_once() -> None:
    registers = Registers(MemoryStore(now), now)
    keeper = Keeper(principal="test", source="test")
    entries = shipped_calendars()
    changes = [await registers.put(entry, keeper) for _ in (1, 2) for entry in entries]
    assert changes == [Change.RECORDED] * len(entries) + [Change.UNCHANGED] * len(entries)
    assert len({each.id for each in entries}) == len(entries)
    assert {(each.calendar, each.unit) for each in entries} == {("VN", None)}


def test_the_decided_days_of_2026() -> None:
    decided = shipped(proposals=False)
    off = off_in(decided)
    assert off == (
        run(date(2026, 1, 1), 4)
        | run(date(2026, 2, 14), 9)
        | run(date(2026, 4, 26), 2)
        | run(date(2026, 4, 30), 2)
        | run(date(2026, 9, 1), 2)
    )
    assert [day for each in decided for day in each.working] == [date(2026, 1, 10)]


def test_what_was_decided_for_2026_is_the_law_and_one_swap() -> None:
    decided = workdays(off_in(shipped(proposals=False)))
    assert decided == workdays(off_by_law(2026)) | {date(2026, 1, 2)}


def test_what_is_not_confirmed_is_a_proposal() -> None:
    waiting = {each.id: each for each in shipped(proposals=True)}
    assert sorted(waiting) == ["2026-culture-day", "2026-national-day-swap", "2027-base"]
    swap = waiting["2026-national-day-swap"]
    assert (swap.off, swap.working) == ((date(2026, 8, 31),), (date(2026, 8, 22),))
    assert waiting["2026-culture-day"].off == (date(2026, 11, 24),)


@pytest.mark.parametrize("year", VERIFIED)
def test_a_proposal_is_what_the_law_gives(year: int) -> None:
    proposed = proposal(year, ISSUED)
    assert (proposed.id, proposed.issued, proposed.proposal) == (f"{year}-base", ISSUED, True)
    assert proposed.working == ()
    off = set(proposed.off)
    assert len(off) == len(proposed.off)
    assert {TET[year], GIO_TO[year]} <= holidays_by_law(year) <= off
    assert workdays(off) == workdays(off_by_law(year))


def test_every_verified_year_is_in_the_table() -> None:
    assert list(TET) == list(GIO_TO) == list(VERIFIED)


def test_tet_of_2030_is_that_of_vietnam() -> None:
    off = [day.isoformat() for day in proposal(2030, ISSUED).off if day.month in {1, 2}]
    assert off[:3] == ["2030-01-01", "2030-01-31", "2030-02-01"]
    assert off[-1] == "2030-02-06"  # 31/01 to 04/02, and two days for the Saturday and Sunday.


@pytest.mark.parametrize("swapped", ["2018-12-31", "2019-04-29", "2025-05-02", "2026-08-31"])
def test_a_swap_is_no_part_of_the_base(swapped: str) -> None:
    day = date.fromisoformat(swapped)
    assert day not in proposal(day.year, ISSUED).off


def test_the_code_in_force_is_named() -> None:
    assert "Bộ luật Lao động 2012" in str(proposal(2020, ISSUED).title)
    assert "Bộ luật Lao động 2019 (45/2019/QH14), Điều 111-112" in str(proposal(2021, ISSUED).title)


@pytest.mark.parametrize("year", [0, 2007, 2017, 2034, 10**6])
def test_a_year_that_was_not_verified_is_refused(year: int) -> None:
    with pytest.raises(InvalidRequest, match="2018 to 2033"):
        proposal(year, ISSUED)


def test_the_stored_base_of_2027_is_the_proposal() -> None:
    (stored,) = [each for each in shipped_calendars() if each.id == "2027-base"]
    made = proposal(2027, stored.issued)
    assert replace(stored, title=None) == replace(made, title=None)
    told, now_told = str(stored.title).split(";"), str(made.title).split(";")
    assert told[0] == now_told[0]  # After it stands the library's version of then.
    assert "thư viện holidays 0.109 đề xuất" in told[1]

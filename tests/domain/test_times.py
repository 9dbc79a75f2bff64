"""A time has a precision and an offset; both decide where it stands and whether it may stand."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from domain.dossier.endings import DossierStopped, DossierWithdrawn, ResolutionRefused
from domain.dossier.intake import DossierAccepted, DossierSubmitted
from domain.dossier.results import ResultAtDesk, ResultReturned
from domain.dossier.supplements import SupplementExpired
from domain.dossier.work import StepCompleted, StepStarted
from domain.envelope import LedgerEvent, TimePrecision
from domain.errors import TimeInFuture, TimeWithoutOffset
from domain.ledger.times import TOLERANCE, occurred_at, offset_minutes, refuse_future
from tests.examples import MORNING, VIETNAM, accepted

DAY = TimePrecision.DAY
HALF_PAST_NINE = datetime(2026, 3, 2, 9, 30, tzinfo=VIETNAM)
NOW = datetime(2026, 3, 2, 16, 58, tzinfo=UTC)  # 23:58 in Việt Nam.


@pytest.mark.parametrize(
    "end",
    [ResultAtDesk, ResultReturned, DossierWithdrawn, DossierStopped,
     ResolutionRefused, StepCompleted, SupplementExpired],
)  # fmt: skip
def test_an_end_without_an_hour_is_at_the_end_of_its_day(end: type[LedgerEvent]) -> None:
    expected = datetime(2026, 3, 2, 23, 59, 59, 999_999, tzinfo=VIETNAM)
    assert occurred_at(end, HALF_PAST_NINE, DAY, VIETNAM) == expected


@pytest.mark.parametrize("start", [DossierSubmitted, DossierAccepted, StepStarted])
def test_a_start_without_an_hour_is_when_the_office_opens(start: type[LedgerEvent]) -> None:
    expected = datetime(2026, 3, 2, 7, 0, tzinfo=VIETNAM)
    assert occurred_at(start, HALF_PAST_NINE, DAY, VIETNAM) == expected


def test_a_dossier_accepted_and_resolved_on_the_same_day_keeps_its_order() -> None:
    start = occurred_at(DossierAccepted, HALF_PAST_NINE, DAY, VIETNAM)
    assert start < occurred_at(ResultAtDesk, HALF_PAST_NINE, DAY, VIETNAM)


@pytest.mark.parametrize("precision", [TimePrecision.MINUTE, TimePrecision.SECOND])
@pytest.mark.parametrize("kind", [DossierAccepted, ResultAtDesk])
def test_a_time_with_an_hour_is_taken_as_stated_and_kept_in_utc(
    kind: type[LedgerEvent], precision: TimePrecision
) -> None:
    moment = occurred_at(kind, HALF_PAST_NINE, precision, VIETNAM)
    assert (moment, moment.tzinfo) == (HALF_PAST_NINE, UTC)


@pytest.mark.parametrize("offset", [-7, 0, 7, 9])
def test_the_day_is_that_of_the_instant_in_the_zone_of_the_unit(offset: int) -> None:
    """A client that rewrites a time in UTC tells the same day."""
    written = datetime(2026, 3, 2, 0, 30, tzinfo=VIETNAM).astimezone(
        timezone(timedelta(hours=offset))
    )
    moment = occurred_at(DossierAccepted, written, DAY, VIETNAM)
    assert moment == datetime(2026, 3, 2, 7, 0, tzinfo=VIETNAM)
    elsewhere = occurred_at(DossierAccepted, written, DAY, ZoneInfo("Europe/London"))
    assert elsewhere == datetime(2026, 3, 1, 7, 0, tzinfo=UTC)


def test_an_event_tells_its_time_in_the_offset_that_was_stated() -> None:
    assert accepted().occurred_at == MORNING
    assert accepted().occurred_at.isoformat() == "2026-03-02T09:15:00+07:00"


@pytest.mark.parametrize(
    ("offset", "minutes"),
    [
        (timedelta(hours=7), 420),
        (timedelta(0), 0),
        (timedelta(hours=-3, minutes=-30), -210),
        (timedelta(hours=5, minutes=45), 345),
    ],
)
def test_an_offset_is_kept_in_minutes(offset: timedelta, minutes: int) -> None:
    assert offset_minutes(HALF_PAST_NINE.replace(tzinfo=timezone(offset))) == minutes


def test_a_time_without_offset_is_no_moment() -> None:
    with pytest.raises(TimeWithoutOffset, match="due has no UTC offset"):
        offset_minutes(HALF_PAST_NINE.replace(tzinfo=None), "due")


def test_five_minutes_ahead_is_a_clock_that_differs_and_no_more() -> None:
    refuse_future(NOW + TOLERANCE, TimePrecision.SECOND, NOW, VIETNAM)
    with pytest.raises(TimeInFuture):
        refuse_future(NOW + TOLERANCE + timedelta.resolution, TimePrecision.SECOND, NOW, VIETNAM)


@pytest.mark.parametrize("hour", [0, 9, 23])
def test_today_is_not_in_the_future_whatever_hour_it_is_written_with(hour: int) -> None:
    refuse_future(datetime(2026, 3, 2, hour, 59, tzinfo=VIETNAM), DAY, NOW, VIETNAM)


def test_a_day_is_in_the_future_by_its_date_in_the_zone_of_the_unit() -> None:
    tomorrow = datetime(2026, 3, 3, tzinfo=VIETNAM)
    refuse_future(tomorrow, DAY, NOW, VIETNAM)  # In two minutes, so within the tolerance.
    with pytest.raises(TimeInFuture):
        refuse_future(tomorrow, DAY, NOW - TOLERANCE, VIETNAM)
    with pytest.raises(TimeInFuture):
        refuse_future(tomorrow + timedelta(days=1), DAY, NOW, VIETNAM)

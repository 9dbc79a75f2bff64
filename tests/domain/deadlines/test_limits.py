"""What nobody may decide or ask for, and what old or hostile entries of the registers cannot do."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest

from domain.deadlines.decided import applied, deciding
from domain.dossier.appointments import DueDateRecomputed
from domain.dossier.chapter import DossierCommand
from domain.dossier.competence import TransferCompetence
from domain.dossier.supplements import CompleteSupplement, ExpireSupplement, RequestSupplement
from domain.dossier.transfers import OfferTransfer
from domain.envelope import UnitCode
from domain.errors import IllegalTransition, InvalidRequest
from domain.ledger.registering import Keeper, Registers
from domain.rules.calendars import DECIDABLE
from domain.rules.policies import PolicyDecided
from domain.rules.procedures import ProcedurePublished, ProcedureStep
from domain.rules.register import RegisterEvent, stream_of
from domain.rules.units import UnitRegistered
from infra.memory import MemoryStore
from tests import examples as say
from tests.domain.deadlines.given import (
    FIVE_DAYS,
    LATER,
    NEIGHBOUR,
    accepted,
    after,
    asked,
    assigned,
    book,
    decided,
    kinds,
    learn,
    moment,
    recomputed,
    state,
    told,
    trying,
    wall,
)
from tests.examples import AGENCY

KEEPER = Keeper(principal="machine", source="tests")
HUGE = 9_000_000_000_000_000


def policy(**said: object) -> PolicyDecided:
    stamp = say.stamp("policy", stream_of("policy", "VN"))
    return PolicyDecided(**stamp, issued=date(2026, 1, 5), **said)  # type: ignore[arg-type]  # a field each


def step(hours: float) -> ProcedurePublished:
    steps = (ProcedureStep(name="Thẩm định", role="Công chức", hours=hours),)
    return replace(FIVE_DAYS, steps=steps, unit=None)


NONSENSE: dict[str, Callable[[], RegisterEvent]] = {
    "hours to answer a transfer": lambda: policy(transfer_answer_hours=HUGE),
    "hours to accept": lambda: policy(intake_hours=HUGE),
    "days to answer a supplement": lambda: policy(supplement_answer_days=HUGE),
    "no office hours": lambda: policy(sessions=()),
    "office hours backwards": lambda: policy(sessions=("11:30-07:00",)),
    "a cut-off that is no hour": lambda: policy(cutoff="25:00"),
    "a step without end": lambda: step(9e15),
    "days to ask for a supplement": lambda: replace(
        FIVE_DAYS, unit=None, supplement_notice_days=HUGE
    ),
    "a day before all": lambda: decided("old", off=["0001-01-01"]),
    "a day after all": lambda: decided("far", off=["9999-12-31"]),
    "off and worked at once": lambda: decided("both", off=["2026-08-31"], working=["2026-08-31"]),
    "hours of one day twice": lambda: decided("twice", short=("2026-08-03", "2026-08-03")),
}


@pytest.mark.parametrize("nonsense", NONSENSE)
async def test_what_no_calendar_could_hold_is_not_recorded(nonsense: str) -> None:
    store = MemoryStore(lambda: LATER)
    with pytest.raises(Exception, match=r"\.$") as refused:
        await Registers(store, lambda: LATER).put(NONSENSE[nonsense](), KEEPER)
    assert getattr(refused.value, "code", None) in {"invalid-request", "calendar-contradicts"}
    assert store.rows == []


@pytest.mark.parametrize("year", [DECIDABLE[0], DECIDABLE[-1]])
async def test_the_first_and_the_last_year_may_be_decided(year: int) -> None:
    store = MemoryStore(lambda: LATER)
    await Registers(store, lambda: LATER).put(decided("edge", off=[f"{year}-01-01"]), KEEPER)
    assert len(store.rows) == 1


def test_an_absurd_policy_that_was_recorded_before_limits_nothing_and_stops_nothing() -> None:
    rules = book(FIVE_DAYS, policy(transfer_answer_hours=HUGE))
    dossier = state(
        rules,
        accepted(rules, "2026-03-02T09:00"),
        told(say.transfer_offered(), "2026-03-02T10:00"),
    )
    assert (wall(dossier.due), kinds(dossier)) == ("2026-03-09T09:00", [])
    assert dossier.transfer_answer_by is None


def test_what_settles_a_day_is_what_the_calendar_works_by_where_levels_of_units_disagree() -> None:
    room = UnitRegistered(
        **say.stamp("unit-room", stream_of("unit", "H01.9")),
        code=UnitCode("H01.9"),
        name="Phòng",
        parent=AGENCY,
    )
    rules = book(
        FIVE_DAYS,
        room,
        decided("above", off=["2026-09-10"], working=["2026-09-12"], unit=AGENCY),
        decided("own", off=["2026-09-12"], working=["2026-09-10"], unit=room.code),
    )
    use = rules.calendar_use(room.code)
    calendar = rules.working_calendar(use, 0)
    settled = deciding(applied(rules.decisions("VN", use.version), use.units), use.units)
    for day, decision in settled.items():
        assert calendar.is_open(day) is (day not in decision.off)
    assert settled[date(2026, 9, 10)].id == settled[date(2026, 9, 12)].id == "own"


def test_a_recomputation_counts_only_for_the_calendar_that_it_replaced() -> None:
    """The acceptance that it was made for was corrected; the new one counts by another calendar."""
    rules = book(FIVE_DAYS)
    start = accepted(rules, "2026-03-02T09:00")
    learn(rules, decided("storm", off=["2026-03-05"]))
    *_, move = recomputed(rules, [start], "2026-03-03T09:00")
    learn(rules, decided("flood", off=["2026-03-06"], unit=NEIGHBOUR))
    other = accepted(rules, "2026-03-02T09:00", competent=NEIGHBOUR)
    dossier = state(rules, other, move)
    assert isinstance(move, DueDateRecomputed)
    assert dossier.clock is not None
    assert dossier.clock.calendar == other.calendar_used != move.moved.calendar
    assert dossier.due == state(rules, other).due


def test_rule_3_8_a_supplement_asked_after_the_due_date_lets_no_newer_calendar_in_either() -> None:
    """A storm moved the date and was taken back: the date that stands is told again."""
    rules = book(FIVE_DAYS)
    start = [accepted(rules, "2026-03-02T09:00"), assigned("2026-03-02T10:00")]
    learn(rules, decided("storm", off=["2026-03-05", "2026-03-06"]))
    moved = recomputed(rules, start, "2026-03-03T09:00")
    assert wall(state(rules, *moved).due) == "2026-03-11T09:00"
    learn(rules, decided("storm", working=["2026-03-05", "2026-03-06"]))
    waiting = [*moved, asked("2026-03-17T09:00")]
    resumed = after(rules, waiting, CompleteSupplement(), "2026-03-19T09:00")
    assert wall(state(rules, *resumed).due) == "2026-03-11T09:00"


PAST = moment("2025-01-01T00:00")


@pytest.mark.parametrize(
    "command",
    [
        RequestSupplement(reason="Thiếu.", answer_by=PAST),
        OfferTransfer(to_unit=NEIGHBOUR, answer_by=PAST),
    ],
    ids=lambda command: command.NAME,
)
def test_an_answer_is_awaited_until_a_time_that_lies_ahead(command: DossierCommand) -> None:
    rules = book(FIVE_DAYS)
    working = [accepted(rules, "2026-03-02T09:00"), assigned("2026-03-02T10:00")]
    trying(rules, working, command, "2026-03-03T09:00").then_refused(InvalidRequest, "ahead")


def test_a_limit_that_was_over_before_anybody_asked_is_none() -> None:
    rules = book(FIVE_DAYS)
    late = replace(say.supplement_requested(), answer_by=PAST)
    dossier = state(rules, accepted(rules, "2026-03-02T09:00"), told(late, "2026-03-03T09:00"))
    assert dossier.answer_by is None


def test_a_second_request_gives_more_time_and_takes_none() -> None:
    rules = book(FIVE_DAYS)
    start = accepted(rules, "2026-03-02T09:00")
    days = ["2026-03-10T17:00", "2026-03-20T17:00", "2026-03-12T17:00"]
    requests = [
        told(
            replace(say.supplement_requested(f"asked {n}"), answer_by=moment(day)),
            f"2026-03-0{n}T09:00",
        )
        for n, day in enumerate(days, 3)
    ]
    assert state(rules, start, *requests).answer_by == moment("2026-03-20T17:00")


def test_nothing_expires_by_a_fact_that_counts_until_the_end_of_its_day() -> None:
    """A command comes after it in the history; the time that is left is that of the clock."""
    rules = book(FIVE_DAYS)
    request = replace(say.supplement_requested(), answer_by=moment("2026-03-04T17:00"))
    waiting = [
        accepted(rules, "2026-03-02T09:00"),
        told(request, "2026-03-03T09:00"),
        told(say.step_completed(), "2026-03-04T23:59"),
    ]
    attempt = trying(rules, waiting, ExpireSupplement(), "2026-03-04T23:59")
    early = replace(attempt, situation=replace(attempt.situation, now=moment("2026-03-04T09:00")))
    early.then_refused(IllegalTransition, "awaited")
    attempt.decided()


def test_a_transferred_competence_lets_the_new_offices_closures_count() -> None:
    rules = book(FIVE_DAYS, decided("flood", off=["2026-03-06"], unit=NEIGHBOUR))
    working = [accepted(rules, "2026-03-02T09:00"), assigned("2026-03-02T10:00")]
    moved = after(rules, working, TransferCompetence(to_unit=NEIGHBOUR), "2026-03-03T09:00")
    assert wall(state(rules, *working).due) == "2026-03-09T09:00"
    assert wall(state(rules, *moved).due) == "2026-03-10T09:00"


def test_an_acceptance_that_names_no_calendar_keeps_the_date_that_was_printed() -> None:
    """As acceptances did before calendars were named."""
    rules = book(FIVE_DAYS)
    old = replace(accepted(rules, "2026-03-02T09:00"), calendar_used=None, policy_version=None)
    ended = told(say.result_at_desk(), "2026-03-05T09:00")
    assert wall(state(rules, old, ended).first_due) == "2026-03-09T09:00"
    assert state(rules, old).date_findings == ()


def test_many_short_pauses_add_up() -> None:
    rules = book(FIVE_DAYS)
    outages = [
        told(say.incident_began(f"down {n}"), f"2026-03-02T10:{n:02}") for n in range(1, 40, 2)
    ]
    mended = [told(say.incident_ended(f"up {n}"), f"2026-03-02T10:{n:02}") for n in range(2, 41, 2)]
    dossier = state(rules, accepted(rules, "2026-03-02T09:00"), *outages, *mended)
    assert (dossier.pauses, dossier.paused_minutes) == (20, 20)

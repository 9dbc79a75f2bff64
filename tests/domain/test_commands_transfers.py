"""How a dossier goes from unit to unit: offered, answered, moved by law."""

from dataclasses import replace

import pytest

from domain.dossier.events import DossierEvent
from domain.errors import (
    DomainError,
    Forbidden,
    IllegalTransition,
    InvalidRequest,
    UnitEnded,
    UnknownUnit,
)
from tests.examples import (
    AGENCY,
    DESK,
    ENDED,
    PROVINCE,
    UNKNOWN,
    accepted,
    asking_for,
    competence_transferred,
    result_at_desk,
    submitted,
    supplement_requested,
    transfer_accepted,
    transfer_offered,
    transfer_refused,
    transfer_timed_out,
    unit_succeeded,
)
from tests.scenario import given

ANSWERS = [transfer_accepted(), transfer_refused(), transfer_timed_out()]
CLOSED = {
    "submitted only": (submitted(),),
    "waiting for a supplement": (accepted(), supplement_requested()),
    "finished": (accepted(), result_at_desk()),
}


def test_a_dossier_is_offered_to_another_unit() -> None:
    given(accepted()).when(asking_for(transfer_offered())).then(transfer_offered())


@pytest.mark.parametrize("before", CLOSED.values(), ids=CLOSED)
def test_a_dossier_that_nobody_works_on_is_not_offered(before: tuple[DossierEvent, ...]) -> None:
    given(*before).when(asking_for(transfer_offered())).then_refused(IllegalTransition)


def test_while_an_offer_is_open_there_is_no_second_one() -> None:
    elsewhere = asking_for(transfer_offered(to_unit=PROVINCE))
    given(accepted(), transfer_offered()).when(elsewhere).then_refused(
        IllegalTransition, match="offered to H01.20 already"
    )


@pytest.mark.parametrize("answer", [transfer_refused(), transfer_timed_out()])
def test_after_an_offer_that_nobody_took_it_is_offered_again(answer: DossierEvent) -> None:
    before = (accepted(), transfer_offered(), answer)
    given(*before).when(asking_for(transfer_offered())).then(transfer_offered())


@pytest.mark.parametrize("answer", ANSWERS)
def test_an_open_offer_is_answered(answer: DossierEvent) -> None:
    given(accepted(), transfer_offered()).when(asking_for(answer)).then(answer)


@pytest.mark.parametrize(
    ("short", "answer"),
    [
        (replace(transfer_accepted(unit=None), transfer_id=None), transfer_accepted()),
        (replace(transfer_refused(unit=None), transfer_id=None), transfer_refused()),
    ],
)
def test_an_answer_takes_unit_and_number_from_the_offer(
    short: DossierEvent, answer: DossierEvent
) -> None:
    given(accepted(), transfer_offered()).when(asking_for(short)).then(answer)


@pytest.mark.parametrize("answer", ANSWERS)
def test_where_nothing_is_offered_nothing_is_answered(answer: DossierEvent) -> None:
    given(accepted()).when(asking_for(answer)).then_refused(IllegalTransition, match="no transfer")


@pytest.mark.parametrize("answer", ANSWERS)
def test_an_offer_is_answered_once(answer: DossierEvent) -> None:
    before = (accepted(), transfer_offered(), answer)
    given(*before).when(asking_for(answer)).then_refused(IllegalTransition, match="no transfer")


@pytest.mark.parametrize("answer", [transfer_accepted(), transfer_refused()])
def test_only_the_unit_that_it_is_offered_to_answers(answer: DossierEvent) -> None:
    scope = frozenset({DESK})
    given(accepted(), transfer_offered()).when(asking_for(answer), scope=scope).then_refused(
        Forbidden
    )


@pytest.mark.parametrize("answer", [transfer_accepted(unit=DESK), transfer_refused(unit=DESK)])
def test_nobody_answers_in_the_name_of_another_unit(answer: DossierEvent) -> None:
    given(accepted(), transfer_offered()).when(asking_for(answer)).then_refused(Forbidden)


def test_competence_moves_to_another_unit() -> None:
    moved = competence_transferred()
    given(accepted()).when(asking_for(moved)).then(moved)


@pytest.mark.parametrize("before", CLOSED.values(), ids=CLOSED)
def test_competence_moves_only_while_somebody_works_on_it(
    before: tuple[DossierEvent, ...],
) -> None:
    given(*before).when(asking_for(competence_transferred())).then_refused(IllegalTransition)


def test_competence_that_moves_again_is_recorded_again() -> None:
    back = competence_transferred(to_unit=AGENCY)
    given(accepted(), competence_transferred()).when(asking_for(back)).then(back)


@pytest.mark.parametrize("before", CLOSED.values(), ids=CLOSED)
def test_the_successor_of_a_merged_unit_takes_over_whatever_the_status(
    before: tuple[DossierEvent, ...],
) -> None:
    given(accepted(), *before).when(asking_for(unit_succeeded())).then(unit_succeeded())


def test_a_unit_that_has_ended_may_be_succeeded_but_is_no_successor() -> None:
    past = unit_succeeded(predecessor=ENDED)
    given(accepted(competent_unit=ENDED)).when(asking_for(past)).then(past)
    to_the_past = asking_for(unit_succeeded(successor=ENDED))
    given(accepted()).when(to_the_past).then_refused(UnitEnded)


def test_of_a_dossier_that_nobody_has_seen_no_unit_is_succeeded() -> None:
    given().when(asking_for(unit_succeeded())).then_refused(IllegalTransition)


def test_a_succession_that_is_repeated_is_refused() -> None:
    again = asking_for(unit_succeeded())
    given(accepted(), unit_succeeded()).when(again).then_refused(InvalidRequest)


def test_the_successor_of_a_unit_that_has_no_part_in_the_dossier_gets_none() -> None:
    stranger = unit_succeeded(predecessor=ENDED)
    given(accepted()).when(asking_for(stranger)).then_refused(InvalidRequest)


@pytest.mark.parametrize(
    ("event", "error"),
    [
        (transfer_offered(to_unit=UNKNOWN), UnknownUnit),
        (transfer_offered(to_unit=ENDED), UnitEnded),
        (competence_transferred(to_unit=UNKNOWN), UnknownUnit),
        (competence_transferred(to_unit=ENDED), UnitEnded),
        (unit_succeeded(successor=UNKNOWN), UnknownUnit),
        (unit_succeeded(predecessor=UNKNOWN), UnknownUnit),
    ],
)
def test_a_dossier_goes_only_to_units_that_exist(
    event: DossierEvent, error: type[DomainError]
) -> None:
    given(accepted()).when(asking_for(event)).then_refused(error)


@pytest.mark.parametrize(
    "answer", [transfer_accepted(unit=UNKNOWN), transfer_refused(unit=UNKNOWN)]
)
def test_an_unknown_unit_answers_no_offer(answer: DossierEvent) -> None:
    given(accepted(), transfer_offered()).when(asking_for(answer)).then_refused(UnknownUnit)

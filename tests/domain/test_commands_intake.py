"""What the desk may do with a dossier before its work begins."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from domain.dossier.events import DossierEvent
from domain.dossier.intake import AcceptDossier, DossierAccepted, DossierSubmitted
from domain.envelope import ProcedureCode
from domain.errors import (
    DomainError,
    Forbidden,
    IllegalTransition,
    UnitEnded,
    UnknownProcedure,
    UnknownUnit,
)
from domain.rules.procedures import Channel
from tests.examples import (
    AGENCY,
    CODE,
    DESK,
    DUE,
    ENDED,
    LATER_DUE,
    PROCEDURE,
    UNKNOWN,
    YEARS_AGO,
    accepted,
    asking_for,
    assigned,
    intake_refused,
    stopped,
    submitted,
    supplement_requested,
    withdrawn,
)
from tests.scenario import given

ACCEPT = AcceptDossier(
    procedure=PROCEDURE, channel=Channel.DIRECT, receiving_unit=DESK, competent_unit=AGENCY
)
OTHER_PROCEDURE = ProcedureCode("9.999999")


def test_an_online_submission_is_registered() -> None:
    given().when(asking_for(submitted())).then(submitted())


def test_a_submission_twice_is_refused() -> None:
    given(submitted()).when(asking_for(submitted())).then_refused(IllegalTransition)


def test_a_submission_after_the_acceptance_is_refused() -> None:
    given(accepted()).when(asking_for(submitted())).then_refused(IllegalTransition)


@pytest.mark.parametrize(
    ("submission", "error"),
    [
        (submitted(procedure=OTHER_PROCEDURE), UnknownProcedure),
        (submitted(receiving_unit=UNKNOWN), UnknownUnit),
        (submitted(receiving_unit=ENDED), UnitEnded),
    ],
)
def test_a_submission_names_a_procedure_and_a_unit_that_exist(
    submission: DossierSubmitted, error: type[DomainError]
) -> None:
    given().when(asking_for(submission)).then_refused(error)


def test_a_submission_to_a_desk_of_others_is_refused() -> None:
    scope = frozenset({AGENCY})
    given().when(asking_for(submitted()), scope=scope).then_refused(Forbidden, match=DESK)


@pytest.mark.parametrize("before", [(), (submitted(),), (submitted(), supplement_requested())])
def test_a_dossier_is_accepted_with_the_code_and_the_date_that_were_stated(
    before: tuple[DossierEvent, ...],
) -> None:
    decision = given(*before).when(asking_for(accepted())).then(accepted())
    assert decision.issue is None


def test_an_acceptance_without_a_code_is_numbered_by_its_desk_and_day() -> None:
    expected = replace(accepted(code=None), owner=None, components=(), due_computed=True)
    decision = given().when(ACCEPT).then(expected)
    assert decision.issue == "H01.10-260302"


def test_an_acceptance_just_after_midnight_is_numbered_by_the_day_of_the_desk() -> None:
    just_after = datetime(2026, 3, 2, 17, 1, tzinfo=UTC)  # 3 March, 00:01 in Việt Nam.
    assert given().when(ACCEPT, at=just_after).decided().issue == "H01.10-260303"


def test_a_code_from_the_submission_is_kept() -> None:
    decision = given(submitted(code=CODE)).when(ACCEPT).decided()
    assert (decision.issue, _accepted(decision.events).code) == (None, CODE)


def test_a_due_date_that_is_not_stated_is_computed_from_the_term() -> None:
    event = _accepted(given().when(ACCEPT).decided().events)
    assert (event.due, event.due_computed, event.procedure_version) == (DUE, True, 1)


def test_a_due_date_that_is_stated_is_taken_as_stated() -> None:
    event = _accepted(given().when(replace(ACCEPT, due=LATER_DUE)).decided().events)
    assert (event.due, event.due_computed) == (LATER_DUE, False)


@pytest.mark.parametrize(
    "before",
    [(intake_refused(),), (submitted(), withdrawn()), (accepted(), assigned(), stopped())],
    ids=["refused at intake", "withdrawn", "stopped"],
)
def test_a_dossier_that_came_to_its_end_is_not_accepted(
    before: tuple[DossierEvent, ...],
) -> None:
    given(*before).when(ACCEPT).then_refused(IllegalTransition)


@pytest.mark.parametrize(
    ("command", "error"),
    [
        (replace(ACCEPT, procedure=OTHER_PROCEDURE), UnknownProcedure),
        (replace(ACCEPT, receiving_unit=UNKNOWN), UnknownUnit),
        (replace(ACCEPT, competent_unit=UNKNOWN), UnknownUnit),
        (replace(ACCEPT, returning_unit=UNKNOWN), UnknownUnit),
        (replace(ACCEPT, receiving_unit=ENDED), UnitEnded),
        (replace(ACCEPT, competent_unit=ENDED), UnitEnded),
    ],
)
def test_an_acceptance_names_a_procedure_and_units_that_exist(
    command: AcceptDossier, error: type[DomainError]
) -> None:
    given().when(command).then_refused(error)


def test_before_a_procedure_was_in_force_nothing_is_accepted_under_it() -> None:
    given().when(ACCEPT, at=YEARS_AGO).then_refused(UnknownProcedure)


def test_only_the_receiving_unit_accepts() -> None:
    given().when(ACCEPT, scope=frozenset({AGENCY})).then_refused(Forbidden, match=DESK)


def test_a_dossier_is_accepted_once() -> None:
    given(accepted()).when(ACCEPT).then_refused(IllegalTransition, match="accepted before")


def test_a_dossier_is_refused_at_intake_with_the_reason() -> None:
    given(submitted()).when(asking_for(intake_refused())).then(intake_refused())


def test_a_dossier_whose_supplement_never_came_is_refused_at_intake() -> None:
    before = (submitted(), supplement_requested())
    given(*before).when(asking_for(intake_refused())).then(intake_refused())


def test_an_accepted_dossier_is_not_refused_at_intake_any_more() -> None:
    given(accepted()).when(asking_for(intake_refused())).then_refused(IllegalTransition)


def test_a_refusal_at_intake_twice_is_refused() -> None:
    given(intake_refused()).when(asking_for(intake_refused())).then_refused(IllegalTransition)


def test_a_refusal_says_the_status_and_what_is_allowed_instead() -> None:
    with pytest.raises(IllegalTransition) as refused:
        given(submitted(), supplement_requested()).when(asking_for(assigned())).decided()
    assert refused.value.status == 5
    assert refused.value.allowed == (
        "accept", "refuse-intake", "complete-supplement", "withdraw", "succeed-unit",
        "correct-event",
    )  # fmt: skip
    assert str(refused.value) == "assign is not possible: its status is 5'."


def _accepted(events: tuple[DossierEvent, ...]) -> DossierAccepted:
    (event,) = events
    assert isinstance(event, DossierAccepted)
    return event

"""How a dossier ends, and how errors are undone."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from domain.dossier.events import DossierEvent
from domain.errors import DomainError, IllegalTransition, InvalidRequest, UnitEnded, UnknownUnit
from tests.examples import (
    DESK,
    DUE,
    ENDED,
    HOUR,
    UNKNOWN,
    accepted,
    asking_for,
    assigned,
    corrected,
    delivery_failed,
    id_of,
    intake_refused,
    obligation_requested,
    reappointed,
    resolution_refused,
    result_at_desk,
    result_rejected,
    result_returned,
    stopped,
    submitted,
    supplement_requested,
    withdrawn,
)
from tests.scenario import given

IN_PROCESS = (accepted(), assigned())
FINISHED = (*IN_PROCESS, result_at_desk())
RETURNED = (*FINISHED, result_returned())
MIDNIGHT_BEFORE_DUE = DUE - timedelta(hours=9, minutes=15)


def test_a_reappointment_is_issued_at_the_latest_the_day_before() -> None:
    last_moment = MIDNIGHT_BEFORE_DUE - timedelta(microseconds=1)
    given(*IN_PROCESS).when(asking_for(reappointed()), at=last_moment).then(reappointed())


def test_on_the_day_itself_it_is_too_late_for_a_reappointment() -> None:
    given(*IN_PROCESS).when(asking_for(reappointed()), at=MIDNIGHT_BEFORE_DUE).then_refused(
        IllegalTransition, match="the day before"
    )


def test_a_second_reappointment_is_refused() -> None:
    again = asking_for(reappointed("again", new_due=DUE + timedelta(days=30)))
    given(*IN_PROCESS, reappointed()).when(again).then_refused(
        IllegalTransition, match="one re-appointment"
    )


@pytest.mark.parametrize("new_due", [DUE, DUE - HOUR])
def test_a_reappointment_is_for_a_later_day(new_due: datetime) -> None:
    sooner = asking_for(replace(reappointed(), new_due=new_due))
    given(*IN_PROCESS).when(sooner).then_refused(InvalidRequest)


def test_a_dossier_that_had_no_due_date_may_get_one_by_a_reappointment() -> None:
    given(accepted(due=None), assigned()).when(asking_for(reappointed())).then(reappointed())


@pytest.mark.parametrize("before", [(accepted(),), (accepted(), supplement_requested()), FINISHED])
def test_only_a_dossier_in_process_is_reappointed(before: tuple[DossierEvent, ...]) -> None:
    given(*before).when(asking_for(reappointed())).then_refused(IllegalTransition)


@pytest.mark.parametrize(
    ("event", "error"),
    [
        (reappointed(delaying_unit=UNKNOWN), UnknownUnit),
        (reappointed(delaying_unit=ENDED), UnitEnded),
        (result_at_desk(unit=UNKNOWN), UnknownUnit),
        (result_at_desk(unit=ENDED), UnitEnded),
    ],
)
def test_units_that_are_named_at_the_end_exist(
    event: DossierEvent, error: type[DomainError]
) -> None:
    given(*IN_PROCESS).when(asking_for(event)).then_refused(error)


@pytest.mark.parametrize("before", [(accepted(),), IN_PROCESS])
def test_a_result_comes_to_the_desk(before: tuple[DossierEvent, ...]) -> None:
    given(*before).when(asking_for(result_at_desk())).then(result_at_desk())


@pytest.mark.parametrize(
    "before", [(submitted(),), (accepted(), supplement_requested()), (accepted(), withdrawn())]
)
def test_no_result_comes_of_a_dossier_that_nobody_works_on(
    before: tuple[DossierEvent, ...],
) -> None:
    given(*before).when(asking_for(result_at_desk())).then_refused(IllegalTransition)


def test_a_result_comes_to_the_desk_once() -> None:
    given(*FINISHED).when(asking_for(result_at_desk())).then_refused(IllegalTransition)


def test_the_desk_rejects_the_result_that_it_has() -> None:
    expected = result_rejected(rejects=id_of("result-at-desk"))
    given(*FINISHED).when(asking_for(result_rejected())).then(expected)


@pytest.mark.parametrize("before", [IN_PROCESS, RETURNED])
def test_there_is_nothing_to_reject_before_the_result_or_after_its_return(
    before: tuple[DossierEvent, ...],
) -> None:
    given(*before).when(asking_for(result_rejected())).then_refused(IllegalTransition)


def test_a_result_that_was_handed_over_and_came_back_is_not_rejected() -> None:
    given(*RETURNED, delivery_failed()).when(asking_for(result_rejected())).then_refused(
        IllegalTransition, match="handed over"
    )


def test_a_result_is_rejected_once() -> None:
    before = (*FINISHED, result_rejected())
    given(*before).when(asking_for(result_rejected())).then_refused(IllegalTransition)


@pytest.mark.parametrize("before", [FINISHED, (*IN_PROCESS, resolution_refused())])
def test_a_result_or_a_refusal_in_writing_is_handed_over(
    before: tuple[DossierEvent, ...],
) -> None:
    given(*before).when(asking_for(result_returned())).then(result_returned())


def test_nothing_is_handed_over_before_there_is_a_result() -> None:
    given(*IN_PROCESS).when(asking_for(result_returned())).then_refused(IllegalTransition)


def test_a_result_is_handed_over_once() -> None:
    given(*RETURNED).when(asking_for(result_returned())).then_refused(IllegalTransition)


def test_a_failed_delivery_is_recorded() -> None:
    given(*RETURNED).when(asking_for(delivery_failed())).then(delivery_failed())


def test_what_was_not_sent_does_not_come_back() -> None:
    given(*FINISHED).when(asking_for(delivery_failed())).then_refused(IllegalTransition)


def test_a_delivery_fails_once_for_each_time_it_is_sent() -> None:
    before = (*RETURNED, delivery_failed())
    given(*before).when(asking_for(delivery_failed())).then_refused(IllegalTransition)
    sent_again = (*before, result_returned("again"))
    given(*sent_again).when(asking_for(delivery_failed())).then(delivery_failed())


@pytest.mark.parametrize(
    "before",
    [(submitted(),), (submitted(), supplement_requested()), (accepted(),), IN_PROCESS,
     (accepted(), supplement_requested()), (*IN_PROCESS, obligation_requested())],
)  # fmt: skip
def test_the_applicant_withdraws_whenever_the_dossier_is_open(
    before: tuple[DossierEvent, ...],
) -> None:
    given(*before).when(asking_for(withdrawn())).then(withdrawn())


@pytest.mark.parametrize("before", [(), (intake_refused(),), FINISHED, RETURNED])
def test_nobody_withdraws_what_has_no_beginning_or_has_its_end(
    before: tuple[DossierEvent, ...],
) -> None:
    given(*before).when(asking_for(withdrawn())).then_refused(IllegalTransition)


def test_a_dossier_is_withdrawn_once() -> None:
    given(accepted(), withdrawn()).when(asking_for(withdrawn())).then_refused(IllegalTransition)


@pytest.mark.parametrize(
    "before",
    [IN_PROCESS, (accepted(), supplement_requested()), (*IN_PROCESS, obligation_requested())],
)
def test_processing_stops(before: tuple[DossierEvent, ...]) -> None:
    given(*before).when(asking_for(stopped())).then(stopped())


@pytest.mark.parametrize("before", [(submitted(),), (accepted(),), FINISHED])
def test_processing_that_has_not_begun_or_is_over_does_not_stop(
    before: tuple[DossierEvent, ...],
) -> None:
    given(*before).when(asking_for(stopped())).then_refused(IllegalTransition)


def test_processing_stops_once() -> None:
    given(*IN_PROCESS, stopped()).when(asking_for(stopped())).then_refused(IllegalTransition)


def test_the_agency_refuses_in_writing() -> None:
    given(*IN_PROCESS).when(asking_for(resolution_refused())).then(resolution_refused())


@pytest.mark.parametrize("before", [(submitted(),), (accepted(),), FINISHED])
def test_the_agency_refuses_only_what_it_works_on(before: tuple[DossierEvent, ...]) -> None:
    given(*before).when(asking_for(resolution_refused())).then_refused(IllegalTransition)


def test_the_agency_refuses_once() -> None:
    before = (*IN_PROCESS, resolution_refused())
    given(*before).when(asking_for(resolution_refused())).then_refused(IllegalTransition)


def test_an_event_of_the_dossier_is_corrected() -> None:
    void = corrected(corrects="result-at-desk")
    given(*FINISHED).when(asking_for(void)).then(void)


def test_an_event_that_the_dossier_does_not_have_is_not_corrected() -> None:
    elsewhere = asking_for(corrected(corrects="something of another dossier"))
    given(*FINISHED).when(elsewhere).then_refused(InvalidRequest, match="of this dossier")


def test_an_event_is_corrected_once() -> None:
    void = corrected(corrects="result-at-desk")
    given(*FINISHED, void).when(asking_for(void)).then_refused(InvalidRequest, match="void already")


def test_a_correction_is_corrected_and_then_the_event_may_be_corrected_again() -> None:
    void = corrected(corrects="result-at-desk")
    undone = corrected("undone", corrects="corrected")
    given(*FINISHED, void).when(asking_for(undone)).then(undone)
    given(*FINISHED, void, undone).when(asking_for(void)).then(void)


def test_a_rejected_result_is_not_corrected_as_well() -> None:
    void = asking_for(corrected(corrects="result-at-desk"))
    given(*FINISHED, result_rejected()).when(void).then_refused(InvalidRequest)


def test_after_a_correction_the_desk_goes_on_from_what_is_left() -> None:
    void = corrected(corrects="result-at-desk")
    result = result_at_desk("better", unit=DESK)
    given(*FINISHED, void).when(asking_for(result)).then(result)

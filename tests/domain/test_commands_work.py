"""What happens while a dossier is worked on: people, steps, supplements, payments, breakdowns."""

from dataclasses import replace

import pytest

from domain.dossier.events import DossierEvent
from domain.dossier.work import DossierAssigned
from domain.envelope import UnitCode
from domain.errors import DomainError, IllegalTransition, UnitEnded, UnknownUnit
from tests.examples import (
    ENDED,
    UNKNOWN,
    accepted,
    asking_for,
    assigned,
    history,
    incident_began,
    incident_ended,
    meta,
    obligation_requested,
    payment_recorded,
    result_approved,
    result_at_desk,
    step_completed,
    step_started,
    stopped,
    submitted,
    supplement_completed,
    supplement_expired,
    supplement_requested,
    withdrawn,
)
from tests.scenario import given, situation

WORK = [assigned(), step_started(), step_completed()]
EXPIRED = "Người nộp không bổ sung hồ sơ trong thời hạn."


@pytest.mark.parametrize("work", WORK)
def test_work_on_an_accepted_dossier_is_recorded(work: DossierEvent) -> None:
    given(accepted()).when(asking_for(work)).then(work)


@pytest.mark.parametrize("before", [(submitted(),), (accepted(), withdrawn())])
@pytest.mark.parametrize("work", [*WORK, result_approved()])
def test_nobody_works_on_a_dossier_before_its_acceptance_or_after_its_end(
    work: DossierEvent, before: tuple[DossierEvent, ...]
) -> None:
    given(*before).when(asking_for(work)).then_refused(IllegalTransition)


@pytest.mark.parametrize("work", [*WORK, result_approved()])
def test_nobody_works_on_a_dossier_that_waits_for_the_applicant(work: DossierEvent) -> None:
    before = (accepted(), supplement_requested())
    given(*before).when(asking_for(work)).then_refused(IllegalTransition)


@pytest.mark.parametrize("work", WORK)
def test_work_that_is_done_again_is_recorded_again(work: DossierEvent) -> None:
    given(accepted(), work).when(asking_for(work)).then(work)


@pytest.mark.parametrize(("unit", "error"), [(UNKNOWN, UnknownUnit), (ENDED, UnitEnded)])
@pytest.mark.parametrize("work", WORK)
def test_work_is_done_in_a_unit_that_exists(
    work: DossierAssigned, unit: UnitCode, error: type[DomainError]
) -> None:
    given(accepted()).when(asking_for(replace(work, unit=unit))).then_refused(error)


def test_a_result_is_approved() -> None:
    given(accepted(), assigned()).when(asking_for(result_approved())).then(result_approved())


def test_a_result_is_not_approved_before_the_work_began() -> None:
    given(accepted()).when(asking_for(result_approved())).then_refused(IllegalTransition)


def test_a_result_with_several_signatures_is_approved_again() -> None:
    before = (accepted(), assigned(), result_approved())
    given(*before).when(asking_for(result_approved())).then(result_approved())


@pytest.mark.parametrize("before", [(submitted(),), (accepted(),), (accepted(), assigned())])
def test_a_supplement_is_requested(before: tuple[DossierEvent, ...]) -> None:
    given(*before).when(asking_for(supplement_requested())).then(supplement_requested())


@pytest.mark.parametrize("before", [(), (accepted(), result_at_desk())])
def test_no_supplement_is_requested_of_nothing_or_after_the_end(
    before: tuple[DossierEvent, ...],
) -> None:
    given(*before).when(asking_for(supplement_requested())).then_refused(IllegalTransition)


@pytest.mark.parametrize("before", [submitted(), accepted()])
def test_while_a_supplement_is_awaited_no_second_one_is_requested(before: DossierEvent) -> None:
    known = (before, supplement_requested())
    given(*known).when(asking_for(supplement_requested())).then_refused(IllegalTransition)


@pytest.mark.parametrize("before", [submitted(), accepted()])
@pytest.mark.parametrize("partial", [True, False])
def test_a_supplement_comes_in_wholly_or_in_part(before: DossierEvent, *, partial: bool) -> None:
    came = supplement_completed(partial=partial)
    given(before, supplement_requested()).when(asking_for(came)).then(came)


def test_a_supplement_that_nobody_asked_for_is_refused() -> None:
    given(accepted()).when(asking_for(supplement_completed())).then_refused(IllegalTransition)


def test_a_part_after_a_part_is_recorded() -> None:
    part = supplement_completed(partial=True)
    given(accepted(), supplement_requested(), part).when(asking_for(part)).then(part)


def test_a_whole_supplement_comes_in_once() -> None:
    before = (accepted(), supplement_requested(), supplement_completed())
    given(*before).when(asking_for(supplement_completed())).then_refused(IllegalTransition)


def test_a_supplement_that_expires_stops_the_dossier() -> None:
    end = replace(stopped(), reason=EXPIRED, expiry=meta("command 3").event_id)
    before = (accepted(), supplement_requested())
    given(*before).when(asking_for(supplement_expired())).then(supplement_expired(), end)


def test_the_two_events_of_an_expiry_have_identities_of_their_own() -> None:
    sent = meta("command")
    known = history(accepted(), supplement_requested())
    stamped = replace(situation(known), meta=sent)
    first, second = stamped.stamp(1)["meta"], stamped.stamp(2)["meta"]
    assert first == sent
    assert (first.source, first.source_id) != (second.source, second.source_id)
    assert first.event_id != second.event_id


@pytest.mark.parametrize("before", [(submitted(), supplement_requested()), (accepted(),)])
def test_a_supplement_expires_only_while_the_clock_waits_for_it(
    before: tuple[DossierEvent, ...],
) -> None:
    given(*before).when(asking_for(supplement_expired())).then_refused(IllegalTransition)


def test_a_supplement_expires_once() -> None:
    before = (accepted(), supplement_requested(), supplement_expired(), stopped())
    given(*before).when(asking_for(supplement_expired())).then_refused(IllegalTransition)


@pytest.mark.parametrize("before", [(accepted(), assigned()), (accepted(), result_at_desk())])
def test_a_payment_is_asked_for_during_the_work_or_at_the_return(
    before: tuple[DossierEvent, ...],
) -> None:
    given(*before).when(asking_for(obligation_requested())).then(obligation_requested())


def test_a_payment_is_not_asked_for_before_the_acceptance() -> None:
    given(submitted()).when(asking_for(obligation_requested())).then_refused(IllegalTransition)


def test_while_a_payment_is_awaited_no_second_one_is_asked_for() -> None:
    before = (accepted(), assigned(), obligation_requested())
    given(*before).when(asking_for(obligation_requested())).then_refused(IllegalTransition)


@pytest.mark.parametrize(
    "before",
    [
        (accepted(),),
        (accepted(), assigned(), obligation_requested()),
        (accepted(), result_at_desk(), obligation_requested()),
    ],
)
def test_a_payment_is_recorded(before: tuple[DossierEvent, ...]) -> None:
    given(*before).when(asking_for(payment_recorded())).then(payment_recorded())


@pytest.mark.parametrize("before", [(submitted(),), (accepted(), withdrawn())])
def test_a_payment_for_a_dossier_that_is_not_open_is_refused(
    before: tuple[DossierEvent, ...],
) -> None:
    given(*before).when(asking_for(payment_recorded())).then_refused(IllegalTransition)


def test_another_payment_is_recorded_too() -> None:
    given(accepted(), payment_recorded()).when(asking_for(payment_recorded())).then(
        payment_recorded()
    )


def test_a_breakdown_begins_and_ends() -> None:
    given(accepted()).when(asking_for(incident_began())).then(incident_began())
    given(accepted(), incident_began()).when(asking_for(incident_ended())).then(incident_ended())


@pytest.mark.parametrize("event", [incident_began(), incident_ended()])
@pytest.mark.parametrize("before", [(submitted(),), (accepted(), result_at_desk())])
def test_a_breakdown_is_no_matter_for_a_dossier_that_is_not_open(
    event: DossierEvent, before: tuple[DossierEvent, ...]
) -> None:
    given(*before).when(asking_for(event)).then_refused(IllegalTransition)


def test_a_system_that_is_known_to_be_down_is_no_news() -> None:
    given(accepted(), incident_began()).when(asking_for(incident_began())).then_nothing()


def test_without_any_breakdown_none_ends() -> None:
    given(accepted()).when(asking_for(incident_ended())).then_refused(
        IllegalTransition, match="no incident is open"
    )


def test_the_end_of_a_breakdown_repeated_while_another_goes_on_is_no_news() -> None:
    other = incident_began("other", system="VNeID")
    before = (accepted(), other, incident_began(), incident_ended())
    given(*before).when(asking_for(incident_ended())).then_nothing()

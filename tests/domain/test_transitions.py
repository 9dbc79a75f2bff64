"""From which status each event is regular, and what it does to the state."""

from dataclasses import replace
from datetime import datetime

import pytest

from domain.deadlines.law import CalendarUse
from domain.dossier.chapters import ACT_OF, DOSSIER_EVENTS
from domain.dossier.events import DossierEvent
from domain.dossier.evolve import fold, replay
from domain.dossier.regularity import examine
from domain.dossier.state import Delivery, Dossier, Financial
from domain.dossier.status import Status
from domain.dossier.transfers import TransferAccepted, TransferRefused, TransferTimedOut
from tests.examples import (
    AGENCY,
    DESK,
    DOSSIER,
    DUE,
    EVERY_DOSSIER_EVENT,
    HOUR,
    LATER_DUE,
    MORNING,
    PROVINCE,
    accepted,
    assigned,
    competence_transferred,
    delivery_failed,
    history,
    id_of,
    in_effect,
    incident_began,
    incident_ended,
    intake_refused,
    obligation_requested,
    payment_recorded,
    reappointed,
    resolution_refused,
    result_approved,
    result_at_desk,
    result_rejected,
    result_returned,
    rule_book,
    stopped,
    submitted,
    supplement_completed,
    supplement_expired,
    supplement_requested,
    told_for,
    transfer_accepted,
    transfer_offered,
    transfer_refused,
    transfer_timed_out,
    unit_succeeded,
    withdrawn,
)

WAYS: dict[str, tuple[DossierEvent, ...]] = {
    "-": (),
    "1": (submitted(),),
    "5'": (submitted(), supplement_requested("before")),
    "2": (accepted(),),
    "3": (intake_refused(),),
    "4": (accepted(), assigned()),
    "5": (accepted(), supplement_requested()),
    "6": (accepted(), assigned(), obligation_requested()),
    "7": (accepted(), withdrawn()),
    "8": (accepted(), assigned(), stopped()),
    "9": (accepted(), result_at_desk()),
    "10": (accepted(), result_at_desk(), result_returned()),
}
KINDS = {
    "b": "before-acceptance",
    "x": "illegal-transition",
    "e": "after-end",
    "a": "second-acceptance",
    "o": "no-open-offer",
}
# A dot is a regular step; a letter is the finding, as in KINDS.
TABLE = """
                                - 1 5' 2 3 4 5 6 7 8 9 10
submitted                       . x x  x x x x x e e e e
accepted                        . . .  a x a a a a a a a
intake-refused                  . . .  x x x x x e e e e
transfer-offered                b b b  . b . x x e e e e
transfer-accepted               b b b  o b o x x e e e e
transfer-refused                b b b  o b o x x e e e e
transfer-timed-out              b b b  o b o x x e e e e
assigned                        b b b  . b . x x e e e e
step-started                    b b b  . b . x x e e e e
step-completed                  b b b  . b . x x e e e e
supplement-requested            b . x  . x . x x e e e e
supplement-completed            b x .  x x x . x e e e e
supplement-expired              b b b  x b x . x e e e e
reappointment-issued            b b b  x b . x x e e e e
due-date-recomputed             b b b  . b . . . e e e e
result-approved                 b b b  x b . x x e e e e
result-at-desk                  b b b  . b . x x e e e e
result-rejected                 b b b  . b . x . e e e e
result-returned                 b b b  x b x x x e . . e
delivery-failed                 b b b  x b x x x e e e .
withdrawn                       b . .  . x . . . e e e e
stopped                         b b b  x b . . . e e e e
resolution-refused              b b b  x b . x x e e e e
financial-obligation-requested  b b b  x b . x x e e . .
payment-recorded                b b b  . b . . . e e . .
incident-began                  b b b  . b . . . e e e e
incident-ended                  b b b  . b . . . e e e e
competence-transferred          b b b  . b . x x e e e e
unit-succeeded                  b . .  . . . . . . . . .
event-corrected                 . . .  . . . . . . . . .
"""
_, _HEAD, *_ROWS = TABLE.splitlines()
ROWS = {name: cells for name, *cells in map(str.split, _ROWS)}
EVENTS = {event.TOPIC.split(".")[1]: event for event in EVERY_DOSSIER_EVENT}


def after(*events: DossierEvent) -> Dossier:
    return replay(DOSSIER, history(*events), rule_book())


def kinds(*events: DossierEvent) -> list[str]:
    return [finding.kind for finding in after(*events).findings]


@pytest.mark.parametrize("name", EVENTS)
def test_in_every_status_an_event_is_regular_or_a_finding(name: str) -> None:
    findings = [examine(after(*way), EVENTS[name]) for way in WAYS.values()]
    expected = dict(zip(_HEAD.split(), map(KINDS.get, ROWS[name]), strict=True))
    assert {
        status: finding and finding.kind for status, finding in zip(WAYS, findings, strict=True)
    } == expected


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_what_is_regular_follows_from_the_table_of_the_code_and_from_an_open_offer(
    way: tuple[DossierEvent, ...],
) -> None:
    before = after(*way)
    answers = (TransferAccepted, TransferRefused, TransferTimedOut)
    for event in EVENTS.values():
        regular = before.status in ACT_OF[type(event)].fits and not isinstance(event, answers)
        assert (examine(before, event) is None) is regular


def test_the_table_names_every_event() -> None:
    assert {type(event) for event in EVENTS.values()} == set(DOSSIER_EVENTS) == ACT_OF.keys()


@pytest.mark.parametrize(("status", "way"), WAYS.items(), ids=WAYS)
def test_every_status_is_reached_without_a_finding(
    status: str, way: tuple[DossierEvent, ...]
) -> None:
    dossier = after(*way)
    shown = "-" if dossier.status is None else str(dossier.status.portal_code)
    assert (shown, dossier.findings) == (status.rstrip("'"), ())


def test_the_supplement_before_acceptance_is_the_portals_status_5() -> None:
    assert after(*WAYS["5'"]).status is Status.INTAKE_SUPPLEMENT
    assert Status.INTAKE_SUPPLEMENT.portal_code == Status.SUPPLEMENT.portal_code


@pytest.mark.parametrize("status", ["1", "5'"])
def test_from_1_or_5_before_acceptance_to_7_no_clock_starts(status: str) -> None:
    dossier = after(*WAYS[status], withdrawn())
    assert dossier.status is Status.WITHDRAWN
    assert (dossier.accepted_at, dossier.due, dossier.findings) == (None, None, ())


def test_from_5_before_acceptance_to_2_the_clock_starts() -> None:
    dossier = after(*WAYS["5'"], accepted())
    assert (dossier.status, dossier.due, dossier.findings) == (Status.ACCEPTED, DUE, ())
    assert dossier.supplements == 0  # The one before acceptance is none of the term's.


def test_from_5_before_acceptance_to_3() -> None:
    dossier = after(*WAYS["5'"], intake_refused())
    assert (dossier.status, dossier.findings) == (Status.NOT_ACCEPTED, ())


def test_from_5_before_acceptance_a_full_answer_leads_back_to_1() -> None:
    dossier = after(*WAYS["5'"], supplement_completed())
    assert (dossier.status, dossier.findings) == (Status.REGISTERED, ())


def test_from_2_to_5_the_desk_asks_before_the_transfer() -> None:
    dossier = after(accepted(), supplement_requested())
    assert (dossier.status, dossier.supplements) == (Status.SUPPLEMENT, 1)
    assert dossier.paused_since == MORNING + HOUR


def test_from_5_to_5_a_partial_supplement_keeps_waiting() -> None:
    dossier = after(accepted(), supplement_requested(), supplement_completed(partial=True))
    assert (dossier.status, dossier.findings) == (Status.SUPPLEMENT, ())
    assert dossier.paused_since == MORNING + HOUR


def test_from_5_to_4_the_whole_supplement_ends_the_pause_and_may_bring_a_new_due_date() -> None:
    dossier = after(accepted(), supplement_requested(), supplement_completed(due=LATER_DUE))
    assert (dossier.status, dossier.paused_since) == (Status.IN_PROCESS, None)
    assert (dossier.printed_due, dossier.first_due, dossier.due) == (DUE, LATER_DUE, LATER_DUE)


def test_from_6_to_8_a_dossier_that_is_not_paid_may_be_stopped() -> None:
    dossier = after(*WAYS["6"], stopped())
    assert (dossier.status, dossier.findings) == (Status.STOPPED, ())
    assert dossier.paused_since is None


def test_from_2_to_9_the_desk_resolves_it_itself() -> None:
    dossier = after(accepted(), result_at_desk())
    assert (dossier.status, dossier.findings) == (Status.FINISHED, ())
    assert (dossier.finished_at, dossier.delivery) == (MORNING + HOUR, Delivery.AT_DESK)


@pytest.mark.parametrize("as_of", [MORNING + HOUR * hours for hours in range(2, 6)])
def test_from_9_to_4_the_rejected_end_is_void_for_every_as_of(as_of: datetime) -> None:
    told = history(accepted(), assigned(), result_at_desk(), result_rejected())
    dossier = fold(DOSSIER, in_effect(told, as_of=as_of), rule_book())
    assert (dossier.status, dossier.finished_at) == (Status.IN_PROCESS, None)
    assert (dossier.result, dossier.findings) == (None, ())


def test_from_9_to_4_it_may_end_again() -> None:
    dossier = after(
        accepted(), assigned(), result_at_desk(), result_rejected(), result_at_desk("better")
    )
    assert (dossier.status, dossier.result) == (Status.FINISHED, id_of("better"))
    assert dossier.findings == ()


def test_from_9_to_4_a_fee_that_was_asked_for_meanwhile_is_still_awaited() -> None:
    known = (accepted(), assigned(), result_at_desk(), obligation_requested(), result_rejected())
    dossier = after(*known)
    assert (dossier.status, dossier.findings) == (Status.OBLIGATION, ())


def test_from_10_to_9_a_failed_delivery_brings_the_result_back_to_the_desk() -> None:
    dossier = after(*WAYS["10"], delivery_failed())
    assert (dossier.status, dossier.delivery) == (Status.FINISHED, Delivery.FAILED)
    assert (dossier.returned_at, dossier.finished_at) == (None, MORNING + HOUR)
    assert after(*WAYS["10"], delivery_failed(), result_returned("again")).findings == ()


def test_never_from_2_to_3() -> None:
    dossier = after(accepted(), intake_refused())
    assert dossier.status is Status.ACCEPTED
    assert [finding.kind for finding in dossier.findings] == ["illegal-transition"]


@pytest.mark.parametrize("status", ["9", "10"])
def test_after_9_payment_moves_only_the_financial_dimension(status: str) -> None:
    before, due = after(*WAYS[status]), after(*WAYS[status], obligation_requested())
    paid = after(*WAYS[status], obligation_requested(), payment_recorded())
    assert (due.financial, paid.financial) == (Financial.DUE, Financial.PAID)
    for dossier in (due, paid):
        assert dossier.status is before.status
        assert (dossier.finished_at, dossier.paused_since) == (before.finished_at, None)
        assert dossier.findings == ()


def test_from_4_to_6_and_back_the_work_waits_for_the_payment() -> None:
    waiting, paid = after(*WAYS["6"]), after(*WAYS["6"], payment_recorded())
    assert (waiting.status, waiting.paused_since) == (Status.OBLIGATION, MORNING + 2 * HOUR)
    assert (paid.status, paid.paused_since) == (Status.IN_PROCESS, None)


@pytest.mark.parametrize("end", [stopped(), resolution_refused()])
def test_a_refusal_in_writing_is_handed_over_without_changing_the_end(end: DossierEvent) -> None:
    dossier = after(accepted(), assigned(), end, result_returned())
    assert (dossier.status, dossier.delivery) == (Status.STOPPED, Delivery.RETURNED)
    assert (dossier.ended_by, dossier.findings) == (end.meta.event_id, ())


def test_transferred_competence_moves_the_competent_unit_and_keeps_who_held_it() -> None:
    dossier = after(accepted(), competence_transferred(to_unit=PROVINCE))
    assert (dossier.competent_unit, dossier.custodian_unit) == (PROVINCE, DESK)
    assert dossier.seen_by == (PROVINCE, DESK, AGENCY)


@pytest.mark.parametrize("status", [status for status in WAYS if status not in ("-", "1", "5'")])
def test_the_successor_of_a_unit_takes_its_place_in_every_status(status: str) -> None:
    dossier = after(*WAYS[status], unit_succeeded(predecessor=DESK, successor=PROVINCE))
    units = {dossier.receiving_unit, dossier.custodian_unit, dossier.returning_unit}
    assert DESK not in units
    assert dossier.findings == after(*WAYS[status]).findings


def test_an_offer_moves_nothing_until_the_other_unit_accepts() -> None:
    offered = after(accepted(), transfer_offered())
    assert (offered.status, offered.custodian_unit) == (Status.ACCEPTED, DESK)
    taken = after(accepted(), transfer_offered(), transfer_accepted())
    assert (taken.status, taken.custodian_unit, taken.offer) == (Status.IN_PROCESS, AGENCY, None)


@pytest.mark.parametrize("answer", [transfer_refused(), transfer_timed_out()])
def test_an_offer_that_nobody_takes_leaves_the_dossier_where_it_was(
    answer: DossierEvent,
) -> None:
    dossier = after(accepted(), transfer_offered(), answer)
    assert (dossier.status, dossier.custodian_unit) == (Status.ACCEPTED, DESK)
    assert (dossier.offer, dossier.findings) == (None, ())


def test_the_first_acceptance_stands() -> None:
    dossier = after(accepted(), accepted("again", receiving_unit=AGENCY, due=LATER_DUE))
    assert (dossier.receiving_unit, dossier.due) == (DESK, DUE)
    assert kinds(accepted(), accepted("again")) == ["second-acceptance"]


def test_an_acceptance_without_a_due_date_is_a_finding_and_still_an_acceptance() -> None:
    dossier = after(replace(accepted(due=None), calendar_used=CalendarUse()))
    assert (dossier.status, dossier.due) == (Status.ACCEPTED, None)
    assert [finding.kind for finding in dossier.irregularities] == ["no-due-date"]


def test_the_second_reappointment_moves_the_date_and_is_a_finding() -> None:
    again = reappointed("again", new_due=LATER_DUE + HOUR)
    dossier = after(accepted(), assigned(), reappointed(), again)
    assert (dossier.due, dossier.first_due) == (LATER_DUE + HOUR, DUE)
    assert dossier.reappointed_by == id_of("reappointed")
    assert [finding.kind for finding in dossier.findings] == ["second-reappointment"]


def test_the_first_end_stands() -> None:
    dossier = after(accepted(), assigned(), stopped(), withdrawn())
    assert (dossier.status, dossier.ended_by) == (Status.STOPPED, id_of("stopped"))


def test_handed_over_before_it_was_at_the_desk_the_end_is_9() -> None:
    dossier = after(accepted(), assigned(), result_returned(), result_at_desk())
    assert (dossier.status, dossier.finished_at) == (Status.RETURNED, MORNING + 3 * HOUR)
    assert dossier.ended_by == id_of("result-at-desk")


def test_an_end_before_the_acceptance_carries_the_finding() -> None:
    assert kinds(result_at_desk(), accepted()) == ["before-acceptance"]


def test_an_acceptance_after_a_lawful_withdrawal_is_a_finding() -> None:
    assert kinds(submitted(), withdrawn(), accepted()) == ["after-end"]


def test_an_acceptance_after_a_refusal_at_intake_is_a_finding() -> None:
    assert kinds(submitted(), intake_refused(), accepted()) == ["illegal-transition"]


def test_a_supplement_that_expired_is_remembered() -> None:
    dossier = after(accepted(), supplement_requested(), supplement_expired(), stopped())
    assert (dossier.status, dossier.expired_by) == (Status.STOPPED, id_of("supplement-expired"))


def test_the_approval_is_remembered_and_ends_nothing() -> None:
    dossier = after(accepted(), assigned(), result_approved())
    assert (dossier.status, dossier.approved_at) == (Status.IN_PROCESS, MORNING + 2 * HOUR)


def test_systems_that_are_down_are_known_by_name() -> None:
    down = (incident_began(), incident_began("another", system="VNeID"))
    assert after(accepted(), *down).incidents == ("LGSP", "VNeID")
    assert after(accepted(), *down, incident_ended()).incidents == ("VNeID",)


def test_before_its_acceptance_whoever_told_something_sees_the_dossier() -> None:
    early = told_for(AGENCY, result_at_desk(unit=PROVINCE))
    assert after(early).seen_by == (AGENCY,)
    assert after(early, accepted(competent_unit=DESK)).seen_by == (DESK,)


def test_the_code_that_a_fact_is_sent_under_is_the_dossiers_until_its_acceptance_says_it() -> None:
    early = result_at_desk()
    early = replace(early, meta=replace(early.meta, subject_code="G09.1-20260302-0000001"))
    assert after(early).code == "G09.1-20260302-0000001"
    assert after(early, accepted(code="H01.10-260302-0007")).code == "H01.10-260302-0007"

"""Which events count, in which order, for whom and when."""

from collections.abc import Sequence
from itertools import permutations

import pytest

from domain.dossier.corrections import EventCorrected
from domain.dossier.events import DossierEvent
from domain.dossier.evolve import fold, irregularities, replay
from domain.dossier.history import History
from domain.dossier.regularity import allowed
from domain.dossier.results import ResultRejected
from domain.dossier.status import Status
from domain.envelope import Recorded
from tests.examples import (
    AGENCY,
    DESK,
    DOSSIER,
    DUE,
    HOUR,
    LATER_DUE,
    MORNING,
    accepted,
    all_told,
    assigned,
    corrected,
    delivery_failed,
    history,
    id_of,
    in_effect,
    obligation_requested,
    recorded,
    result_at_desk,
    result_rejected,
    result_returned,
    rule_book,
    stopped,
    withdrawn,
)


def names(events: Sequence[Recorded[DossierEvent]]) -> list[str]:
    return [each.event.meta.source_id for each in events]


def effective(*events: DossierEvent) -> list[str]:
    """Name what counts, but for the corrections themselves."""
    void = EventCorrected | ResultRejected
    counting = in_effect(history(*events))
    return names([each for each in counting if not isinstance(each.event, void)])


def test_events_stand_in_the_order_in_which_they_happened() -> None:
    told: History = [
        recorded(accepted(), version=1),
        recorded(stopped(), version=2, at=MORNING + 2 * HOUR),
        recorded(assigned(), version=3, at=MORNING + HOUR),
    ]
    assert names(in_effect(told)) == ["accepted", "assigned", "stopped"]


def test_at_the_same_moment_the_order_in_which_the_ledger_was_told_decides() -> None:
    told: History = [
        recorded(stopped(), version=3, at=MORNING),
        recorded(accepted(), version=1, at=MORNING),
        recorded(assigned(), version=2, at=MORNING),
    ]
    assert names(in_effect(told)) == ["accepted", "assigned", "stopped"]


def test_what_happened_after_a_moment_is_left_out() -> None:
    told = history(accepted(), assigned(), stopped())
    assert names(in_effect(told, as_of=MORNING + HOUR)) == ["accepted", "assigned"]


def test_what_was_told_after_a_position_is_left_out() -> None:
    told: History = [
        recorded(accepted(), version=1, seq=10),
        recorded(stopped(), version=2, seq=20, at=MORNING + 2 * HOUR),
        recorded(assigned(), version=3, seq=30, at=MORNING + HOUR),
    ]
    assert names(in_effect(told, known_at=29)) == ["accepted", "stopped"]
    assert names(in_effect(told, known_at=30)) == ["accepted", "assigned", "stopped"]


def test_a_corrected_event_does_not_count() -> None:
    assert effective(accepted(), stopped(), corrected(corrects="stopped")) == ["accepted"]


def test_a_known_correction_counts_for_every_moment() -> None:
    told = history(accepted(), stopped(), corrected(corrects="stopped"))
    assert names(in_effect(told, as_of=MORNING + HOUR)) == ["accepted"]
    assert names(in_effect(told, as_of=MORNING + HOUR, known_at=2)) == [
        "accepted",
        "stopped",
    ]


def test_an_inspector_sees_what_is_void_and_what_voids_it() -> None:
    told = history(accepted(), stopped(), corrected(corrects="stopped"))
    assert [entry.voided_by for entry in all_told(told)] == [None, id_of("corrected"), None]


def test_a_correction_that_is_corrected_voids_nothing() -> None:
    undone = corrected("undone", corrects="corrected")
    assert effective(accepted(), stopped(), corrected(corrects="stopped"), undone) == [
        "accepted",
        "stopped",
    ]


def test_a_correction_of_a_correction_of_a_correction_voids_again() -> None:
    chain = (
        corrected("first", corrects="stopped"),
        corrected("second", corrects="first"),
        corrected("third", corrects="second"),
    )
    assert effective(accepted(), stopped(), *chain) == ["accepted"]


def test_what_replaces_an_event_takes_its_place() -> None:
    right = stopped("right")
    void = corrected(corrects="stopped", replaced_by="right")
    dossier = replay(DOSSIER, history(accepted(), assigned(), stopped(), right, void), rule_book())
    assert effective(accepted(), stopped(), right, void) == ["accepted", "right"]
    assert (dossier.ended_by, dossier.findings) == (id_of("right"), ())


def test_a_correction_may_be_told_before_its_target() -> None:
    told: History = [
        recorded(accepted(), version=1),
        recorded(corrected(corrects="stopped"), version=2, at=MORNING + 2 * HOUR),
        recorded(stopped(), version=3, at=MORNING + HOUR),
    ]
    assert names(in_effect(told)) == ["accepted", "corrected"]


def test_a_correction_may_lie_before_its_target() -> None:
    assert effective(accepted(), corrected(corrects="stopped"), stopped()) == ["accepted"]


def test_a_correction_of_what_nobody_knows_yet_waits() -> None:
    told = history(accepted(), corrected(corrects="stopped"), stopped())
    assert names(in_effect(told, known_at=2)) == ["accepted", "corrected"]


def test_a_correction_of_itself_voids_nothing() -> None:
    assert names(in_effect(history(accepted(), corrected(corrects="corrected")))) == [
        "accepted",
        "corrected",
    ]


def test_of_corrections_in_a_circle_the_latest_counts() -> None:
    circle = (corrected("one", corrects="two"), corrected("two", corrects="one"))
    assert names(in_effect(history(accepted(), *circle))) == ["accepted", "two"]


def test_of_corrections_in_a_larger_circle_each_is_voided_by_a_later_one_only() -> None:
    circle = (
        corrected("one", corrects="three"),
        corrected("two", corrects="one"),
        corrected("three", corrects="two"),
    )
    assert names(in_effect(history(accepted(), *circle))) == ["accepted", "one", "three"]


def test_a_rejected_result_never_was_an_end() -> None:
    told = history(accepted(), assigned(), result_at_desk(), result_rejected())
    assert names(in_effect(told)) == ["accepted", "assigned", "result-rejected"]
    assert replay(DOSSIER, told, rule_book()).status is Status.IN_PROCESS


def test_each_rejection_voids_the_last_result_before_it() -> None:
    assert effective(
        accepted(),
        result_at_desk("first"),
        result_rejected("rejection 1"),
        result_at_desk("second"),
        result_rejected("rejection 2"),
        result_at_desk("third"),
    ) == ["accepted", "third"]


def test_a_rejection_may_name_the_result() -> None:
    named = result_rejected(rejects=id_of("first"))
    assert effective(accepted(), result_at_desk("first"), result_at_desk("second"), named) == [
        "accepted",
        "second",
    ]


def test_a_rejection_that_names_no_result_means_one_that_was_not_corrected() -> None:
    assert effective(
        accepted(),
        result_at_desk("first"),
        result_at_desk("second"),
        corrected(corrects="second"),
        result_rejected(),
    ) == ["accepted"]


def test_a_rejection_voids_nothing_but_a_result() -> None:
    named = result_rejected(rejects=id_of("assigned"))
    assert effective(accepted(), assigned(), named) == ["accepted", "assigned"]


def test_a_rejection_without_any_result_voids_nothing() -> None:
    assert effective(accepted(), result_rejected(), result_at_desk()) == [
        "accepted",
        "result-at-desk",
    ]


def test_a_rejection_that_is_corrected_gives_the_end_back() -> None:
    undone = corrected(corrects="result-rejected")
    dossier = replay(
        DOSSIER,
        history(accepted(), assigned(), result_at_desk(), result_rejected(), undone),
        rule_book(),
    )
    assert (dossier.status, dossier.result) == (Status.FINISHED, id_of("result-at-desk"))


def test_a_rejection_before_the_result_was_told_still_voids_it() -> None:
    told: History = [
        recorded(accepted(), version=1),
        recorded(result_rejected(), version=2, at=MORNING + 2 * HOUR),
        recorded(result_at_desk(), version=3, at=MORNING + HOUR),
    ]
    assert names(in_effect(told)) == ["accepted", "result-rejected"]


def test_the_version_counts_what_is_void_too() -> None:
    assert (
        replay(
            DOSSIER, history(accepted(), stopped(), corrected(corrects="stopped")), rule_book()
        ).version
        == 3
    )


def test_the_irregularities_of_no_history_are_none() -> None:
    assert irregularities([], rule_book()) == ()


def test_a_finding_goes_with_the_correction_of_the_event_that_has_it() -> None:
    told = history(accepted(), withdrawn(), assigned())
    assert [finding.kind for finding in irregularities(in_effect(told), rule_book())] == [
        "after-end"
    ]
    told = history(accepted(), withdrawn(), assigned(), corrected(corrects="assigned"))
    assert irregularities(in_effect(told), rule_book()) == ()


@pytest.mark.parametrize(
    "before",
    [
        (),
        (assigned(), obligation_requested()),
        (result_at_desk(), result_returned(), delivery_failed()),
    ],
)
def test_a_state_is_the_fold_of_its_effective_history(before: tuple[DossierEvent, ...]) -> None:
    told = history(accepted(), *before)
    assert replay(DOSSIER, told, rule_book()) == fold(DOSSIER, in_effect(told), rule_book())


def kinds(*events: DossierEvent) -> list[str]:
    return [each.kind for each in replay(DOSSIER, history(*events), rule_book()).irregularities]


def test_a_void_acceptance_before_any_work_is_no_finding() -> None:
    assert kinds(accepted(), corrected(corrects="accepted")) == []


def test_an_acceptance_that_was_void_after_work_began_is_a_finding_that_names_its_date() -> None:
    told = history(accepted(), assigned(), corrected(corrects="accepted"))
    found = replay(DOSSIER, told, rule_book()).broken_promises
    assert [(each.kind, each.events) for each in found] == [
        ("acceptance-voided", (id_of("accepted"), id_of("corrected")))
    ]
    assert DUE.isoformat() in found[0].why


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_who_accepts_anew_is_found_in_whatever_order_it_is_told(order: tuple[int, ...]) -> None:
    """A.3: the acceptance of an overdue dossier is corrected, another one looks punctual."""
    events = (accepted(), corrected(corrects="accepted"), accepted("anew", due=LATER_DUE))
    told = [
        recorded(events[place], version=version, at=MORNING + HOUR * place)
        for version, place in enumerate(order, 1)
    ]
    (found,) = replay(DOSSIER, told, rule_book()).broken_promises
    assert (found.kind, found.events) == ("accepted-anew", (id_of("accepted"), id_of("anew")))
    assert all(due.isoformat() in found.why for due in (DUE, LATER_DUE))


def test_a_returned_dossier_whose_acceptance_is_void_keeps_holders_and_may_be_accepted() -> None:
    events = (accepted(), result_at_desk(), result_returned(), corrected(corrects="accepted"))
    dossier = replay(DOSSIER, history(*events), rule_book())
    assert (dossier.status, dossier.accepted_at) == (Status.RETURNED, None)
    assert dossier.seen_by == (DESK, AGENCY)
    assert "accept" in allowed(dossier)
    assert "accept" not in allowed(replay(DOSSIER, history(*events[:3]), rule_book()))

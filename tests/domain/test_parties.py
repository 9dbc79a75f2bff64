"""Whose business a dossier is: strangers move nothing, whatever they tell and whenever."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from domain.dossier.corrections import EventCorrected
from domain.dossier.events import DossierEvent, Opening
from domain.dossier.evolve import replay
from domain.dossier.regularity import allowed
from domain.dossier.state import STRANGER, Dossier
from domain.envelope import Recorded, UnitCode, event_id
from domain.rules.codes import dossier_named
from domain.rules.rule_book import RuleBook
from projections import due, overview, sight
from projections.dossiers import Folded
from tests.examples import (
    AGENCY,
    CODE,
    DESK,
    DOSSIER,
    EVERY_DOSSIER_EVENT,
    HOUR,
    MORNING,
    PROVINCE,
    accepted,
    assigned,
    corrected,
    own_rule_book,
    recorded,
    registers,
    result_at_desk,
    result_returned,
    rule_book,
    step_completed,
    step_started,
    submitted,
    supplement_completed,
    supplement_requested,
    told_for,
    transfer_accepted,
    transfer_offered,
    unit_ended,
    unit_registered,
    withdrawn,
)
from tests.looking import examples

SIBLING = UnitCode("H01.30")
ELSEWHERE = UnitCode("H02")
BELOW = UnitCode("H02.1")
CODES = (None, "A-1", "H02-260302-0001", CODE)
STREAM = dossier_named(CODE)
STRANGERS = (SIBLING, ELSEWHERE, BELOW)
RULES = rule_book(
    unit_registered(SIBLING),
    unit_registered(ELSEWHERE, parent=None),
    unit_registered(BELOW, parent=ELSEWHERE),
)
THEIRS: tuple[DossierEvent, ...] = (
    told_for(DESK, accepted()),
    told_for(DESK, transfer_offered(to_unit=AGENCY)),
    told_for(AGENCY, transfer_accepted(unit=AGENCY)),
    told_for(AGENCY, step_started()),
    told_for(PROVINCE, supplement_requested()),
    told_for(DESK, supplement_completed()),
    told_for(AGENCY, step_completed()),
    told_for(AGENCY, result_at_desk(unit=DESK)),
    told_for(DESK, result_returned()),
)


def by_strangers(event: DossierEvent, unit: UnitCode, name: str) -> DossierEvent:
    """Return an event as a stranger tells it, for himself wherever it names a unit."""
    if isinstance(event, Opening):
        event = replace(event, receiving_unit=unit)  # type: ignore[call-arg]
    for field in ("competent_unit", "to_unit", "unit", "successor"):
        if getattr(event, field, None) is not None:
            event = replace(event, **{field: unit})  # type: ignore[arg-type]
    told = told_for(unit, event, "theirs")
    return replace(told, meta=replace(told.meta, event_id=event_id("theirs", name), source_id=name))


def late(event: DossierEvent, version: int, at: datetime | None = None) -> Recorded[DossierEvent]:
    """Return an event as it is told after the registers were, under the code of its dossier."""
    placed = replace(event, originator_id=STREAM)
    return recorded(placed, version=version, seq=100 + version, at=at)


def told_in_turn(*events: DossierEvent) -> list[Recorded[DossierEvent]]:
    return [late(event, version) for version, event in enumerate(events, 1)]


@st.composite
def interleaved(draw: st.DrawFn) -> tuple[list[Recorded[DossierEvent]], list[bool]]:
    """Tell a dossier's own events in any order, and strangers' among them, at any moment."""
    own = draw(st.permutations(range(len(THEIRS))))[: draw(st.integers(1, len(THEIRS)))]
    told = [(THEIRS[place], MORNING + HOUR * place, True) for place in own]
    ids = [event.meta.event_id for event in THEIRS]
    for number in range(draw(st.integers(0, 6))):
        event = draw(st.sampled_from(EVERY_DOSSIER_EVENT))
        if isinstance(event, EventCorrected):
            event = replace(event, corrects=draw(st.sampled_from(ids)))
        if isinstance(event, Opening):
            event = replace(
                event, code=draw(st.sampled_from([None, "A-1", "H02-260302-0001", event.code]))
            )  # type: ignore[call-arg]
        stranger = by_strangers(event, draw(st.sampled_from(STRANGERS)), str(number))
        at = (
            MORNING + HOUR * draw(st.integers(-3, 12)) + timedelta(minutes=draw(st.integers(0, 59)))
        )
        told.insert(draw(st.integers(0, len(told))), (stranger, at, False))
    events = [late(event, place, at) for place, (event, at, _) in enumerate(told, 1)]
    return events, [theirs for _, _, theirs in told]


def but_for_strangers(dossier: Dossier) -> Dossier:
    return replace(dossier, version=0, last_version=0, strangers=())


def only(
    events: Sequence[Recorded[DossierEvent]], mask: Sequence[bool]
) -> list[Recorded[DossierEvent]]:
    return [each for each, theirs in zip(events, mask, strict=True) if theirs]


@settings(max_examples=examples(300, long=10_000))
@for_all(interleaved())
def test_whatever_strangers_tell_the_dossier_is_what_it_is_without_them(
    told: tuple[list[Recorded[DossierEvent]], list[bool]],
) -> None:
    events, mask = told
    theirs = only(events, mask)
    with_them, without = (replay(DOSSIER, each, RULES) for each in (events, theirs))
    if not without.opened:
        return  # Nobody has opened it yet: everybody waits.
    assert but_for_strangers(with_them) == but_for_strangers(without)
    assert len(with_them.strangers) == len(events) - len(theirs)
    assert {each.kind for each in with_them.strangers} <= {STRANGER}
    assert (with_them.seen_by, allowed(with_them)) == (without.seen_by, allowed(without))
    shown = [_shown(each) for each in (with_them, without)]
    assert shown[0] == shown[1]


def _shown(dossier: Dossier) -> object:
    folded = Folded(dossier, 1, MORNING, voiding=False)
    return (
        overview.row_of(folded)._replace(irregularities=0),
        sight.rows_of(folded),
        due.row_of(folded),
    )


@settings(max_examples=examples(100, long=3_000))
@for_all(st.permutations(THEIRS))
def test_those_who_are_named_count_wherever_they_stand(told: list[DossierEvent]) -> None:
    """Whether what names them arrives or lies before or after what they tell."""
    moments = {each.meta.event_id: MORNING + HOUR * place for place, each in enumerate(THEIRS)}
    events = [late(each, place, moments[each.meta.event_id]) for place, each in enumerate(told, 1)]
    assert replay(DOSSIER, events, RULES).strangers == ()
    backwards = told_in_turn(*told)
    assert replay(DOSSIER, backwards, RULES).strangers == ()


def strangers(*events: DossierEvent, rules: RuleBook = RULES) -> list[str]:
    """Name the events that do not count, told one after the other."""
    told = told_in_turn(*events)
    dossier = replay(DOSSIER, told, rules)
    foreign = {name for each in dossier.strangers for name in each.events}
    return [each.event.TOPIC.split(".")[1] for each in told if each.event.meta.event_id in foreign]


def test_the_smallest_set_has_no_two_that_name_only_each_other() -> None:
    one = told_for(SIBLING, transfer_offered("one", to_unit=ELSEWHERE))
    other = told_for(ELSEWHERE, transfer_offered("other", to_unit=SIBLING))
    assert len(strangers(told_for(DESK, accepted()), one, other)) == 2


def test_a_chain_of_namings_counts_whole_or_not_at_all() -> None:
    first = told_for(DESK, transfer_offered("first", to_unit=SIBLING))
    second = told_for(SIBLING, transfer_offered("second", to_unit=ELSEWHERE))
    third = told_for(BELOW, step_started())
    told = told_for(DESK, accepted())
    assert strangers(told, first, second, third) == ["step-started"]  # It stands below, not above.
    assert strangers(told, second) == ["transfer-offered"]
    assert strangers(second, first, told) == []


def test_a_naming_that_is_void_names_nobody_and_its_correction_still_counts() -> None:
    offered = told_for(DESK, transfer_offered(to_unit=SIBLING))
    step = told_for(SIBLING, step_started())
    told = told_for(DESK, accepted())
    void = told_for(DESK, corrected(corrects="transfer-offered"))
    assert strangers(told, offered, step) == []
    assert strangers(told, offered, step, void) == ["step-started"]
    by_it = told_for(SIBLING, corrected(corrects="transfer-offered"))
    assert strangers(told, offered, by_it) == []


def test_no_stranger_makes_anything_void() -> None:
    void = told_for(SIBLING, corrected(corrects="accepted"))
    assert strangers(told_for(DESK, accepted()), void) == ["event-corrected"]
    assert (
        replay(DOSSIER, told_in_turn(told_for(DESK, accepted()), void), RULES).accepted_at
        is not None
    )


@pytest.mark.parametrize("acting", [DESK, PROVINCE])
def test_an_opening_is_told_for_its_receiving_unit_or_what_stands_above(acting: UnitCode) -> None:
    assert strangers(told_for(acting, accepted())) == []
    assert strangers(told_for(AGENCY, accepted())) == ["accepted"]


def test_under_the_code_of_a_numbering_only_who_belongs_to_it_opens() -> None:
    ours = accepted(receiving_unit=SIBLING, code="H01.10-260302-0007")
    assert strangers(told_for(SIBLING, ours)) == ["accepted"]
    assert strangers(told_for(PROVINCE, ours)) == []
    old = replace(ours, code="000.00.10.H01-210302-0007")
    assert strangers(told_for(SIBLING, old)) == ["accepted"]


def test_of_openings_under_a_code_of_nobodys_the_first_told_opens() -> None:
    one = told_for(DESK, accepted(code="G09-1"))
    other = told_for(ELSEWHERE, accepted("other", receiving_unit=ELSEWHERE, code="G09-1"))
    below = told_for(BELOW, accepted("below", receiving_unit=BELOW, code="G09-1"))
    assert strangers(one, other) == ["accepted"]
    assert replay(DOSSIER, told_in_turn(other, one), RULES).receiving_unit == ELSEWHERE
    assert strangers(other, below) == []  # They have to do with one another.


def test_an_opening_without_a_code_stands_against_no_acceptance_of_a_numbering() -> None:
    early = told_for(ELSEWHERE, submitted(receiving_unit=ELSEWHERE))
    assert strangers(early, told_for(DESK, accepted())) == ["submitted"]
    assert strangers(early, accepted()) == ["submitted"]  # By a command.


def test_no_stranger_opens_the_dossier_of_others_under_a_code_of_his_own_numbering() -> None:
    """He knows its UUID, which follows from its code, and would then end it as a party."""
    code = "H02-260302-0001"
    his = told_for(ELSEWHERE, accepted("his", receiving_unit=ELSEWHERE, code=code))
    end = told_for(ELSEWHERE, withdrawn())
    theirs = told_for(DESK, accepted())
    for told in ((accepted(), his, end), (his, accepted(), end), (his, theirs, end)):
        assert strangers(*told) == ["accepted", "withdrawn"]


def test_under_a_uuid_that_follows_from_no_code_the_first_told_opens() -> None:
    his = told_for(ELSEWHERE, accepted("his", receiving_unit=ELSEWHERE, code="H02-260302-0001"))
    theirs = told_for(DESK, accepted())
    for told in ((theirs, his), (his, theirs)):
        events = [
            replace(each, event=replace(each.event, originator_id=DOSSIER))
            for each in told_in_turn(*told)
        ]
        (foreign,) = replay(DOSSIER, events, RULES).strangers
        assert foreign.events == (told[1].meta.event_id,)


def test_what_a_command_or_an_import_that_states_no_unit_recorded_always_counts() -> None:
    assert strangers(accepted(), withdrawn()) == []
    assert strangers(told_for(None, step_started()), told_for(None, assigned())) == []


def test_who_stands_above_is_read_as_it_was_known_when_a_fact_was_told() -> None:
    """The sibling is moved under the province's agency only after it told its step."""
    rules = own_rule_book(*registers(), unit_registered(SIBLING))
    told = told_in_turn(told_for(DESK, accepted()), told_for(SIBLING, step_started()))
    seq = rules.position
    early = [replace(each, seq=seq + place) for place, each in enumerate(told, 1)]
    moved = replace(unit_registered(DESK, parent=SIBLING), originator_version=2)
    rules.learn([recorded(moved, version=2, seq=seq + 10)])
    assert len(replay(DOSSIER, early, rules).strangers) == 1
    late = [replace(each, seq=seq + 10 + place) for place, each in enumerate(told, 1)]
    assert replay(DOSSIER, late, rules).strangers == ()


def test_a_successor_speaks_for_its_predecessor() -> None:
    rules = rule_book(unit_registered(SIBLING), unit_ended(AGENCY, successors=(SIBLING,)))
    assert (
        strangers(told_for(DESK, accepted()), told_for(SIBLING, step_started()), rules=rules) == []
    )

"""Properties of histories of any events, told in any order."""

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from functools import partial

from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from domain.dossier.chapter import DossierCommand
from domain.dossier.corrections import CorrectEvent, EventCorrected
from domain.dossier.decisions import decide
from domain.dossier.events import DossierEvent
from domain.dossier.evolve import advance, evolve, irregularities, replay
from domain.dossier.history import History
from domain.dossier.regularity import allowed, examine
from domain.dossier.results import ResultRejected
from domain.dossier.state import Dossier, Finding
from domain.envelope import Recorded, UnitCode
from domain.errors import DomainError
from domain.ledger.aggregates import Aggregate, Settled
from tests.examples import (
    AGENCY,
    COMMAND_FOR,
    DESK,
    DOSSIER,
    ENDED,
    EVERY_DOSSIER_EVENT,
    HOUR,
    MORNING,
    PROVINCE,
    all_told,
    asking_for,
    calendar_decided,
    id_of,
    in_effect,
    own_rule_book,
    recorded,
    rule_book,
    told_for,
)
from tests.looking import examples
from tests.scenario import situation

QUICK = settings(max_examples=examples(150))


def names(events: Sequence[Recorded[DossierEvent]]) -> list[str]:
    return [each.event.meta.source_id for each in events]


EXAMPLE_OF = {COMMAND_FOR[type(event)].NAME: event for event in EVERY_DOSSIER_EVENT}

# Few names, so that corrections find targets, themselves and each other.
NAMES = [f"event {number}" for number in range(12)]


REGISTERED = 100
TELLERS: list[Callable[[DossierEvent], DossierEvent]] = [
    lambda event: event,  # A command, which always counts.
    partial(told_for, DESK),
    partial(told_for, AGENCY),
    partial(told_for, PROVINCE),
    partial(told_for, ENDED),
    partial(told_for, UnitCode("H02")),
]


@st.composite
def facts(draw: st.DrawFn) -> list[Recorded[DossierEvent]]:
    """Any events in any order: ids and moments differ from each other, nothing else is sound.

    Whoever tells them may be a stranger.
    """
    kinds = draw(st.lists(st.sampled_from(EVERY_DOSSIER_EVENT), max_size=len(NAMES)))
    moments = draw(st.permutations(range(len(kinds))))
    told: list[Recorded[DossierEvent]] = []
    for version, (event, moment) in enumerate(zip(kinds, moments, strict=True), 1):
        meant = id_of(draw(st.sampled_from(NAMES)))
        match event:
            case EventCorrected():
                event = replace(event, corrects=meant)  # noqa: PLW2901  # the same, aimed
            case ResultRejected():
                rejects = meant if draw(st.booleans()) else None
                event = replace(event, rejects=rejects)  # noqa: PLW2901  # the same, aimed
            case _:
                pass
        name = NAMES[version - 1]
        meta = replace(event.meta, event_id=id_of(name), source_id=name)
        named = draw(st.sampled_from(TELLERS))(replace(event, meta=meta))
        seq = REGISTERED + version  # After the registers: who is above whom is known.
        told.append(recorded(named, version=version, seq=seq, at=MORNING + HOUR * moment))
    return told


def told_in_another_order(told: History, order: Sequence[int]) -> History:
    return [
        recorded(
            told[place].event,
            version=version,
            seq=REGISTERED + version,
            at=told[place].event.timestamp,
        )
        for version, place in enumerate(order, 1)
    ]


def but_for_the_order_of_telling(dossier: Dossier) -> Dossier:
    return replace(dossier, version=0, last_version=0)


@QUICK
@for_all(facts())
def test_any_events_in_any_order_give_a_state(told: History) -> None:
    dossier = replay(DOSSIER, told, rule_book())
    assert dossier.version == len(told)
    found = (*dossier.findings, *dossier.date_findings)
    assert found == irregularities(in_effect(told), rule_book())
    evolved = Dossier(id=DOSSIER)
    for each in told:  # Not even in legal order.
        evolved = evolve(evolved, each.event)
    assert evolved.last_version == len(told)


@QUICK
@for_all(facts(), st.data())
def test_the_order_of_arrival_changes_no_history_no_state_and_no_finding(
    told: History, data: st.DataObject
) -> None:
    order = data.draw(st.permutations(range(len(told))))
    other = told_in_another_order(told, order)
    as_of = MORNING + HOUR * data.draw(st.integers(0, len(told)))
    assert names(in_effect(other)) == names(in_effect(told))
    assert names(in_effect(other, as_of)) == names(in_effect(told, as_of))
    assert but_for_the_order_of_telling(
        replay(DOSSIER, other, rule_book())
    ) == but_for_the_order_of_telling(replay(DOSSIER, told, rule_book()))


@QUICK
@for_all(facts(), st.integers(0, len(NAMES)))
def test_what_was_known_does_not_depend_on_what_was_told_later(
    told: History, position: int
) -> None:
    assert all_told(told, known_at=REGISTERED + position) == all_told(told[:position])


@settings(max_examples=examples(500, long=20_000))
@for_all(facts(), st.integers(0, len(NAMES)))
def test_a_state_that_goes_on_is_the_one_that_a_replay_gives(told: History, known: int) -> None:
    before = replay(DOSSIER, told[:known], rule_book())
    unchanged = deepcopy(before)
    then = advance(before, told[:known], told[known:], rule_book())
    assert then == replay(DOSSIER, told, rule_book())
    assert before == unchanged


@settings(max_examples=examples(200, long=10_000))
@for_all(facts(), st.data())
def test_who_reads_on_has_the_state_that_a_replay_gives(told: History, data: st.DataObject) -> None:
    rules = own_rule_book()
    aggregate, seq = Aggregate(), rules.position
    while len(aggregate.events) < len(told):
        known = len(aggregate.events)
        more = told[known : known + data.draw(st.integers(1, 4))]
        then = None
        if data.draw(st.booleans()):
            then = Settled(replay(DOSSIER, told[: known + len(more)], rules), rules.position)
        aggregate = aggregate.followed_by(more, then)
        if data.draw(st.booleans()):
            seq += 1
            rules.learn([recorded(calendar_decided(), version=seq, seq=seq)])
        for look in data.draw(st.lists(st.sampled_from(["at all of it", "at who sees it"]))):
            replayed = replay(DOSSIER, told[: len(aggregate.events)], rules)
            if look == "at all of it":
                assert aggregate.state(DOSSIER, rules) == replayed
            else:
                assert aggregate.undated(DOSSIER, rules).seen_by == replayed.seen_by


@QUICK
@for_all(facts())
def test_what_voids_is_itself_not_void(told: History) -> None:
    entries = all_told(told)
    effective = {entry.recorded.event.meta.event_id for entry in entries if not entry.voided_by}
    assert {entry.voided_by for entry in entries} <= effective | {None}


@QUICK
@for_all(st.data())
def test_in_a_regular_history_what_a_command_makes_happen_is_regular_even_if_it_is_sent_twice(
    data: st.DataObject,
) -> None:
    told: list[Recorded[DossierEvent]] = []
    for _ in range(12):
        possible = allowed(replay(DOSSIER, told, rule_book()))
        wish = data.draw(st.sampled_from(possible))
        command = _aimed(asking_for(EXAMPLE_OF[wish]), told, data)
        for _ in range(2):  # Sent, and sent again: no key, no version that would notice.
            known = len(told)
            was_regular = not replay(DOSSIER, told, rule_book()).findings
            told += _decided(told, command)
            assert not (was_regular and _irregular_since(known, told))


def _irregular_since(known: int, told: History) -> list[Finding]:
    state = Dossier(id=DOSSIER)
    found: list[Finding] = []
    for each in in_effect(told):
        finding = examine(state, each.event)
        if finding is not None and each.version > known:
            found.append(finding)
        state = evolve(state, each.event)
    return found


def _aimed(command: DossierCommand, told: History, data: st.DataObject) -> DossierCommand:
    if not isinstance(command, CorrectEvent) or not told:
        return command
    target = data.draw(st.sampled_from(told)).event.meta.event_id
    return replace(command, corrects=target)


def _decided(told: History, command: DossierCommand) -> History:
    sees = situation(told, at=MORNING + timedelta(minutes=len(told)))
    try:
        decision = decide(sees, command)
    except DomainError:
        return []
    first = len(told) + 1
    new = [
        recorded(event, version=version, at=sees.at)
        for version, event in enumerate(decision.events, first)
    ]
    assert decision.then == replay(DOSSIER, [*told, *new], rule_book())
    return new

"""Which events each command yields, or which refusal stands in its way: what all have in common."""

from collections.abc import Sequence
from dataclasses import dataclass

from domain.dossier.appointments import DueDateRecomputed, recomputed
from domain.dossier.chapter import AnyAct, Decision, DossierCommand, Hindered, Situation
from domain.dossier.chapters import ACT_FOR, ACT_OF
from domain.dossier.dates.dates import dates_of, later, newest
from domain.dossier.events import DossierEvent, Opening, unit_fields
from domain.dossier.evolve import advance
from domain.dossier.intake import Acceptance
from domain.dossier.regularity import illegal, refusal
from domain.dossier.state import Dossier
from domain.envelope import Pin, Recorded
from domain.errors import DomainError
from domain.rules.rule_book import RuleBook


@dataclass(frozen=True, kw_only=True)
class Decided:
    """The events to append, and the state once they are recorded.

    `issue` is the numbering from which the acceptance gets its code.
    """

    events: tuple[DossierEvent, ...]
    then: Dossier
    issue: str | None = None


def decide(situation: Situation, command: DossierCommand) -> Decided:
    """Return what the command makes happen, or raise the refusal that stands in its way."""
    refused = refusal(situation.dossier, type(command))
    if refused is not None:
        raise refused
    act = ACT_FOR[type(command)]
    check_units(situation, command, act)
    decision = _decision(situation, command, act)
    events = decision.events
    then = _after(situation, events)
    further = _by_newest(situation, then) if act.moves_clock and events else None
    if further is not None:
        events = (*events, further)
        then = _after(situation, events)
    return Decided(events=events, then=then, issue=decision.issue)


def _decision(situation: Situation, command: DossierCommand, act: AnyAct) -> Decision:
    try:
        return act.decide(situation, command)
    except Hindered as hindered:
        raise illegal(situation.dossier, type(command), hindered.why) from None


def check_units(situation: Situation, command: DossierCommand, act: AnyAct) -> None:
    """Refuse units that the register does not know, or that had ended."""
    for name in unit_fields(act.event):
        unit = getattr(command, name)
        ended = name in act.ended_units and unit in situation.rules.units
        if unit is not None and not ended:
            situation.rules.unit(unit, situation.at)


def _after(situation: Situation, events: Sequence[DossierEvent]) -> Dossier:
    recorded = [Recorded(seq=0, recorded_at=e.timestamp, leaf=b"", event=e) for e in events]
    return advance(situation.dossier, situation.history, recorded, situation.rules)


def _by_newest(situation: Situation, then: Dossier) -> DueDateRecomputed | None:
    """Return a recomputation if the date that is told now is another one by the newest calendar.

    A term that begins anew was told to nobody; any other date only becomes later. Raises
    CalendarLacksYear where the clock goes on, but into a year that is not known.
    """
    before = situation.dossier
    same = (then.clock, then.competent_unit) == (before.clock, before.competent_unit)
    if same or (before.is_undated and then.is_undated):
        return None
    move = newest(then, situation.rules)
    if move is None or move.first_due is None:
        return None
    if (move.first_due, move.due) == (then.first_due, then.due):
        return None
    if not _begins_anew(before, then, situation.rules) and later(then, situation.rules) is None:
        return None
    place = then.version - before.version + 1
    return recomputed(situation, move, "calendar", place)


def _begins_anew(before: Dossier, then: Dossier, rules: RuleBook) -> bool:
    """Say whether a clock has begun to count the whole term: nobody was told its end yet."""
    try:
        counts = [dates_of(each, rules) for each in (before, then)]
    except DomainError:
        return True  # No date was told before, or none can be by the calendar in use.
    starts = [(each.first.clock_starts, each.first.again) for each in counts if each is not None]
    return starts[0] != starts[-1]


def pins_of(rules: RuleBook, said: DossierEvent | DossierCommand) -> tuple[Pin, ...]:
    """Return the versions of the units, the procedure, calendar and policy that it looks at."""
    act = ACT_OF[type(said)] if isinstance(said, DossierEvent) else ACT_FOR[type(said)]
    units = tuple(getattr(said, name) for name in unit_fields(act.event))
    competent = said.competent_unit if isinstance(said, Acceptance) else None
    procedure = said.procedure if isinstance(said, Opening) else None
    return rules.pins(units, procedure, competent)

"""Which events each command yields, or which refusal stands in its way."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from datetime import datetime

from domain.dossier import commands as do
from domain.dossier import events as ev
from domain.dossier import payloads as say
from domain.dossier.dates.dates import dates_of, later, newest, resolved
from domain.dossier.dates.limits import supplement_limit
from domain.dossier.evolve import UNIT_FIELDS
from domain.dossier.history import History, full_history, replay
from domain.dossier.state import Delivery, Dossier, Status
from domain.envelope import LedgerEvent, Meta, Pin, Recorded, Stamp, UnitCode, event_id
from domain.errors import (
    CalendarContradicts,
    CalendarLacksYear,
    DomainError,
    Forbidden,
    IllegalTransition,
    InvalidRequest,
)
from domain.rules.codes import issuing_scope
from domain.rules.rule_book import RuleBook


@dataclass(frozen=True, kw_only=True)
class Situation:
    """What a decision may look at, beside the command: nothing else reaches it.

    `scope` is the subtree of units that the sender acts for.
    """

    dossier: Dossier
    history: History
    rules: RuleBook
    scope: frozenset[UnitCode]
    at: datetime
    meta: Meta
    now: datetime | None = None  # Where `at` lies ahead of it, after a fact that counts till then.

    def after(self, events: Sequence[ev.DossierEvent]) -> Dossier:
        """Return the state once these events are recorded too."""
        recorded = (Recorded(seq=0, recorded_at=e.timestamp, leaf=b"", event=e) for e in events)
        return replay(self.dossier.id, (*self.history, *recorded), self.rules)

    def stamp(self, place: int = 1) -> Stamp:
        return {
            "originator_id": self.dossier.id,
            "originator_version": self.dossier.version + place,
            "timestamp": self.at,
            "meta": self.meta if place == 1 else _further(self.meta, place),
        }


def _further(meta: Meta, place: int) -> Meta:
    """Give the second event of a command an identity of its own; no key contains a space."""
    source_id = f"{meta.source_id} {place}"
    return replace(meta, source_id=source_id, event_id=event_id(meta.source, source_id))


@dataclass(frozen=True, kw_only=True)
class Decision:
    """The events to append; `issue` is the numbering from which the acceptance gets its code."""

    events: tuple[ev.DossierEvent, ...]
    issue: str | None = None


def refusal(dossier: Dossier, command: type[do.Command]) -> IllegalTransition | None:
    """Return why the state alone forbids a command; None if it does not."""
    why = _hindrance(dossier, command)
    if why is None:
        return None
    status = dossier.status.portal_code if dossier.status is not None else None
    return IllegalTransition(command.NAME, status, allowed(dossier), why)


def allowed(dossier: Dossier) -> list[str]:
    """Return the names of the commands that the state allows."""
    return [name for name, each in do.COMMANDS.items() if _hindrance(dossier, each) is None]


def _hindrance(dossier: Dossier, command: type[do.Command]) -> str | None:  # noqa: PLR0911  # a list of hindrances
    answers = (do.AcceptTransfer, do.RefuseTransfer, do.TimeOutTransfer)
    if command is do.AcceptDossier and dossier.accepted_at is not None:
        return "it was accepted before."
    if dossier.status not in command.FROM:
        return f"its status is {_status(dossier)}."
    if command in answers and dossier.offer is None:
        return "no transfer waits for an answer."
    if command is do.OfferTransfer and dossier.offer is not None:
        return f"it is offered to {dossier.offer.to_unit} already."
    if command is do.IssueReappointment and dossier.reappointed_by is not None:
        return "one re-appointment for a dossier, and it has had it (NĐ 61/2018, Điều 19.9)."
    again = dossier.status is Status.REGISTERED and dossier.intake_supplements > 0
    if command is do.RequestSupplement and again:
        return "before acceptance a supplement is asked for once, in full (NĐ 61/2018, Điều 15.3)."
    if command is do.RejectResult and dossier.delivery is not Delivery.AT_DESK:
        return "its result was handed over before."
    if command is do.EndIncident and not dossier.incidents:
        return "no incident is open."
    return None


def _status(dossier: Dossier) -> str:
    if dossier.status is None:
        return "not known yet"
    return f"{dossier.status.portal_code}" + ("'" if dossier.status < 0 else "")


def decide(situation: Situation, command: do.Command) -> Decision:
    """Return what the command makes happen, or raise the refusal that stands in its way."""
    refused = refusal(situation.dossier, type(command))
    if refused is not None:
        raise refused
    check_units(situation, command)
    special = _SPECIAL.get(type(command))
    if special is not None:
        decision = special(situation, command)
    else:
        decision = Decision(events=(_happen(situation, command),))
    if type(command) not in _MOVING or not decision.events:
        return decision
    further = _by_newest(situation, decision.events)
    return replace(decision, events=(*decision.events, *further))


def _by_newest(
    situation: Situation, events: Sequence[ev.DossierEvent]
) -> tuple[ev.DueDateRecomputed, ...]:
    """Return a recomputation if the date that is told now is another one by the newest calendar.

    A term that begins anew was told to nobody; any other date only becomes later. Raises
    CalendarLacksYear where the clock goes on, but into a year that is not known.
    """
    before, after = situation.dossier, situation.after(events)
    same = (after.clock, after.competent_unit) == (before.clock, before.competent_unit)
    if same or (before.is_undated and after.is_undated):
        return ()
    move = newest(after, situation.rules)
    if move is None or move.first_due is None:
        return ()
    if (move.first_due, move.due) == (after.first_due, after.due):
        return ()
    if not _begins_anew(before, after, situation.rules) and later(after, situation.rules) is None:
        return ()
    return (_recomputed(situation, move, "calendar", place=len(events) + 1),)


def _begins_anew(before: Dossier, after: Dossier, rules: RuleBook) -> bool:
    """Say whether a clock has begun to count the whole term: nobody was told its end yet."""
    try:
        counts = [dates_of(each, rules) for each in (before, after)]
    except DomainError:
        return True  # No date was told before, or none can be by the calendar in use.
    starts = [(each.first.clock_starts, each.first.again) for each in counts if each is not None]
    return starts[0] != starts[-1]


def _recomputed(
    situation: Situation, move: say.DateMove, cause: str | None, place: int
) -> ev.DueDateRecomputed:
    return ev.DueDateRecomputed(**situation.stamp(place), cause=cause, moved=move)


def check_units(situation: Situation, command: do.Command) -> None:
    """Refuse units that the register does not know, or that had ended."""
    for name in UNIT_FIELDS[command.EVENT]:
        unit = getattr(command, name, None)
        if unit is not None and (name != "predecessor" or unit not in situation.rules.units):
            situation.rules.unit(unit, situation.at)


def _happen(situation: Situation, command: do.Command, **changes: object) -> ev.DossierEvent:
    said = {each.name: getattr(command, each.name) for each in fields(command)}
    return command.EVENT(**situation.stamp(), **{**said, **changes})


def _accept(situation: Situation, command: do.AcceptDossier) -> Decision:
    if command.receiving_unit not in situation.scope:
        raise Forbidden(f"You do not act for the receiving unit {command.receiving_unit}.")
    basis, due = resolved(command, situation.at, situation.rules)
    zone = situation.rules.zone(command.receiving_unit)
    code = command.code or situation.dossier.code
    unit = situation.rules.unit(command.receiving_unit, situation.at).unit
    accepted = _happen(situation, command, due=due, code=code, **vars(basis))
    issue = None if code else issuing_scope(unit, situation.at.astimezone(zone).date())
    return Decision(events=(accepted,), issue=issue)


def _submit(situation: Situation, command: do.SubmitDossier) -> Decision:
    situation.rules.procedure(command.procedure, situation.at)
    if command.receiving_unit not in situation.scope:
        raise Forbidden(f"You do not act for the receiving unit {command.receiving_unit}.")
    return Decision(events=(_happen(situation, command),))


def _answer_transfer(
    situation: Situation, command: do.AcceptTransfer | do.RefuseTransfer
) -> Decision:
    offer = situation.dossier.offer
    if offer is None or offer.to_unit not in situation.scope:
        raise Forbidden("Only the unit that a dossier is offered to may answer.")
    if command.unit not in (None, offer.to_unit):
        raise Forbidden(f"It is offered to {offer.to_unit}, not to {command.unit}.")
    answered = _happen(situation, command, unit=offer.to_unit, transfer_id=offer.transfer_id)
    return Decision(events=(answered,))


def _succeed(situation: Situation, command: do.SucceedUnit) -> Decision:
    dossier = situation.dossier
    roles = (dossier.receiving_unit, dossier.competent_unit, dossier.returning_unit)
    if command.predecessor not in (*roles, dossier.custodian_unit):
        raise InvalidRequest(f"{command.predecessor} has no part in this dossier.")
    return Decision(events=(_happen(situation, command),))


def _time_out(situation: Situation, command: do.TimeOutTransfer) -> Decision:
    until = situation.dossier.transfer_answer_by
    _refuse_early(situation, command, until)
    return Decision(events=(_happen(situation, command, answer_by=until),))


def _refuse_early(
    situation: Situation, command: do.TimeOutTransfer | do.ExpireSupplement, until: datetime | None
) -> None:
    if until is not None and (situation.now or situation.at) <= until:
        raise _illegal(situation, command, f"an answer is awaited until {until.isoformat()}.")


def _illegal(situation: Situation, command: do.Command, why: str) -> IllegalTransition:
    dossier = situation.dossier
    status = dossier.status.portal_code if dossier.status is not None else None
    return IllegalTransition(command.NAME, status, allowed(dossier), why)


def _refuse_past_limit(situation: Situation, answer_by: datetime | None) -> None:
    if answer_by is not None and answer_by <= situation.at:
        raise InvalidRequest("answer_by must lie ahead.")


def _ask(situation: Situation, command: do.RequestSupplement) -> Decision:
    """Say until when the answer is awaited, if it is not said and the rules know."""
    until = command.answer_by
    _refuse_past_limit(situation, until)
    with suppress(CalendarLacksYear, CalendarContradicts):
        dates = dates_of(situation.dossier, situation.rules) if until is None else None
        until = supplement_limit(situation.at, dates) if dates is not None else until
    return Decision(events=(_happen(situation, command, answer_by=until),))


def _share(
    situation: Situation, command: do.OfferTransfer | do.AssignDossier | do.StartStep
) -> Decision:
    if isinstance(command, do.OfferTransfer):
        _refuse_past_limit(situation, command.answer_by)
    due = situation.dossier.due
    if command.deadline is not None and due is not None and command.deadline > due:
        raise InvalidRequest("deadline lies after the due date of the whole dossier.")
    return Decision(events=(_happen(situation, command),))


def _expire(situation: Situation, command: do.ExpireSupplement) -> Decision:
    until = situation.dossier.answer_by
    _refuse_early(situation, command, until)
    expired = _happen(situation, command, answer_by=until)
    stop = ev.DossierStopped(
        **situation.stamp(2),
        reason="Người nộp không bổ sung hồ sơ trong thời hạn.",
        expiry=expired.meta.event_id,
    )
    return Decision(events=(expired, stop))


def _reappoint(situation: Situation, command: do.IssueReappointment) -> Decision:
    due = situation.dossier.due
    unit = situation.dossier.receiving_unit
    if command.new_due <= situation.at:
        raise InvalidRequest("new_due must lie ahead.")
    if due is not None and unit is not None:
        zone = situation.rules.zone(unit)
        if situation.at.astimezone(zone).date() >= due.astimezone(zone).date():
            why = "the notice must come at the latest the day before (NĐ 61/2018, Điều 19.9)."
            raise _illegal(situation, command, why)
        if command.new_due <= due:
            raise InvalidRequest("new_due must be later than the day of return so far.")
    return Decision(events=(_happen(situation, command),))


def _reject_result(situation: Situation, command: do.RejectResult) -> Decision:
    rejects = command.rejects or situation.dossier.result
    return Decision(events=(_happen(situation, command, rejects=rejects),))


def _begin_incident(situation: Situation, command: do.BeginIncident) -> Decision:
    if command.system in situation.dossier.incidents:
        return Decision(events=())  # It is known to be down: no news.
    return Decision(events=(_happen(situation, command),))


def _end_incident(situation: Situation, command: do.EndIncident) -> Decision:
    if command.system not in situation.dossier.incidents:
        return Decision(events=())
    return Decision(events=(_happen(situation, command),))


def _correct(situation: Situation, command: do.CorrectEvent) -> Decision:
    for entry in full_history(situation.history):
        if entry.recorded.event.meta.event_id == command.corrects:
            if entry.voided_by is not None:
                raise InvalidRequest("That event is void already.")
            return Decision(events=(_happen(situation, command),))
    raise InvalidRequest("corrects must be the id of an event of this dossier.")


def _recompute(situation: Situation, command: do.RecomputeDueDate) -> Decision:
    """Move the date by the newest calendar: never to an earlier one, and only if it moves."""
    move = later(situation.dossier, situation.rules)
    if move is None:
        return Decision(events=())
    return Decision(events=(_recomputed(situation, move, command.cause, place=1),))


_MOVING = frozenset(
    {
        do.CompleteSupplement,
        do.RecordPayment,
        do.EndIncident,
        do.AcceptTransfer,
        do.TransferCompetence,
        do.SucceedUnit,
    }
)
"""Commands by which a clock may begin, go on, or count by the days of another office."""

_SPECIAL: dict[type[do.Command], Callable[..., Decision]] = {
    do.AcceptDossier: _accept,
    do.SubmitDossier: _submit,
    do.AcceptTransfer: _answer_transfer,
    do.RefuseTransfer: _answer_transfer,
    do.OfferTransfer: _share,
    do.AssignDossier: _share,
    do.StartStep: _share,
    do.TimeOutTransfer: _time_out,
    do.RequestSupplement: _ask,
    do.ExpireSupplement: _expire,
    do.SucceedUnit: _succeed,
    do.IssueReappointment: _reappoint,
    do.RecomputeDueDate: _recompute,
    do.RejectResult: _reject_result,
    do.BeginIncident: _begin_incident,
    do.EndIncident: _end_incident,
    do.CorrectEvent: _correct,
}


def pins_of(rules: RuleBook, event: ev.DossierEvent | do.Command) -> tuple[Pin, ...]:
    """Return the versions of the units, the procedure, calendar and policy that it looks at."""
    kind = type(event) if isinstance(event, LedgerEvent) else event.EVENT
    named = (getattr(event, name, None) for name in UNIT_FIELDS[kind])
    pins = set(rules.pins(unit for unit in named if unit is not None))
    procedure = getattr(event, "procedure", None)
    if procedure is not None and procedure in rules.procedures:
        pins.add(rules.procedures[procedure].pin)
        pins.update(rules.clock_pins(getattr(event, "competent_unit", None)))
    return tuple(sorted(pins, key=lambda pin: pin.stream))

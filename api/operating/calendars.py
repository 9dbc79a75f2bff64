"""What `hoso calendar` does: shows what is decided about days, and decides. No token is asked."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any, Final

from api.main import Process, Settings, now, opened
from api.operating.catalogue import decision_state, rehearse
from api.operating.keeping import KEEPER
from domain.deadlines.decided import applied, days_of, deciding
from domain.deadlines.law import CalendarDecision
from domain.envelope import VIETNAM, UnitCode
from domain.errors import InvalidRequest, NotFound, UnknownUnit
from domain.ledger.registering import Change
from domain.rules.calendars import CalendarDecided
from domain.rules.rule_book import CALENDAR, RuleBook
from streams.time.acting import Machine
from streams.time.recomputing import recompute_open

OFF, WORKED, HOURS, PROPOSED = "off", "worked", "hours", "proposed"
_ROLE: Final = "calendar"
Advance = Callable[[int], None]


@dataclass(frozen=True, kw_only=True)
class CalendarQuestion:
    """Which calendar is to be shown: for whom, of which year, perhaps only what waits."""

    unit: str | None = None
    year: int | None = None
    calendar: str | None = None
    proposals: bool = False


async def shown(settings: Settings, asked: CalendarQuestion) -> dict[str, Any]:
    """Return a calendar as it is decided now, for everybody or for the offices of a unit."""
    async with opened(settings, _ROLE) as process:
        return calendar_body(process.services.store.rules, asked, today())


def today() -> date:
    return now().astimezone(VIETNAM).date()


def calendar_body(rules: RuleBook, asked: CalendarQuestion, on: date) -> dict[str, Any]:
    """Return the decisions that `asked` is about, and what they make of the days of its year."""
    name, line = _calendar_of(rules, asked)
    version = rules.calendars.version(name)
    decisions = rules.decisions(name, version)
    concerned = [each for each in decisions if asked.unit is None or each.unit in (None, *line)]
    held = applied(decisions, line)
    years = {day.year for each in held if each.unit is None for day in days_of(each)}
    year = asked.year or on.year
    return {
        "calendar": name,
        "version": version,
        "unit": asked.unit,
        "years": sorted(years),
        "year": year,
        "year_known": year in years,
        "decisions": [
            decision_body(each)
            for each in sorted(
                concerned, key=lambda each: (min(days_of(each), default=on), each.id)
            )
            if (each.proposal or not asked.proposals)
            and (asked.year is None or any(day.year == asked.year for day in days_of(each)))
        ],
        "days": [
            {"date": day, "kind": kind, "decision": decision}
            for day, kind, decision in sorted(_days(held, concerned))
            if day.year == year
        ],
    }


def _calendar_of(rules: RuleBook, asked: CalendarQuestion) -> tuple[str, list[UnitCode]]:
    """Return a calendar's name, and the unit with all above it whose closures hold there."""
    if asked.calendar is not None and asked.calendar not in rules.calendars:
        raise NotFound(f"calendar {asked.calendar}")
    if asked.unit is None:
        return asked.calendar or CALENDAR, []
    unit = UnitCode(asked.unit)
    if unit not in rules.units:
        raise UnknownUnit(unit)
    return asked.calendar or rules.calendar_use(unit).name, rules.line(unit)


def _days(
    held: Sequence[CalendarDecision], concerned: Iterable[CalendarDecision]
) -> Iterable[tuple[date, str, str]]:
    settled = deciding(held)
    for day, decision in settled.items():
        own_hours = {each.day for each in decision.hours}
        kind = OFF if day in decision.off else HOURS if day in own_hours else WORKED
        yield day, kind, decision.id
    waiting = {day: each for each in concerned if each.proposal for day in days_of(each)}
    for day in waiting.keys() - settled.keys():
        yield day, PROPOSED, waiting[day].id


async def decided(
    settings: Settings, decisions: list[CalendarDecided], advance: Advance
) -> dict[str, Any]:
    """Record decisions, all of them or none, and recompute the open dossiers that they move."""
    async with opened(settings, _ROLE) as process:
        if len(decisions) > 1:
            await rehearse(decisions, process.services.store.rules)
        changes = [await _put(process, each) for each in decisions]
        moved = await _recomputed(process, advance)
    (*_, last) = changes
    body = last if len(changes) == 1 else {"decisions": changes}
    return {**body, "recomputed": moved}


@dataclass(frozen=True, kw_only=True)
class Confirmation:
    """Which proposal is confirmed; an instrument of its own may be named."""

    id: str
    calendar: str = CALENDAR
    issued: date | None = None
    title: str | None = None


async def confirmed(settings: Settings, said: Confirmation, advance: Advance) -> dict[str, Any]:
    """Decide what was proposed, as it was proposed. Raises InvalidRequest if it is decided."""
    async with opened(settings, _ROLE) as process:
        known = found(process.services.store.rules, said.calendar, said.id)
        decision = replace(
            known,
            proposal=False,
            issued=said.issued or known.issued,
            title=said.title or known.title,
        )
        if not known.proposal and decision != known:
            raise InvalidRequest(f"{said.id} is decided already; hoso calendar decide replaces it.")
        change = await _put(process, decision)
        return {**change, "recomputed": await _recomputed(process, advance)}


async def proposed(settings: Settings, year: int, calendar: str) -> dict[str, Any]:
    """Keep what the Labour Code gives for a year as a proposal; a decision is never taken back."""
    from streams.registers.holiday_proposals import proposal  # noqa: PLC0415  # as slow as all else of hoso

    made = replace(proposal(year, today()), calendar=calendar)
    async with opened(settings, _ROLE) as process:
        rules = process.services.store.rules
        known = next(
            (each for each in rules.calendars.get(calendar, ()) if each.id == made.id), made
        )
        same = not known.proposal or known.off == made.off
        body = await _put(process, known if same else made)
        return {**body, "decision": decision_body(found(rules, calendar, made.id))}


def found(rules: RuleBook, calendar: str, id_: str) -> CalendarDecided:
    """Return a decision in its last form, or raise NotFound."""
    known = {each.id: each for each in rules.calendars.get(calendar, ())}
    if id_ not in known:
        waiting = ", ".join(each.id for each in known.values() if each.proposal) or "none"
        raise NotFound(f"proposal {id_} in the calendar {calendar}; waiting: {waiting}")
    return known[id_]


async def _put(process: Process, decision: CalendarDecided) -> dict[str, Any]:
    change: Change = await process.services.registers.put(decision, KEEPER)
    await process.services.store.read()
    version = process.services.store.rules.calendars.version(decision.calendar)
    return {"id": decision.id, "version": version, "change": change}


async def _recomputed(process: Process, advance: Advance) -> dict[str, int]:
    """Move the dates of open dossiers; also after what was known, for a run that was cut short."""
    services = process.services
    await services.runner.catch_up()
    machine = Machine(
        store=services.store, ledger=services.ledger, digest=services.digest, now=services.now
    )
    return asdict(await recompute_open(machine, process.pool, progress=advance))


def decision_body(decision: CalendarDecision) -> dict[str, Any]:
    """Return a decision as it is shown."""
    return {
        "id": decision.id,
        "title": decision.title,
        "issued": decision.issued,
        "off": list(decision.off),
        "working": list(decision.working),
        "hours": [{"day": each.day, "sessions": list(each.sessions)} for each in decision.hours],
        "unit": decision.unit,
        "state": decision_state(decision),
    }

"""The dates of a dossier as they are shown, with everything that they follow from."""

from collections.abc import Mapping
from typing import ClassVar, Self
from uuid import UUID
from zoneinfo import ZoneInfo

from msgspec import Struct

from api.showing import examples
from api.showing.answers import Answer, Count, Moment
from api.showing.due_parts import DueDay, DueDuty, DueMove, DuePause, DueProblem, DueStep
from api.showing.rules import Counted, DuePolicies, DueRules, DueTerm
from api.showing.texts import Summary, summary_lines
from domain.deadlines.wording import explanation_text
from domain.dossier.explanation.explanation import DateState, Explanation
from domain.envelope import VIETNAM
from domain.words import Language


class Lines(Struct):
    """The whole explanation, a sentence or a day each."""

    vi: list[str]
    en: list[str]

    @classmethod
    def of(cls, found: Explanation) -> Self:
        return cls(_lines(found, "vi"), _lines(found, "en"))


def _lines(found: Explanation, lang: Language) -> list[str]:
    dossier, dates = found.standpoint.dossier, found.dates
    said = Summary(
        state=found.state,
        zone=ZoneInfo(dossier.clock.calendar.zone) if dossier.clock is not None else VIETNAM,
        printed_due=dossier.printed_due,
        first_due=dossier.first_due,
        due=dossier.due,
        awaits=found.awaits,
        resumed=found.resumed,
        problem=found.problem,
        moves=found.moves,
    )
    lines = summary_lines(said, lang)
    if dates is None:
        return lines
    ran = dates.first._replace(due=dates.due, open=found.state is DateState.PAUSED)
    return lines + explanation_text(found.days, dates.counting, ran, lang)


class DueExplanation(Struct):
    """Why a dossier would be due then. `awaits`: the agency from whose receipt the term counts."""

    awaits: str | None
    provisional: bool
    clock_starts: Moment | None
    term: DueTerm | None
    policies: DuePolicies | None
    rules: DueRules | None
    steps: list[DueStep]
    days: list[DueDay]
    text: Lines

    @classmethod
    def of(cls, found: Explanation) -> Self:
        counted = _counted(found)
        return cls(
            awaits=found.awaits,
            provisional=found.awaits is not None,
            clock_starts=counted.clock_starts,
            term=counted.term,
            policies=counted.policies,
            rules=counted.rules,
            steps=list(map(DueStep.of, found.steps)),
            days=list(map(DueDay.of, found.days)),
            text=Lines.of(found),
        )


class DuePreviewed(Answer):
    """When a dossier would be due, and why."""

    EXAMPLE: ClassVar[Mapping[str, object]] = examples.DUE_PREVIEWED

    position: Count
    due: Moment | None
    explanation: DueExplanation

    @classmethod
    def of(cls, found: Explanation, position: int) -> Self:
        """Show when an accepted dossier would be due. Raises why that is not known."""
        if found.problem is not None:
            raise found.problem
        return cls(position, found.standpoint.dossier.due, DueExplanation.of(found))


class DueDate(Answer):
    """Every date of a dossier, and everything that it follows from. It names no person."""

    EXAMPLE: ClassVar[Mapping[str, object]] = examples.DUE_DATE

    position: Count
    id: UUID
    code: str | None
    state: DateState
    printed_due: Moment | None
    first_due: Moment | None
    due: Moment | None
    awaits: str | None
    provisional: bool
    due_if_resumed_now: Moment | None
    clock_starts: Moment | None
    term: DueTerm | None
    policies: DuePolicies | None
    rules: DueRules | None
    pauses: list[DuePause]
    moves: list[DueMove]
    steps: list[DueStep]
    duties: list[DueDuty]
    days: list[DueDay]
    problem: DueProblem | None
    text: Lines

    @classmethod
    def of(cls, found: Explanation, position: int) -> Self:
        dossier, counted = found.standpoint.dossier, _counted(found)
        return cls(
            position=position,
            id=dossier.id,
            code=dossier.code,
            state=found.state,
            printed_due=dossier.printed_due,
            first_due=dossier.first_due,
            due=dossier.due,
            awaits=found.awaits,
            provisional=found.awaits is not None,
            due_if_resumed_now=found.resumed,
            clock_starts=counted.clock_starts,
            term=counted.term,
            policies=counted.policies,
            rules=counted.rules,
            pauses=list(map(DuePause.of, found.pauses)),
            moves=list(map(DueMove.of, found.moves)),
            steps=list(map(DueStep.of, found.steps)),
            duties=list(map(DueDuty.of, found.duties)),
            days=list(map(DueDay.of, found.days)),
            problem=DueProblem.of(found.problem) if found.problem is not None else None,
            text=Lines.of(found),
        )


def _counted(found: Explanation) -> Counted:
    seen = found.standpoint
    return Counted.of(seen.dossier, found.dates, found.days, seen.rules)

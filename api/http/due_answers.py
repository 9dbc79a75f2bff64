"""What the endpoints of due dates answer, as types and examples for the documentation."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from msgspec import Meta, Struct

from domain.deadlines.explaining import Why
from domain.deadlines.law import CutoffPolicy, PausePolicy, TermUnit
from domain.dossier.explanation.judging import DutyName, DutyState
from domain.dossier.explanation.moves import Effect
from domain.dossier.state import PauseKind
from streams.wire.examples import DOSSIER, DOSSIER_CODE

Moment = Annotated[datetime, Meta(tz=True)]
Count = Annotated[int, Meta(ge=0)]


class Words(Struct):
    """In Vietnamese and English."""

    vi: str
    en: str


class Lines(Struct):
    """The whole explanation, a sentence or a day each."""

    vi: list[str]
    en: list[str]


class DueTerm(Struct):
    amount: Count
    unit: TermUnit


class DuePolicies(Struct):
    """What a supplement and a payment do to the term, and what receipt late in the day does."""

    supplement: PausePolicy
    payment: PausePolicy
    cutoff: CutoffPolicy


class DueProcedure(Struct):
    code: str
    version: int
    name: str
    legal_basis: str


class DueDecision(Struct):
    """A calendar decision about a day that was counted over."""

    id: str
    title: str | None
    issued: date
    unit: str | None


class DueCalendar(Struct):
    """The calendar by which the clock runs; `units`: those whose own closures hold."""

    name: str
    version: Count
    zone: str
    units: list[str]
    decisions: list[DueDecision]


class DuePolicy(Struct):
    """The office policy; version 0 comes with the law."""

    version: Count
    legal_basis: str | None


class DueRules(Struct):
    """The versions of the rules that the dates follow from."""

    procedure: DueProcedure | None
    calendar: DueCalendar
    policy: DuePolicy


class DuePause(Struct):
    """A time in which the clock may stand still, and what it did to the dates."""

    kind: PauseKind
    start: Moment
    end: Moment | None
    policy: PausePolicy
    asked_by: UUID
    ended_by: UUID | None
    working_minutes: Count | None
    effect: Effect


class DueMove(Struct):
    """An event that set or moved a date; a date is null while the clock stands still."""

    event: UUID
    seq: Count
    at: Moment
    cause: str
    note: str | None
    first_due_before: Moment | None
    first_due: Moment | None
    due_before: Moment | None
    due: Moment | None
    calendar_version_before: Count | None
    calendar_version: Count | None


class DueStep(Struct):
    """A step of the internal process; never due after the whole."""

    name: str
    role: str
    hours: float
    by: Moment | None


class DueDuty(Struct):
    """What one side is to do until then; `lapsed`: it was not done, and need not be any more."""

    name: DutyName
    by: Moment
    met_at: Moment | None
    state: DutyState
    legal_basis: str | None
    text: Words


class DueDay(Struct):
    """A day from receipt to the due date; `code` is the first of its reasons."""

    date: date
    minutes: Count
    paused_minutes: Count
    nth: Count | None
    why: Words
    code: Why | None
    codes: list[Why]
    decision: str | None


class DueProblem(Struct):
    """Why a date cannot be computed."""

    code: str
    title: str
    detail: str


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


class DuePreviewed(Struct):
    """When a dossier would be due, and why."""

    position: Count
    due: Moment | None
    explanation: DueExplanation


class DueDate(Struct):
    """Every date of a dossier, and everything that it follows from."""

    position: Count
    id: UUID
    code: str | None
    state: Literal["before-acceptance", "running", "paused", "ended", "no-term", "not-computable"]
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


_TERM: Final = {"amount": 3, "unit": "working_day"}
_POLICIES: Final = {"supplement": "restart", "payment": "extend", "cutoff": "none"}
_RULES: Final = {
    "procedure": {
        "code": "1.004193",
        "version": 1,
        "name": "Cấp bản sao trích lục hộ tịch",
        "legal_basis": "Luật Hộ tịch 2014",
    },
    "calendar": {
        "name": "VN",
        "version": 24,
        "zone": "Asia/Ho_Chi_Minh",
        "units": [],
        "decisions": [],
    },
    "policy": {"version": 0, "legal_basis": "NĐ 61/2018/NĐ-CP"},
}
_DAY: Final = {
    "date": "2026-03-03",
    "minutes": 480,
    "paused_minutes": 0,
    "nth": 1,
    "why": {"vi": "ngày làm việc thứ 1", "en": "working day 1"},
    "code": "worked",
    "codes": ["worked"],
    "decision": None,
}
_TEXT: Final = {
    "vi": ["Hẹn trả kết quả: 09:15 thứ Năm 05/03/2026."],
    "en": ["Due: 09:15 Thursday 05/03/2026."],
}
_STEP: Final = {
    "name": "Thẩm định",
    "role": "Công chức Tư pháp - Hộ tịch",
    "hours": 16.0,
    "by": "2026-03-04T09:15:00+07:00",
}
_DUE: Final = "2026-03-05T09:15:00+07:00"
_SHARED: Final = {
    "awaits": None,
    "provisional": False,
    "clock_starts": "2026-03-02T09:15:00+07:00",
    "term": _TERM,
    "policies": _POLICIES,
    "rules": _RULES,
    "steps": [_STEP],
    "days": [_DAY],
    "text": _TEXT,
}
_ACCEPTED: Final = "2f9c1f6e-58a4-5d3b-8a77-0c6a4b9d1e21"

DUE_ANSWERS: Final[Mapping[type[Struct], Mapping[str, Any]]] = {
    DuePreviewed: {"position": 41, "due": _DUE, "explanation": _SHARED},
    DueDate: {
        "position": 41,
        "id": DOSSIER,
        "code": DOSSIER_CODE,
        "state": "running",
        "printed_due": _DUE,
        "first_due": _DUE,
        "due": _DUE,
        "due_if_resumed_now": None,
        **_SHARED,
        "pauses": [
            {
                "kind": "incident",
                "start": "2026-03-02T18:00:00+07:00",
                "end": "2026-03-02T20:00:00+07:00",
                "policy": "extend",
                "asked_by": "6a7d9c0e-51c3-5e0a-9d0a-2b7f0e1c4d33",
                "ended_by": "d2c1b7f4-8a35-5b6e-b1a0-7c5e9f2d6a10",
                "working_minutes": 0,
                "effect": "none",
            }
        ],
        "moves": [
            {
                "event": _ACCEPTED,
                "seq": 41,
                "at": "2026-03-02T02:15:00Z",
                "cause": "accepted",
                "note": None,
                "first_due_before": None,
                "first_due": _DUE,
                "due_before": None,
                "due": _DUE,
                "calendar_version_before": None,
                "calendar_version": 24,
            }
        ],
        "duties": [
            {
                "name": "transfer",
                "by": "2026-03-02T17:00:00+07:00",
                "met_at": "2026-03-02T03:00:00Z",
                "state": "met",
                "legal_basis": "NĐ 61/2018/NĐ-CP, Điều 18; NĐ 309/2026/NĐ-CP, Điều 9",
                "text": {
                    "vi": "Chuyển hồ sơ đến cơ quan giải quyết",
                    "en": "Hand the dossier over to the competent unit",
                },
            }
        ],
        "problem": None,
    },
}
PREVIEW_EXAMPLE: Final = {
    "procedure": "1.004193",
    "received_at": "2026-03-02T09:15:00+07:00",
    "channel": "direct",
}

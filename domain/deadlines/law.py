"""The value types of the law of deadlines: terms, policies, calendar decisions and their use."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from domain.envelope import UnitCode


class TermUnit(StrEnum):
    WORKING_DAY = "working_day"
    WORKING_HOUR = "working_hour"
    CALENDAR_DAY = "calendar_day"
    MONTH = "month"
    ELAPSED_HOUR = "elapsed_hour"


class PausePolicy(StrEnum):
    """What a supplement does to the term (NĐ 61/2018, Điều 19.4: restart)."""

    RESTART = "restart"
    EXTEND = "extend"
    NONE = "none"


class CutoffPolicy(StrEnum):
    NONE = "none"
    TRANSFER_ONLY = "transfer_only"
    NEXT_DAY_RESULT = "next_day_result"
    COUNT_FROM_NEXT_DAY = "count_from_next_day"


@dataclass(frozen=True, kw_only=True)
class Term:
    amount: int
    unit: TermUnit


@dataclass(frozen=True, kw_only=True)
class OfficeHours:
    """A day that is worked at other hours: each session is written like `07:00-11:30`."""

    day: date
    sessions: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class CalendarDecision:
    """Days off and days worked in exchange. A proposal does not apply until it is confirmed.

    With a `unit` it is about the offices of that unit and of all below it (a storm, a flood), and
    comes before what is decided for everyone.
    """

    calendar: str = "VN"
    id: str
    issued: date
    off: tuple[date, ...] = ()
    working: tuple[date, ...] = ()
    hours: tuple[OfficeHours, ...] = ()
    unit: UnitCode | None = None
    title: str | None = None
    proposal: bool = False


@dataclass(frozen=True, kw_only=True)
class OfficePolicy:
    """Office hours, and the limits that the law leaves to configuration. Replaced as a whole.

    `cutoff`: receipt after it counts as late in the day (NĐ 61/2018, Điều 18). `intake_hours`: an
    online dossier is accepted or refused within so many working hours. `supplement_notice_days`
    (Điều 19.4) and `supplement_answer_days` are working days, `transfer_answer_hours` working
    hours; without the last two nothing expires unless a dossier states until when it waits.
    """

    policy: str = "VN"
    issued: date
    sessions: tuple[str, ...] = ("07:00-11:30", "13:30-17:00")
    cutoff: str = "15:00"
    intake_hours: int = 8
    supplement_notice_days: int = 3
    supplement_answer_days: int | None = None
    transfer_answer_hours: int | None = None
    due_soon_hours: int = 8
    legal_basis: str | None = None


BASE_POLICY = OfficePolicy(issued=date(2018, 4, 23), legal_basis="NĐ 61/2018/NĐ-CP")
"""What holds until a policy is decided: version 0."""


@dataclass(frozen=True, kw_only=True)
class CalendarUse:
    """Which working calendar counts: its version, its zone, the units whose closures hold."""

    name: str = "VN"
    version: int = 0
    zone: str = "Asia/Ho_Chi_Minh"
    units: tuple[UnitCode, ...] = ()

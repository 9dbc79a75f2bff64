"""Working calendars: what is decided about days."""

from dataclasses import dataclass

from domain.deadlines.law import CalendarDecision
from domain.envelope import LedgerEvent


@dataclass(frozen=True, kw_only=True)
class CalendarDecided(CalendarDecision, LedgerEvent):
    TOPIC = "calendar.decided.v1"

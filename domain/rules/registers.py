"""The registers that rules rest on, composed: every event that an entry may have."""

from typing import get_args

from domain.rules.calendars import CalendarDecided
from domain.rules.policies import PolicyDecided
from domain.rules.procedures import ProcedurePublished
from domain.rules.sources import SourceRegistered
from domain.rules.subjects import SubjectErased
from domain.rules.tokens import TokenGranted, TokenRevoked
from domain.rules.units import UnitEndedByDecision, UnitRegistered

RegisterEvent = (
    UnitRegistered
    | UnitEndedByDecision
    | ProcedurePublished
    | CalendarDecided
    | PolicyDecided
    | SourceRegistered
    | TokenGranted
    | TokenRevoked
    | SubjectErased
)


REGISTER_EVENTS: tuple[type[RegisterEvent], ...] = get_args(RegisterEvent)

"""Office policies: hours, and the limits that the law leaves to configuration."""

from dataclasses import dataclass

from domain.deadlines.law import OfficePolicy
from domain.envelope import LedgerEvent


@dataclass(frozen=True, kw_only=True)
class PolicyDecided(OfficePolicy, LedgerEvent):
    TOPIC = "policy.decided.v1"

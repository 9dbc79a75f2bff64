"""Office policies: hours, and the limits that the law leaves to configuration."""

from dataclasses import dataclass
from typing import Final

from domain.deadlines.decided import hour_of, sessions_of
from domain.deadlines.law import BASE_POLICY, OfficePolicy
from domain.deadlines.terms import refuse_endless_limits
from domain.errors import InvalidRequest
from domain.rules.register import EntryKind, Register, RegisterEvent, nothing_named, same


@dataclass(frozen=True, kw_only=True)
class PolicyDecided(OfficePolicy, RegisterEvent):
    TOPIC = "policy.decided.v1"


class PolicyBook(dict[str, tuple[PolicyDecided, ...]]):
    """The versions of each office policy, in the order in which they were decided."""

    def decide(self, event: PolicyDecided) -> None:
        self[event.policy] = (*self.get(event.policy, ()), event)

    def version(self, name: str) -> int:
        """Return how often a policy was decided; 0: it is the one that comes with the law."""
        return len(self.get(name, ()))

    def decided(self, name: str, version: int) -> OfficePolicy:
        return self[name][version - 1] if version else BASE_POLICY


def _check(_: PolicyBook, entry: PolicyDecided) -> None:
    hour_of(entry.cutoff)
    if not sessions_of(entry.sessions):
        raise InvalidRequest("sessions: an office opens at least once a day.")
    refuse_endless_limits(
        intake_hours=entry.intake_hours,
        transfer_answer_hours=entry.transfer_answer_hours,
        due_soon_hours=entry.due_soon_hours,
        supplement_notice_days=entry.supplement_notice_days,
        supplement_answer_days=entry.supplement_answer_days,
    )


def _says(policies: PolicyBook, entry: PolicyDecided) -> bool:
    decided = policies.get(entry.policy, ())
    return bool(decided) and same(decided[-1], entry)


POLICIES: Final = Register(
    name="policy",
    book=PolicyBook,
    sent=False,
    kinds=(
        EntryKind[PolicyDecided, PolicyBook](
            event=PolicyDecided,
            key=lambda entry: entry.policy,
            label="policy",
            tables=("policies", "policy"),
            named=nothing_named,
            touched=lambda _, _entry: (None,),
            check=_check,
            says=_says,
            learn=PolicyBook.decide,
        ),
    ),
)

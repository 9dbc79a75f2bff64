"""Who may do what, and who may see which dossier. The only filter there is."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from domain.dossier.state import Dossier
from domain.envelope import UnitCode
from domain.errors import Forbidden, Unauthorized
from domain.rules.rule_book import RuleBook
from domain.rules.tokens import Grant, Role


class Action(StrEnum):
    READ = "read"
    FIND_PERSON = "find-person"
    SEND_FACTS = "send-facts"
    SEND_COMMANDS = "send-commands"
    KEEP_REGISTERS = "keep-registers"


_MAY: dict[Role, frozenset[Action]] = {
    Role.DESK: frozenset(
        {Action.READ, Action.FIND_PERSON, Action.SEND_FACTS, Action.SEND_COMMANDS}
    ),
    Role.AGENCY: frozenset(
        {Action.READ, Action.FIND_PERSON, Action.SEND_FACTS, Action.SEND_COMMANDS}
    ),
    Role.SOURCE: frozenset({Action.READ, Action.SEND_FACTS}),
    Role.REPORTER: frozenset({Action.READ}),
    Role.INSPECTOR: frozenset({Action.READ, Action.FIND_PERSON}),
    Role.ADMINISTRATOR: frozenset({Action.READ, Action.KEEP_REGISTERS}),
}
_OPENS_PERSONAL_VALUES = frozenset({Role.DESK, Role.AGENCY, Role.INSPECTOR})


@dataclass(frozen=True, kw_only=True)
class Sender:
    """Whoever asks: authenticated as `principal`, acting for the units in `scope`.

    The machine itself (`is_machine`) acts for every unit, and so for no `unit` of its own. `system`
    is whose idempotency keys it uses, if not its own.
    """

    principal: str
    role: Role
    unit: UnitCode | None
    scope: frozenset[UnitCode]
    source_name: str | None = None
    system: str | None = None

    @classmethod
    def machine(cls, principal: str, role: Role, rules: RuleBook) -> "Sender":
        """Return the machine's own hand: its command line, its clock, what ships with it."""
        return cls(principal=principal, role=role, unit=None, scope=scope_of(rules, None))

    @property
    def keys(self) -> str:
        """The scope of its idempotency keys."""
        return self.system or self.principal

    @property
    def is_machine(self) -> bool:
        return self.unit is None

    def must(self, action: Action) -> None:
        """Raise Forbidden if the role does not allow an action."""
        if action not in _MAY[self.role]:
            raise Forbidden(f"The role {self.role} may not {action.replace('-', ' ')}.")

    def must_act_for(self, unit: UnitCode) -> None:
        if unit not in self.scope:
            raise Forbidden(f"You do not act for the unit {unit}.")

    def sees(self, dossier: Dossier) -> bool:
        """Say whether a dossier exists for this sender."""
        return not self.scope.isdisjoint(dossier.seen_by)

    @property
    def opens_personal_values(self) -> bool:
        return self.role in _OPENS_PERSONAL_VALUES


def scope_of(rules: RuleBook, unit: UnitCode | None) -> frozenset[UnitCode]:
    """Return the units that somebody acts for who acts for a unit; the machine (None) for all."""
    return rules.subtree(unit) if unit is not None else frozenset(rules.units)


def authenticate(rules: RuleBook, digest: str, now: datetime) -> Sender:
    """Return the sender that a token's hash stands for, or raise Unauthorized."""
    entry = rules.tokens.get(digest)
    if entry is None or entry.revoked or entry.grant.expires_at <= now:
        raise Unauthorized
    return rules.memory.answer(("sender", digest), lambda: _sender(entry.grant, rules))


def _sender(grant: Grant, rules: RuleBook) -> Sender:
    return Sender(
        principal=f"token:{grant.token_id}",
        role=grant.role,
        unit=grant.unit,
        scope=scope_of(rules, grant.unit),
        source_name=grant.source_name,
        system=rules.tokens.system_of(grant),
    )

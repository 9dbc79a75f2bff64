"""Who may do what, and who may see which dossier. The only filter there is."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from domain.dossier.state import Dossier
from domain.envelope import UnitCode
from domain.errors import Forbidden, Unauthorized
from domain.rules.rule_book import RuleBook
from domain.rules.tokens import Role


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

    `unit` None is the machine's own command line, which acts for every unit.
    """

    principal: str
    role: Role
    unit: UnitCode | None
    scope: frozenset[UnitCode]
    source_name: str | None = None

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
    """Return the units that somebody acts for who acts for a unit."""
    return rules.subtree(unit) if unit is not None else frozenset(rules.units)


def authenticate(rules: RuleBook, digest: str, now: datetime) -> Sender:
    """Return the sender that a token's hash stands for, or raise Unauthorized."""
    entry = rules.tokens.get(digest)
    if entry is None or entry.revoked or entry.grant.expires_at <= now:
        raise Unauthorized
    grant = entry.grant
    return Sender(
        principal=f"token:{grant.token_id}",
        role=grant.role,
        unit=grant.unit,
        scope=scope_of(rules, grant.unit),
        source_name=grant.source_name,
    )

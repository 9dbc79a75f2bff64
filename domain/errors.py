"""Why the ledger refuses something. Codes are part of the public contract and never change."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import ClassVar
from uuid import UUID


@dataclass(frozen=True, kw_only=True, slots=True)
class Mistake:
    """What is wrong at one place of what was sent (a JSON pointer); it never holds a value."""

    pointer: str
    detail: str
    allowed: tuple[str, ...] | None = None


class DomainError(Exception):
    """A refusal. `code` is stable; the message names no personal value."""

    code: ClassVar[str]
    final: ClassVar[bool] = True  # The same request again would be refused for the same reason.
    mistakes: tuple[Mistake, ...] = ()


class InvalidRequest(DomainError):
    """It is not well-formed: wrong type, unknown field, missing field."""

    code = "invalid-request"


class IllegalTransition(DomainError):
    """The state of the dossier does not allow the command."""

    code = "illegal-transition"

    def __init__(self, command: str, status: int | None, allowed: Sequence[str], why: str) -> None:
        super().__init__(f"{command} is not possible: {why}")
        self.status = status
        self.allowed = tuple(allowed)
        self.why = why


class UnknownProcedure(DomainError):
    """The catalogue has no such procedure at that time."""

    code = "unknown-procedure"

    def __init__(self, procedure: str) -> None:
        super().__init__(f"There is no procedure {procedure} in force at that time.")


class UnknownUnit(DomainError):
    """The organisation register has no such unit."""

    code = "unknown-unit"

    def __init__(self, unit: str) -> None:
        super().__init__(f"There is no unit {unit} in the organisation register.")


class UnitEnded(DomainError):
    """The unit had ended when the event happened."""

    code = "unit-ended"

    def __init__(self, unit: str) -> None:
        super().__init__(f"Unit {unit} had ended by then.")


class CalendarLacksYear(DomainError):
    """No decision says which days of a year are worked, so no date can be computed in it."""

    code = "calendar-lacks-year"
    final = False  # The year will be decided.

    def __init__(self, calendar: str, year: int) -> None:
        super().__init__(
            f"The calendar {calendar} has no decision for {year}, so no date there can be computed."
        )
        self.year = year


class CalendarContradicts(DomainError):
    """Decisions say of one day that it is off and that it is worked."""

    code = "calendar-contradicts"

    def __init__(self, day: date, off: str, worked: str) -> None:
        decided = f"decision {off}" if off == worked else f"decisions {off} and {worked}"
        super().__init__(f"{day.isoformat()} is both off and worked by {decided}.")


class TimeInFuture(DomainError):
    """Nothing happens later than five minutes from now."""

    code = "time-in-future"

    def __init__(self) -> None:
        super().__init__("The time lies more than 5 minutes in the future.")


class TimeWithoutOffset(DomainError):
    """A time without its UTC offset is no moment."""

    code = "time-without-offset"

    def __init__(self, field: str) -> None:
        super().__init__(f"{field} has no UTC offset; write it like 2026-03-02T09:15:00+07:00.")


class StaleVersion(DomainError):
    """Somebody else changed the stream after the sender read it."""

    code = "stale-version"
    final = False

    def __init__(self, expected: int, actual: int) -> None:
        super().__init__(f"It is at version {actual}, not {expected}. Read it again.")
        self.actual = actual


class RulesChanged(DomainError):
    """A procedure, calendar or unit changed while the decision was taken. Decide again."""

    code = "rules-changed"
    final = False

    def __init__(self) -> None:
        super().__init__("The rules changed while the decision was taken.")


class CodeTaken(DomainError):
    """Another dossier holds this code."""

    code = "code-taken"

    def __init__(self, code: str) -> None:
        super().__init__(f"Another dossier holds the code {code}.")


class KeyReused(DomainError):
    """The same key or message id came before with other content."""

    code = "key-reused"
    final = False  # What stands under the key is the first outcome, not this refusal.

    def __init__(
        self,
        key: str,
        mistake: Mistake | None = None,
        dossier: UUID | None = None,
        seq: int | None = None,
    ) -> None:
        """Take the field that differs, and where what came first stands."""
        super().__init__(f"{key} was used before with other content.")
        if mistake is not None:
            self.mistakes = (mistake,)
        self.dossier = dossier
        self.seq = seq


class NotFound(DomainError):
    """It does not exist, or not for this reader."""

    code = "not-found"
    final = False

    def __init__(self, what: str) -> None:
        super().__init__(f"There is no {what}.")


class Forbidden(DomainError):
    """The sender may not do this, or not for this unit."""

    code = "forbidden"
    final = False


class Unauthorized(DomainError):
    """No token, or one that is unknown, expired or revoked."""

    code = "unauthorized"
    final = False

    def __init__(self) -> None:
        super().__init__("Send a valid token: Authorization: Bearer <token>.")


class KeyRequired(DomainError):
    """A command needs an Idempotency-Key, so that it can be repeated safely."""

    code = "key-required"
    final = False

    def __init__(self) -> None:
        super().__init__("Send an Idempotency-Key header of 1 to 200 visible characters.")


class VersionRequired(DomainError):
    """A command needs If-Match, so that it never acts on something its sender did not see."""

    code = "version-required"
    final = False

    def __init__(self) -> None:
        super().__init__('Send If-Match: "<version>" with the version you have read.')


class TooLarge(DomainError):
    """More bytes than the ledger takes at once."""

    code = "too-large"
    final = False

    def __init__(self, limit: str) -> None:
        super().__init__(f"Too large: at most {limit}.")


class TooManyRequests(DomainError):
    """Somebody asks more often than is fair."""

    code = "too-many-requests"
    final = False

    def __init__(self) -> None:
        super().__init__("Too many requests. Wait, then try again.")


class Busy(DomainError):
    """The ledger cannot take it now; nothing was recorded, the same request may be sent again."""

    code = "busy"
    final = False

    def __init__(self, why: str = "The queue is full.") -> None:
        super().__init__(f"{why} Nothing was recorded; send it again.")


class NotYet(DomainError):
    """The read model has not reached the position that was asked for."""

    code = "not-yet"
    final = False

    def __init__(self, position: int) -> None:
        super().__init__(f"Position {position} is not reached yet.")

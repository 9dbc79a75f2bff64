"""Values that identify a person: who may be read in clear, and what is left after erasure."""

from enum import StrEnum
from typing import Generic, TypeVar
from uuid import UUID

T = TypeVar("T")


class Withheld(StrEnum):
    """What stands in the place of a personal value that cannot be read."""

    SEALED = "SEALED"  # It exists; this reader holds no key or has no right to open it.
    ERASED = "ERASED"  # Its key was destroyed; nobody will ever read it again.


class Personal(Generic[T]):
    """A personal value and the subject (person) it belongs to, or what is left of it.

    A plain class on purpose: the decoder's hook only receives `Personal[str]` for those.
    `subject` is None only until the intake has found out whose value it is.
    """

    __slots__ = ("sealed", "subject", "value")

    def __init__(
        self, value: T | Withheld, subject: UUID | None = None, sealed: bytes | None = None
    ) -> None:
        self.value = value
        self.subject = subject
        self.sealed = sealed

    def withheld(self, why: Withheld) -> "Personal[T]":
        return Personal(why, self.subject, self.sealed)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Personal):
            return NotImplemented
        return self.subject == other.subject and self.value == other.value

    def __hash__(self) -> int:
        return hash((self.subject, self.value))

    def __repr__(self) -> str:
        return f"Personal(subject={self.subject})"  # Never the value: this ends up in logs.

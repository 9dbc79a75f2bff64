"""Subjects that were erased."""

from dataclasses import dataclass
from uuid import UUID

from domain.envelope import LedgerEvent


@dataclass(frozen=True, kw_only=True)
class Erasure:
    """The keys of a subject are destroyed: nobody will read its values again."""

    subject: UUID
    ground: str


@dataclass(frozen=True, kw_only=True)
class SubjectErased(Erasure, LedgerEvent):
    TOPIC = "subject.erased.v1"

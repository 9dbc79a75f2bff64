"""Subjects that were erased."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from domain.rules.register import (
    EntryKind,
    Register,
    RegisterEvent,
    nothing_named,
    nothing_to_check,
)


@dataclass(frozen=True, kw_only=True)
class Erasure:
    """The keys of a subject are destroyed: nobody will read its values again."""

    subject: UUID
    ground: str


@dataclass(frozen=True, kw_only=True)
class SubjectErased(Erasure, RegisterEvent):
    TOPIC = "subject.erased.v1"


class SubjectBook(set[UUID]):
    """Every subject that was erased."""

    def erase(self, event: SubjectErased) -> None:
        self.add(event.subject)


SUBJECTS: Final = Register(
    name="subject",
    book=SubjectBook,
    sent=False,
    kinds=(
        EntryKind[SubjectErased, SubjectBook](
            event=SubjectErased,
            key=lambda entry: str(entry.subject),
            label="subject",
            tables=(),
            named=nothing_named,
            touched=None,
            check=nothing_to_check,
            says=lambda erased, entry: entry.subject in erased,
            learn=SubjectBook.erase,
        ),
    ),
)

"""Keys and look-ups that come along with an append: they stand if it does, and only then."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Self
from uuid import UUID

from domain.errors import RulesChanged
from domain.rules.register import stream_of

BY_NUMBER: Final = "id_number"


class KeyRow(NamedTuple):
    """A row of ledger.subject_key, in the order of its columns."""

    subject: UUID
    stream_id: UUID
    wrapped: bytes

    @property
    def owner(self) -> tuple[UUID, UUID]:
        return self.subject, self.stream_id


class LookupRow(NamedTuple):
    """A row of ledger.lookup, in the order of its columns."""

    kind: str
    hash: bytes
    subject: UUID


@dataclass(slots=True, eq=False)
class NewKeys:
    """What an append was sealed by: whom it names, and the rows that are new with it.

    `known` are the look-ups that stood when it was sealed.
    """

    subjects: set[UUID] = field(default_factory=set)
    keys: dict[tuple[UUID, UUID], KeyRow] = field(default_factory=dict)
    lookups: set[LookupRow] = field(default_factory=set)
    known: set[LookupRow] = field(default_factory=set)

    def erasures(self) -> Iterable[UUID]:
        """Return the streams that hold an erasure as soon as somebody it names is erased."""
        return (stream_of("subject", str(subject)) for subject in self.subjects)


@dataclass(slots=True)
class Standing:
    """What stands under the head lock, as far as a batch asks; overlaid while judging.

    `keys` are wrapped, by subject and stream; `names` are whom the look-ups find, by kind and hash.
    """

    keys: dict[tuple[UUID, UUID], bytes] = field(default_factory=dict)
    names: dict[tuple[str, bytes], set[UUID]] = field(default_factory=dict)

    @classmethod
    def of(cls, keys: Iterable[KeyRow], lookups: Iterable[LookupRow]) -> Self:
        standing = cls({row.owner: row.wrapped for row in keys})
        standing._add(lookups)
        return standing

    def refuse_others(self, new: NewKeys) -> None:
        """Raise RulesChanged where somebody else made such a key, or named such a person."""
        for owner, key in new.keys.items():
            if self.keys.get(owner, key.wrapped) != key.wrapped:
                raise RulesChanged
        for row in new.lookups:
            standing = self.names.get((row.kind, row.hash), ()) if row.kind == BY_NUMBER else ()
            for subject in standing:
                if subject != row.subject and row._replace(subject=subject) not in new.known:
                    raise RulesChanged

    def take(self, new: NewKeys) -> tuple[list[KeyRow], list[LookupRow]]:
        """Return what is to be written, and let it stand."""
        keys = [key for owner, key in new.keys.items() if owner not in self.keys]
        lookups = [
            row
            for row in new.lookups
            if row.subject not in self.names.get((row.kind, row.hash), ())
        ]
        self.keys.update((key.owner, key.wrapped) for key in keys)
        self._add(lookups)
        return keys, lookups

    def _add(self, lookups: Iterable[LookupRow]) -> None:
        for row in lookups:
            self.names.setdefault((row.kind, row.hash), set()).add(row.subject)

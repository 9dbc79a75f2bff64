"""What the events of a dossier are, whatever they say: each belongs to one chapter.

The stored names are the storage format: a released one never changes its meaning or shape. To
change one, add `.v2` beside it and an up-caster; see docs/adr/.
"""

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from domain.envelope import LedgerEvent


@dataclass(frozen=True, kw_only=True)
class DossierEvent(LedgerEvent):
    """Something that happened to a dossier."""


@dataclass(frozen=True, kw_only=True)
class VoidingEvent(DossierEvent):
    """An event that makes an earlier one void, for every `as_of`."""

    AIMS_AT: ClassVar[type[DossierEvent]] = DossierEvent

    @property
    @abstractmethod
    def aims_at(self) -> UUID | None:
        """The id of the event that is void; None: the last one of its kind that nothing voids."""

"""Whether what is said twice says the same: compared as it is understood, not as it is written."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, datetime
from typing import Final, NamedTuple
from uuid import UUID

from domain.dossier.chapters import ACT_OF
from domain.dossier.events import DossierEvent
from domain.envelope import LedgerEvent, TimePrecision, UnitCode
from domain.errors import Mistake
from domain.ledger.appends import Key, KeyName
from domain.personal import Personal, Withheld

Digest = Callable[[object], bytes]
"""A keyed digest of what was understood: names, moments, payloads, in an order of their own."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Identity:
    """Under what a request is known, and how the digest of what it says is made."""

    scope: str
    key: str
    digest: Digest

    @property
    def name(self) -> KeyName:
        return self.scope, self.key

    def of(self, said: "Said") -> Key:
        """Return the key of a request that is understood to say this."""
        return Key(scope=self.scope, key=self.key, digest=self.digest(said.understood()))


@dataclass(frozen=True, kw_only=True, slots=True)
class Said:
    """What a request says, with defaults filled in, and nothing that was left to its token.

    `stream` is None where the ledger names the dossier, `at` where it is the moment of recording.
    `unit` is for whom it speaks where it does not say so.
    """

    topic: str
    stream: UUID | None
    at: datetime | None = None
    precision: TimePrecision = TimePrecision.SECOND
    content: Mapping[str, object]
    actor: str | None
    acting_unit: UnitCode | None
    legal_basis: str | None
    unit: UnitCode | None
    form: "Form"

    def understood(self) -> tuple[object, ...]:
        """Return all that two requests under one identity must have in common."""
        return (
            self.topic,
            self.stream,
            self.at,
            self.precision,
            self.content,
            self.actor,
            self.acting_unit,
            self.legal_basis,
        )

    def difference(self, first: LedgerEvent) -> Mistake | None:
        """Return the first field that the recorded event says otherwise; None: there is none.

        Where a person was erased nobody learns whether he guessed right: there is none.
        """
        if any(_is_erased(value) for value in vars(first).values()):
            return None
        place = next((place for place, differs in self._compared(first) if differs), None)
        if place is None:
            return None
        return Mistake(pointer=place, detail=_OTHERWISE.get(place, "It was said otherwise before."))

    def _compared(self, first: LedgerEvent) -> Iterable[tuple[str, bool]]:
        """Yield where something stands, and whether it differs: first what stands in an address."""
        meta, form = first.meta, self.form
        yield form.topic, self.topic != first.TOPIC
        yield form.subject, self.stream not in (None, first.originator_id)
        if self.at is not None:
            yield "/time", (self.at, self.precision) != (first.timestamp, meta.precision)
        filled_in = _filled_in(first)
        for name, value in self.content.items():
            known = getattr(first, name, None)
            is_unsaid = not value and name in filled_in
            yield form.payload + name, not is_unsaid and _plain(value) != _plain(known)
        yield "/actor", self.actor != meta.actor
        yield form.acting_unit, (self.acting_unit or self.unit) != meta.acting_unit
        yield form.legal_basis, self.legal_basis != meta.legal_basis


class Form(NamedTuple):
    """Where a request says what: JSON pointers, empty for what stands in its address."""

    topic: str
    subject: str
    payload: str
    acting_unit: str
    legal_basis: str


CLOUD_EVENT: Final = Form("/type", "/subject", "/data/", "/actingunit", "/legalbasis")
COMMAND: Final = Form("", "", "/", "/acting_unit", "/legal_basis")
_OTHERWISE: Final = {"": "It was another command, or about another dossier."}


def _filled_in(event: LedgerEvent) -> frozenset[str]:
    """Return the fields that the ledger filled in, or may have, where they were not said."""
    if not isinstance(event, DossierEvent):
        return frozenset()
    return ACT_OF[type(event)].filled_in(event)


def _is_erased(value: object) -> bool:
    if isinstance(value, Personal):
        return isinstance(value.value, Withheld)
    if is_dataclass(value) and not isinstance(value, type):
        return any(_is_erased(getattr(value, each.name)) for each in fields(value))
    return isinstance(value, tuple) and any(map(_is_erased, value))


def _plain(value: object) -> object:
    """Return a value as it compares: of a person's only what was said, of a moment the instant."""
    if isinstance(value, Personal):
        return value.value
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
    return value

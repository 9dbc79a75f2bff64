"""Lives as the ledger stores them: each kind of fact is completed and encoded once, then filled in.

What differs from dossier to dossier is the code, the event's own identity, and the due date, which
is computed for each.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final, cast
from uuid import UUID, uuid5

import orjson

from domain.dossier.chapters import ACT_OF
from domain.dossier.decisions import pins_of
from domain.dossier.events import DossierEvent
from domain.dossier.intake import DossierAccepted
from domain.envelope import Meta, UnitCode, event_id
from domain.rules.rule_book import RuleBook
from infra.codec import encode
from streams.wire.inputs import event_from
from tests.benchmarks.lives import Life, Step
from tests.benchmarks.province import SOURCE

_DOSSIERS: Final = UUID("5a5f7e5c-64a8-5c1c-9d2b-0d5c1e7a4c09")
_CODE: Final = "X00-000000-0000000"
_NAMED: Final = "bulk/0/0"
_NOBODY: Final = UUID(int=0)
_DUE: Final = datetime(1999, 9, 9, 9, 9, 9, tzinfo=UTC)
_GAPS: Final = (_CODE.encode(), _NAMED.encode(), str(_NOBODY).encode(), orjson.dumps(_DUE))
_GAP: Final = re.compile(b"(" + b"|".join(map(re.escape, _GAPS)) + b")")


@dataclass(frozen=True, slots=True)
class Stored:
    """An event in its stored form, of a dossier that has this code."""

    stream: UUID
    code: str
    version: int
    topic: str
    occurred_at: datetime
    data: bytes


def dossier_id(number: int) -> UUID:
    return uuid5(_DOSSIERS, str(number))


class Storing:
    """Tells lives in stored form, by the rules of one ledger."""

    def __init__(self, rules: RuleBook) -> None:
        self._rules = rules
        self._forms: dict[tuple[str, str, str, bytes], _Form] = {}

    def stored(self, life: Life, number: int, start: datetime, until: datetime) -> Iterator[Stored]:
        """Yield the events of a dossier that began at a moment, as far as they are not to come."""
        stream = dossier_id(number)
        code = f"{life.commune.code}-{start:%y%m%d}-{number:07d}"
        at = start
        for place, step in enumerate(life.steps):
            at += timedelta(seconds=round(step.after * 3_600))
            if at > until:
                return
            data = self._form(step, at).filled(code, f"bulk/{number}/{place}", at)
            yield Stored(stream, code, place + 1, step.topic, at, data)

    def _form(self, step: Step, at: datetime) -> "_Form":
        said = orjson.dumps(step.said)
        key = step.command, step.officer, step.unit, said
        known = self._forms.get(key)
        if known is None:
            known = self._forms[key] = _Form(step, said, self._rules, at)
        return known


class _Form:
    """A step in stored form with gaps: the code, which event it is, and when it is due."""

    def __init__(self, step: Step, said: bytes, rules: RuleBook, at: datetime) -> None:
        event = cast("DossierEvent", event_from(step.topic, said))
        meta = Meta(
            event_id=_NOBODY,
            source=SOURCE,
            source_id=_NAMED,
            principal="machine",
            actor=step.officer,
            acting_unit=UnitCode(step.unit),
            pins=pins_of(rules, event),
            subject_code=_CODE,
        )
        self._rules = rules
        self._event = replace(event, meta=meta, timestamp=at)
        if isinstance(self._event, DossierAccepted):
            accepted = self._accepted(self._event, at)
            self._parts = _GAP.split(encode(replace(accepted, due=_DUE)))
        else:
            self._parts = _GAP.split(encode(self._event))

    def filled(self, code: str, named: str, at: datetime) -> bytes:
        filling = {
            _GAPS[0]: code.encode(),
            _GAPS[1]: named.encode(),
            _GAPS[2]: str(event_id(SOURCE, named)).encode(),
        }
        if isinstance(self._event, DossierAccepted):
            filling[_GAPS[3]] = orjson.dumps(self._accepted(self._event, at).due)
        return b"".join([filling.get(part, part) for part in self._parts])

    def _accepted(self, event: DossierAccepted, at: datetime) -> DossierAccepted:
        """Return the acceptance of a moment, as the ledger completes it."""
        completed = ACT_OF[DossierAccepted].completed
        assert completed is not None
        return cast("DossierAccepted", completed(replace(event, timestamp=at), self._rules))

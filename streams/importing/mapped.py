"""A trace of a foreign log, read through its mapping: the CloudEvents that it stands for."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import cache, partial
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import msgspec
import orjson

from domain.envelope import TimePrecision
from domain.errors import DomainError, InvalidRequest
from streams.importing.mapping import AcceptancePart, Choice, Chosen, EndPart, LogMapping, topic_of
from streams.importing.rows import Row
from streams.importing.xes import Attributes, Trace
from streams.wire.cloudevents import CODE, PREFIX, CloudEvent
from streams.wire.inputs import fact_shape, reason_of

ACCEPTED: Final = "accepted"
AT_DESK: Final = "result-at-desk"
_FIRST, _BETWEEN, _LAST = 0, 1, 2  # Of what happened at the same moment.
_YEARS: Final = range(1900, 9999)
_UNKNOWN: Final = datetime.min.replace(tzinfo=UTC)


class _Fact(NamedTuple):
    """A fact of a trace with its place, what it was made of, and its identity."""

    order: tuple[datetime, int]
    said: CloudEvent | DomainError
    raw: Attributes
    id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """What a part of a trace tells, in the ledger's words; `payload` may hold absent values."""

    kind: str
    time: str
    payload: dict[str, str | None]
    acting_unit: str
    officer: str | None


def rows_of_trace(trace: Trace, mapping: LogMapping, number: int) -> list[Row]:
    """Return its facts as rows after `number`, in legal order; acceptance first, end last."""
    facts = sorted(_Reading(trace, mapping).facts(), key=lambda fact: fact.order)
    return [
        Row(number=place, said=fact.said, raw=fact.raw, id=fact.id)
        for place, fact in enumerate(facts, number + 1)
    ]


class _Reading:
    """One trace under one mapping."""

    def __init__(self, trace: Trace, mapping: LogMapping) -> None:
        self._trace = trace
        self._mapping = mapping
        self._case = _text(trace.attributes, mapping.dossier.code)

    def facts(self) -> Iterator[_Fact]:
        mapping, whole = self._mapping, self._trace.attributes
        if mapping.acceptance is not None:
            tell = partial(self._acceptance, mapping.acceptance)
            yield self._fact(_FIRST, whole, self._derived(ACCEPTED), tell)
        for each in self._trace.events:
            tell = partial(self._event, each)
            yield self._fact(_BETWEEN, each, _text(each, mapping.event.id), tell)
        if mapping.end is not None and mapping.end.time in whole:
            tell = partial(self._end, mapping.end)
            yield self._fact(_LAST, whole, self._derived(AT_DESK), tell)

    def _derived(self, kind: str) -> str | None:
        return f"{self._case}/{kind}" if self._case else None

    def _fact(
        self, place: int, raw: Attributes, name: str | None, tell: Callable[[], _Told]
    ) -> _Fact:
        try:
            told = tell()
            moment, precision = _stated(raw, told.time, self._mapping.zone)
            event = self._cloud_event(told, name, moment, precision)
        except DomainError as refused:
            return _Fact((_UNKNOWN, place), refused, raw, name)
        return _Fact((moment, place), event, raw, name)

    def _cloud_event(
        self, told: _Told, name: str | None, moment: datetime, precision: TimePrecision
    ) -> CloudEvent:
        if self._case is None:
            raise InvalidRequest(f"The trace has no {self._mapping.dossier.code}.")
        if name is None:
            raise InvalidRequest(f"The event has no {self._mapping.event.id}.")
        said = {key: value for key, value in told.payload.items() if value is not None}
        constants = self._mapping.constants.get(told.kind, {})
        envelope = {
            "specversion": "1.0",
            "id": name,
            "source": self._mapping.source,
            "type": PREFIX + topic_of(told.kind),
            "time": moment.isoformat(),
            "timeprecision": precision,
            "subject": f"{CODE}{self._mapping.dossier.prefix}{self._case}",
            "data": msgspec.Raw(orjson.dumps({**constants, **said})),
            "actor": told.officer,
            "actingunit": told.acting_unit,
        }
        try:
            return msgspec.convert(envelope, CloudEvent)
        except msgspec.ValidationError as error:
            raise InvalidRequest(reason_of(error)) from error

    def _acceptance(self, part: AcceptancePart) -> _Told:
        whole = self._trace.attributes
        receiving = _chosen(part.receiving_unit, whole)
        returning = part.returning_unit
        due = None
        if part.due is not None and part.due in whole:
            due = _stated(whole, part.due, self._mapping.zone)[0].isoformat()
        return _Told(
            kind=ACCEPTED,
            time=part.time,
            payload={
                "procedure": _chosen(part.procedure, whole),
                "channel": _chosen(part.channel, whole),
                "receiving_unit": receiving,
                "competent_unit": _chosen(part.competent_unit, whole),
                "returning_unit": None if returning is None else _chosen(returning, whole),
                "due": due,
                "contents": _text(whole, part.contents),
            },
            acting_unit=receiving,
            officer=_text(whole, part.officer),
        )

    def _event(self, each: Attributes) -> _Told:
        part, activities = self._mapping.event, self._mapping.activities
        activity = _text(each, part.activity)
        officer = _text(each, part.officer)
        kind = activities.types.get(activity or "", activities.default)
        unit = self._unit(part.unit, each)
        said = {"step": activity, "officer": officer, "unit": unit}
        declared = _declared(kind)
        return _Told(
            kind=kind,
            time=part.time,
            payload={key: value for key, value in said.items() if key in declared},
            acting_unit=unit,
            officer=officer,
        )

    def _end(self, part: EndPart) -> _Told:
        whole = self._trace.attributes
        officer = _text(whole, part.officer)
        unit = self._unit(part.unit, whole)
        return _Told(
            kind=AT_DESK,
            time=part.time,
            payload={"unit": unit, "officer": officer},
            acting_unit=unit,
            officer=officer,
        )

    def _unit(self, choice: Chosen | None, attributes: Attributes) -> str:
        """Return the unit that acted: as mapped, else the one competent for the dossier."""
        if choice is not None:
            return _chosen(choice, attributes)
        if self._mapping.acceptance is None:
            raise InvalidRequest("The mapping names no unit for this event.")
        return _chosen(self._mapping.acceptance.competent_unit, self._trace.attributes)


def _chosen(choice: Chosen, attributes: Attributes) -> str:
    return choice.of(attributes) if isinstance(choice, Choice) else choice


def _text(attributes: Attributes, name: str | None) -> str | None:
    """Return an attribute as a text; an empty one says nothing."""
    value = attributes.get(name) if name is not None else None
    return None if value is None or value == "" else str(value)


def _stated(attributes: Attributes, name: str, zone: ZoneInfo) -> tuple[datetime, TimePrecision]:
    """Return a moment with its offset; a day without an hour keeps that precision."""
    value = attributes.get(name)
    precision = TimePrecision.SECOND
    if type(value) is date:
        value, precision = datetime.combine(value, time()), TimePrecision.DAY
    if not isinstance(value, datetime):
        raise InvalidRequest(f"{name} is missing." if value is None else f"{name} is no time.")
    if value.year not in _YEARS:
        raise InvalidRequest(f"{name} must lie between the years 1900 and 9998.")
    return (value if value.tzinfo else value.replace(tzinfo=zone)), precision


@cache
def _declared(kind: str) -> frozenset[str]:
    fields = msgspec.structs.fields(fact_shape(topic_of(kind)).struct)
    return frozenset(field.name for field in fields)

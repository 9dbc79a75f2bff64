"""The schemas of the OpenAPI document: what is sent and what is answered, by name."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final, get_args

import msgspec

from api.http.declared import REF, ref
from api.http.dossiers import PersonSearch
from api.http.due_dates import PREVIEW
from api.showing.answers import Answer
from domain.dossier.chapters import COMMANDS
from domain.ledger.stored import EVENTS
from streams.wire.cloudevents import PREFIX, CloudEvent
from streams.wire.inputs import command_shape, fact_shape

Json = dict[str, Any]
TIME: Final = {"type": "string", "format": "date-time"}


def sent() -> Json:
    """Return the schemas of all payloads: one call, so that shared parts have one name."""
    shapes = [fact_shape(topic).struct for topic in EVENTS]
    shapes += [command_shape(name).struct for name in COMMANDS]
    shapes.append(PREVIEW.struct)
    inputs = [*shapes, CloudEvent, PersonSearch]
    _, schemas = msgspec.json.schema_components(inputs, ref_template=REF)
    for shape in shapes:
        for each in msgspec.structs.fields(shape):
            if datetime in (each.type, *get_args(each.type)):
                schema = schemas[shape.__name__]["properties"][each.encode_name]
                _moment(schema)
    schemas["PersonSearch"] |= {"minProperties": 1}
    schemas["CloudEvent"]["properties"]["time"] |= TIME
    return {**schemas, **_events()}


def _moment(schema: Json) -> None:
    for option in schema.get("anyOf", [schema]):
        if option["type"] == "string":
            option["format"] = "date-time"


def _events() -> Json:
    """Say for each type of event which payload it has, and how to tell which type it is."""
    types = {f"{event.__name__}Event": (topic, event) for topic, event in EVENTS.items()}
    events: Json = {
        name: {
            "title": PREFIX + topic,
            "description": f"An event with the payload {event.__name__}.",
            "allOf": [
                ref(CloudEvent.__name__),
                {"properties": {"type": {"const": PREFIX + topic}, "data": ref(event.__name__)}},
            ],
        }
        for name, (topic, event) in types.items()
    }
    mapping = {PREFIX + topic: ref(name)["$ref"] for name, (topic, _) in types.items()}
    events["Event"] = {
        "description": CloudEvent.__doc__,
        "oneOf": [ref(name) for name in types],
        "discriminator": {"propertyName": "type", "mapping": mapping},
    }
    return events


def answered(bodies: Iterable[type[Answer]]) -> Json:
    """Return the schemas of answers and of all that is in them."""
    _, schemas = msgspec.json.schema_components(bodies, ref_template=REF)
    return schemas

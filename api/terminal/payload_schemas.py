"""What `hoso schema` shows: the JSON Schema of each payload, with an example."""

from typing import Any

from domain.dossier.chapters import COMMANDS
from domain.ledger.stored import EVENTS
from streams.wire.cloudevents import PREFIX
from streams.wire.examples import EXAMPLES, Payload, command_example
from streams.wire.inputs import command_shape, fact_shape
from streams.wire.inputs import schema as schema_of


def described_names() -> dict[str, list[str]]:
    return {"events": sorted(EVENTS), "commands": list(COMMANDS)}


def describe(name: str) -> dict[str, Any] | None:
    """Return schema and example of a type, however much of its name is given; None if unknown."""
    plain = name.removeprefix(PREFIX)
    for stored in (plain, f"{plain}.v1"):
        if stored in EVENTS:
            return _described(stored, schema_of(fact_shape(stored)), EXAMPLES[stored])
    if plain in COMMANDS:
        return _described(plain, schema_of(command_shape(plain)), command_example(plain))
    return None


def _described(name: str, schema: dict[str, Any], example: Payload) -> dict[str, Any]:
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": name,
        **{key: value for key, value in schema.items() if key != "title"},
        "examples": [example],
    }

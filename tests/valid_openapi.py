"""Holds the OpenAPI document to the specification of OpenAPI 3.1; `make check` runs it."""

from typing import Any

import orjson
import schemathesis

from api.http.openapi import document


def refuse_invalid(described: dict[str, Any]) -> None:
    """Raise ValidationError that names the place where a document is none."""
    schemathesis.openapi.from_dict(orjson.loads(orjson.dumps(described))).validate()


if __name__ == "__main__":
    refuse_invalid(document())
    print("The OpenAPI document is valid.")  # noqa: T201  # for whoever runs `make check`

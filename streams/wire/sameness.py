"""The digest of what was understood: its form is said in front of it."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time
from typing import Final

import orjson

from domain.ledger.sameness import Digest
from domain.personal import Personal

FORM: Final = b"\x02"
"""Digests of form 1, of what was written, are in no ledger that this program opens."""

_OPTIONS: Final = orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_DATETIME


def digesting(keyed: Callable[[bytes], bytes]) -> Digest:
    """Return the digest by which two requests are found to say the same, made with a key."""

    def digest(understood: object) -> bytes:
        return FORM + keyed(orjson.dumps(understood, default=_plain, option=_OPTIONS))

    return digest


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, Personal):
        return value.value
    raise TypeError(f"nothing is digested that is a {type(value).__name__}")

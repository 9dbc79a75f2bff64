"""Rows that an import refuses, written down for their sender with the reason."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol, Self


@dataclass(frozen=True, kw_only=True)
class RefusedRow:
    """A row that was not recorded, and why. `raw` is the sender's own text: it may be personal."""

    row: int
    id: str | None
    code: str
    reason: str
    raw: str


class Refusals(Protocol):
    def add(self, row: RefusedRow) -> None: ...


class RefusedFile:
    """Writes refused rows as lines of JSON into a file that only its owner may read."""

    def __init__(self, path: Path) -> None:
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.fchmod(number, 0o600)  # It may have been there before, open to others.
        self._file = os.fdopen(number, "w", encoding="utf-8")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, row: RefusedRow) -> None:
        self._file.write(json.dumps(asdict(row), ensure_ascii=False) + "\n")

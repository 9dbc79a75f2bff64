"""Files as tests write them, and the ledger that they are imported into."""

import gzip
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

from domain.dossier.evolve import replay
from domain.ledger.access import Sender
from domain.ledger.appends import LineStore, Question, Store
from domain.ledger.commands import Ledger
from domain.ledger.registering import Registers
from domain.rules.tokens import Role
from streams.importing.importing import ImportReport, Into, import_file
from streams.importing.mapping import FileMapping
from streams.importing.refusals import RefusedRow
from streams.wire.cloudevents import PREFIX
from streams.wire.sameness import digesting

LOG = '<log xmlns="http://www.xes-standard.org/">'
COMMAND_LINE = Sender(principal="command-line", role=Role.SOURCE, unit=None, scope=frozenset[Any]())
KEEPER = replace(COMMAND_LINE, role=Role.ADMINISTRATOR)
MAPPING = """
source = "log"
zone = "Europe/Amsterdam"
[[units]]
code = "U"
name = "Desk"
[[units]]
code = "U.1"
name = "Works"
parent = "U"
[[procedures]]
code = "P"
version = 1
name = "Permit"
field = "Environment"
term = { amount = 5, unit = "working_day" }
valid_from = 2010-01-01
legal_basis = "law"
[dossier]
code = "concept:name"
[acceptance]
time = "start"
procedure = "P"
channel = { attribute = "channel", values = { Web = "online", Desk = "direct" } }
receiving_unit = "U"
competent_unit = "U.1"
due = "due"
officer = "who"
[end]
time = "end"
[event]
id = "concept:instance"
time = "time:timestamp"
activity = "concept:name"
officer = "org:resource"
"""


def now() -> datetime:
    return datetime(2026, 3, 10, tzinfo=UTC)


digest = digesting(lambda content: sha256(content).digest())


def into(store: LineStore, clock: Callable[[], datetime] = now) -> Into:
    return Into(
        store=store,
        ledger=Ledger(store, clock),
        registers=Registers(store, clock),
        sender=COMMAND_LINE,
        keeper=KEEPER,
        digest=digest,
    )


def attribute(key: str, value: str, kind: str = "string") -> str:
    return f'<{kind} key="{key}" value="{value}"/>'


def event(name: str, at: str = "2012-01-02T09:00:00+01:00", activity: str = "check") -> str:
    said = attribute("concept:instance", name) + attribute("time:timestamp", at, "date")
    more = attribute("concept:name", activity) + attribute("org:resource", "An")
    return f"<event>{said}{more}</event>"


def trace(code: str, *events: str, **said: str) -> str:
    """Return a trace; `start`, `due` and `end` are its times, what else is said its texts."""
    said = {
        "start": "2012-01-01T09:00:00+01:00",
        "due": "2012-03-01T09:00:00+01:00",
        "channel": "Web",
        "who": "Binh",
        **said,
    }
    attributes = "".join(
        attribute(key, value, "date" if key in {"start", "due", "end"} else "string")
        for key, value in said.items()
        if value
    )
    return f"<trace>{attribute('concept:name', code)}{attributes}{''.join(events)}</trace>\n"


DECLARED = (
    '<global scope="trace">'
    + "".join(attribute(key, "?") for key in ("start", "due", "end", "channel", "who"))
    + "</global>"
)


def log(*traces: str, declared: str = DECLARED) -> str:
    return f"{LOG}{declared}{''.join(traces)}</log>"


def cloud_event(name: str, kind: str, said: Mapping[str, Any], **more: Any) -> dict[str, Any]:  # noqa: ANN401  # any attribute
    return {
        "specversion": "1.0",
        "id": name,
        "source": "elsewhere",
        "type": PREFIX + kind,
        "time": "2026-03-02T09:15:00+07:00",
        "data": said,
        **more,
    }


UNIT = cloud_event("unit", "unit.registered.v1", {"code": "U", "name": "Xã"})
PROCEDURE = cloud_event(
    "procedure",
    "procedure.published.v1",
    {
        "code": "P",
        "version": 1,
        "name": "Khai sinh",
        "field": "Hộ tịch",
        "valid_from": "2020-01-01",
        "legal_basis": "law",
    },
)


def accepted(code: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401  # any attribute
    said = {"procedure": "P", "channel": "direct", "receiving_unit": "U", "competent_unit": "U"}
    return cloud_event(
        f"accepted-{code}", "dossier.accepted.v1", said, subject=f"code:{code}", **more
    )


def step(code: str, name: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401  # any attribute
    at = {"subject": f"code:{code}", "time": "2026-03-03T09:15:00+07:00"}
    return cloud_event(name, "dossier.step-completed.v1", {"step": name}, **{**at, **more})


def write_lines(path: Path, rows: Sequence[Mapping[str, Any] | str]) -> Path:
    texts = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    path.write_text("\n".join(texts) + "\n", "utf-8")
    return path


def write_gzip(path: Path, text: str) -> Path:
    path.write_bytes(gzip.compress(text.encode()))
    return path


@dataclass
class Refused:
    """Keeps the refused rows."""

    rows: list[RefusedRow] = field(default_factory=list)

    def add(self, row: RefusedRow) -> None:
        self.rows.append(row)

    @property
    def codes(self) -> dict[str | None, str]:
        return {row.id: row.code for row in self.rows}


@dataclass
class Replayed:
    """Counts findings from the stored streams: what any read model must agree with."""

    store: Store
    dossiers: list[UUID] = field(default_factory=list)
    irregular: int = 0

    async def __call__(self, dossiers: AbstractSet[bytes]) -> Mapping[str, int]:
        kinds: Counter[str] = Counter()
        self.dossiers = [UUID(bytes=each) for each in dossiers]
        for dossier in self.dossiers:
            reading = await self.store.read(Question(stream=dossier))
            findings = replay(dossier, reading.events, self.store.rules).irregularities
            self.irregular += bool(findings)
            kinds.update(finding.kind for finding in findings)
        return kinds


def counts(report: ImportReport) -> tuple[int, int, int, int, int]:
    return report.read, report.recorded, report.duplicate, report.refused, report.dossiers


async def imported(
    store: LineStore, path: Path, mapping: FileMapping | None = None
) -> tuple[ImportReport, Refused]:
    refused = Refused()
    return await import_file(path, mapping, into(store), refused=refused), refused

"""The real log: every dossier and event of it, the odd ones too, and nothing twice."""

import gzip
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from xml.etree import ElementTree as ET

import orjson
import pytest

from infra.appender import Lane
from streams.importing.importing import ImportReport, import_file
from streams.importing.mapping import SHIPPED, load_mapping
from tests.conftest import OpenStore
from tests.stores import Opened, rows, utc_now
from tests.streams.files import Refused, Replayed, into

REAL_LOG = Path(__file__).parents[2] / ".." / "shared" / "data" / "receipt.xes.gz"
DOSSIERS, EVENTS, ENDS = 1_434, 8_577, 1_329
FACTS = DOSSIERS + EVENTS + ENDS
REGISTERED = 6
IRREGULAR = {"after-end": 180, "before-acceptance": 14}
IRREGULAR_DOSSIERS = 147
NS = "{http://www.xes-standard.org/}"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not REAL_LOG.exists(), reason="the real log is not at hand"),
]

Said = dict[str, str]


def read_otherwise() -> Iterator[tuple[Said, list[Said]]]:
    """Yield attributes and events of each trace, read by another parser, all at once."""
    with gzip.open(REAL_LOG) as file:
        root = ET.parse(file).getroot()  # noqa: S314  # a log that we know
    for trace in root.iter(f"{NS}trace"):
        yield _said(trace), [_said(event) for event in trace.iter(f"{NS}event")]


def _said(element: ET.Element) -> Said:
    return {str(c.get("key")): str(c.get("value")) for c in element if c.tag != f"{NS}event"}


def expected_irregularities() -> tuple[Counter[str], int]:
    """Count what comes before the acceptance or after the end, from the times alone."""
    kinds: Counter[str] = Counter()
    dossiers = 0
    for trace, events in read_otherwise():
        start = datetime.fromisoformat(trace["startdate"])
        end = datetime.fromisoformat(trace["enddate"]) if "enddate" in trace else None
        odd: list[str] = ["before-acceptance"] if end is not None and end < start else []
        for event in events:
            at = datetime.fromisoformat(event["time:timestamp"])
            if end is not None and at > end:
                odd.append("after-end")
            elif at < start:
                odd.append("before-acceptance")
        kinds.update(odd)
        dossiers += bool(odd)
    return kinds, dossiers


async def imported(opened: Opened) -> tuple[ImportReport, Replayed, Refused]:
    counting, refused = Replayed(opened.store), Refused()
    report = await import_file(
        REAL_LOG,
        load_mapping(SHIPPED / "receipt.toml"),
        into(opened.store, utc_now),
        refused=refused,
        irregularities=counting,
    )
    return report, counting, refused


async def test_all_of_it_is_recorded_and_importing_again_adds_nothing(
    open_store: OpenStore,
) -> None:
    async with open_store(lane=Lane.IMPORT) as opened:
        report, counting, refused = await imported(opened)
        stored = await rows(opened.pool)
    assert refused.rows == []
    assert report == ImportReport(
        read=FACTS,
        recorded=FACTS,
        dossiers=DOSSIERS,
        irregular=IRREGULAR,
        position=FACTS + REGISTERED,
    )
    assert counting.irregular == IRREGULAR_DOSSIERS
    topics = Counter(row.topic for row in stored)
    assert topics["dossier.accepted.v1"] == DOSSIERS
    assert topics["dossier.step-completed.v1"] == EVENTS
    assert topics["dossier.result-at-desk.v1"] == ENDS
    channels: Counter[str] = Counter()
    found: set[str] = set()
    for row in stored:
        data = orjson.loads(row.data)
        found.add(data["meta"]["source_id"])
        if row.topic == "dossier.accepted.v1":
            assert not data["due_computed"]
            channels[data["channel"]] += 1
    assert channels == {"online": 1_250 + 21, "direct": 109 + 1, "post": 53}
    assert {event["concept:instance"] for _, events in read_otherwise() for event in events} < found

    async with open_store(lane=Lane.IMPORT) as opened:
        again, _, refused = await imported(opened)
        assert len(await rows(opened.pool)) == len(stored)
    assert refused.rows == []
    assert again == ImportReport(
        read=FACTS,
        duplicate=FACTS,
        dossiers=DOSSIERS,
        irregular=IRREGULAR,
        position=report.position,
    )


def test_the_expected_figures_follow_from_the_log_alone() -> None:
    traces = list(read_otherwise())
    assert len(traces) == DOSSIERS
    assert sum(len(events) for _, events in traces) == EVENTS
    assert sum("enddate" in trace for trace, _ in traces) == ENDS
    assert expected_irregularities() == (IRREGULAR, IRREGULAR_DOSSIERS)

"""`hoso calendar` as an administrator runs it: showing, deciding, confirming and proposing days."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from infra.embedded import EmbeddedPostgres
from tests.system.hoso import COMMAND, Hoso, HosoHere
from tests.system.load import AGENCY, DESK
from tests.system.service import Service, environment

pytestmark = [pytest.mark.system, pytest.mark.postgres]

COMMUNE = "H44.100"
PROCEDURE = "1.001776"  # 10 working days.
SHIPPED = 7
STORM = ("--issued", "2026-09-06", "--off", "2026-09-07..2026-09-09", "--unit", COMMUNE)


@pytest.fixture(scope="module")
def hoso(served: Service) -> Hoso:
    hoso = HosoHere(served.data)
    hoso.json("catalogue", "load", "commune")
    return hoso


def decisions(hoso: Hoso, *words: str) -> dict[str, dict[str, Any]]:
    body = hoso.json("calendar", "show", *words)
    return {each["id"]: each for each in body["decisions"]}


def kinds(hoso: Hoso, *words: str) -> dict[str, str]:
    body = hoso.json("calendar", "show", *words)
    return {each["date"]: each["kind"] for each in body["days"]}


def test_processes_that_open_a_new_ledger_at_once_find_the_shipped_calendar(
    tmp_path: Path,
) -> None:
    opening = [
        subprocess.Popen(
            [*COMMAND, "calendar", "show", "--json"],
            env=environment(tmp_path / "data"),
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    shown = [json.loads(process.communicate(timeout=60)[0]) for process in opening]
    assert [process.returncode for process in opening] == [0, 0, 0]
    assert [body["version"] for body in shown] == [SHIPPED] * 3
    assert Hoso(tmp_path / "data").json("audit")["ok"] is True


def test_the_shipped_decisions_are_shown_with_their_state(hoso: Hoso) -> None:
    body = hoso.json("calendar", "show", "--year", "2026")
    assert (body["calendar"], body["unit"], body["year_known"]) == ("VN", None, True)
    assert 2026 in body["years"]
    found = {each["id"]: each for each in body["decisions"]}
    assert found["2026-tet"]["state"] == "applied"
    assert found["2026-tet"]["issued"] == "2025-10-16"
    swap = found["2026-national-day-swap"]
    assert (swap["state"], swap["off"], swap["working"]) == (
        "proposed",
        ["2026-08-31"],
        ["2026-08-22"],
    )
    days = {each["date"]: (each["kind"], each["decision"]) for each in body["days"]}
    assert days["2026-02-17"] == ("off", "2026-tet")
    assert days["2026-01-10"] == ("worked", "2026-new-year")
    assert days["2026-08-31"] == ("proposed", "2026-national-day-swap")
    assert "2026-03-02" not in days
    waiting = decisions(hoso, "--proposals")
    assert {each["state"] for each in waiting.values()} == {"proposed"}
    assert "2026-tet" not in waiting


def test_a_closure_is_decided_once_and_for_its_unit_only(hoso: Hoso) -> None:
    before = hoso.json("calendar", "show")["version"]
    first = hoso.json("calendar", "decide", "--id", "storm", *STORM)
    assert (first["id"], first["version"], first["change"]) == ("storm", before + 1, "recorded")
    assert first["recomputed"] == {"examined": 0, "moved": 0, "unchanged": 0, "failed": 0}
    position = hoso.json("status")["position"]
    again = hoso.json("calendar", "decide", "--id", "storm", *STORM)
    assert (again["version"], again["change"]) == (before + 1, "unchanged")
    assert hoso.json("status")["position"] == position
    assert kinds(hoso, "--unit", DESK, "--year", "2026")["2026-09-08"] == "off"
    everywhere = hoso.json("calendar", "show", "--year", "2026")
    post = hoso.json("calendar", "show", "--year", "2026", "--unit", "H44.900")
    for body in (everywhere, post):
        assert "2026-09-08" not in [each["date"] for each in body["days"]]
    assert [each["unit"] for each in everywhere["decisions"] if each["id"] == "storm"] == [COMMUNE]
    assert "storm" not in [each["id"] for each in post["decisions"]]


def test_a_confirmed_proposal_applies_and_stays_confirmed(hoso: Hoso) -> None:
    words = ("calendar", "confirm", "2026-national-day-swap", "--issued", "2026-08-01")
    assert hoso.json(*words)["change"] == "recorded"
    assert hoso.json(*words)["change"] == "unchanged"
    for _ in range(2):  # Whoever opens the ledger next does not ship the proposal over it.
        swap = decisions(hoso)["2026-national-day-swap"]
        assert (swap["state"], swap["issued"]) == ("applied", "2026-08-01")
    assert kinds(hoso, "--year", "2026")["2026-08-22"] == "worked"
    said = hoso.refused("calendar", "confirm", "2026-national-day-swap", "--issued", "2026-08-02")
    assert "is decided already" in said


def test_a_year_that_is_lacking_is_said_until_its_proposal_is_confirmed(hoso: Hoso) -> None:
    year = ("--year", "2029")
    assert hoso.json("calendar", "show", *year)["year_known"] is False
    assert "2029 is not decided" in hoso.run("calendar", "show", *year).stdout
    made = hoso.json("calendar", "propose", "2029")
    assert (made["id"], made["change"], made["decision"]["state"]) == (
        "2029-base",
        "recorded",
        "proposed",
    )
    assert "2029-02-13" in made["decision"]["off"]
    assert hoso.json("calendar", "propose", "2029")["change"] == "unchanged"
    assert hoso.json("calendar", "show", *year)["year_known"] is False
    assert kinds(hoso, *year)["2029-02-13"] == "proposed"
    assert hoso.json("calendar", "confirm", "2029-base")["change"] == "recorded"
    assert hoso.json("calendar", "show", *year)["year_known"] is True
    proposed = hoso.json("calendar", "propose", "2029")
    assert (proposed["change"], proposed["decision"]["state"]) == ("unchanged", "applied")


FILE = """
[[decision]]
id = "file-off"
issued = 2026-09-01
off = ["2026-10-05..2026-10-06"]

[[decision]]
id = "file-hours"
issued = 2026-09-01
unit = "{unit}"
hours = [{{ day = 2026-10-07, sessions = ["07:00-10:00"] }}]
"""


def test_a_file_of_decisions_is_recorded_as_a_whole(hoso: Hoso, tmp_path: Path) -> None:
    file = tmp_path / "decisions.toml"
    file.write_text(FILE.format(unit="Z99"))
    before = hoso.json("status")["position"]
    said = hoso.refused("calendar", "decide", str(file))
    assert "file-hours" in said
    assert "Z99" in said
    assert hoso.json("status")["position"] == before
    file.write_text(FILE.format(unit=COMMUNE))
    body = hoso.json("calendar", "decide", str(file))
    changes = {each["id"]: each["change"] for each in body["decisions"]}
    assert changes == {"file-off": "recorded", "file-hours": "recorded"}
    assert body["recomputed"]["failed"] == 0
    assert kinds(hoso, "--unit", COMMUNE, "--year", "2026")["2026-10-07"] == "hours"
    assert hoso.json("status")["position"] == before + 2


def test_another_calendar_is_decided_by_its_name(hoso: Hoso) -> None:
    words = ("--id", "own", "--issued", "2026-01-01", "--off", "2026-06-01")
    made = hoso.json("calendar", "decide", *words, "--calendar", "BQP")
    assert (made["version"], made["change"]) == (1, "recorded")
    assert list(decisions(hoso, "--calendar", "BQP")) == ["own"]
    assert "own" not in decisions(hoso)


def _decide(*words: str) -> tuple[str, ...]:
    return ("calendar", "decide", "--id", "x", "--issued", "2026-05-01", *words)


REFUSED = (
    (_decide("--off", "2026-01-10"), "both off and worked by decisions x and 2026-new-year"),
    (
        _decide("--off", "2026-06-01", "--working", "2026-06-01"),
        "both off and worked by decision x",
    ),
    (_decide("--off", "2026-06-01", "--unit", "Z99"), "no unit Z99"),
    (_decide("--off", "2026-06-31"), "'2026-06-31' is no day"),
    (_decide("--off", "2026-06-30..2026-06-01"), "begins before it ends"),
    (("calendar", "confirm", "nothing"), "no proposal nothing"),
    (("calendar", "propose", "2050"), "2018 to 2033"),
    (("calendar", "show", "--unit", "Z99"), "no unit Z99"),
    (("calendar", "show", "--calendar", "none"), "no calendar none"),
    (("calendar", "decide", "nowhere.toml"), "cannot be read"),
)


def test_what_cannot_be_decided_is_one_line_and_nothing_is_recorded(hoso: Hoso) -> None:
    before = hoso.json("status")["position"]
    for words, why in REFUSED:
        assert why in hoso.refused(*words)
    assert hoso.json("status")["position"] == before


@pytest.mark.parametrize(
    "words",
    [
        ("decide",),
        ("decide", "--id", "x", "--issued", "2026-01-01"),
        ("decide", "some.toml", "--id", "x"),
        ("propose", "soon"),
    ],
)
def test_wrong_use_is_status_2(hoso: Hoso, words: tuple[str, ...]) -> None:
    done = hoso.run("calendar", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr


def test_people_see_the_months_of_the_year_in_a_terminal(hoso: Hoso) -> None:
    shown = hoso.run("calendar", "show", "--year", "2026", COLUMNS="80").stdout
    assert "Tháng 12/2026" in shown
    assert "16*17*18*19*20*21*22*" in shown  # Tết
    assert " 9 10+11 " in shown
    assert "24?25" in shown
    assert "2026-culture-day" in shown
    assert "proposed, 07/01/2026" in shown
    assert max(map(len, shown.splitlines())) <= 80


@pytest.fixture
def unserved(tmp_path: Path) -> Iterator[Hoso]:
    """Give the command on a ledger that nobody serves: no clock may come before what it does."""
    with closing(EmbeddedPostgres.start(tmp_path)):
        hoso = HosoHere(tmp_path)
        hoso.json("catalogue", "load", "commune")
        yield hoso


def test_a_late_decision_moves_the_dates_of_open_dossiers_once(
    unserved: Hoso, tmp_path: Path
) -> None:
    hoso, today, dossier = unserved, datetime.now(UTC), str(uuid4())
    for year in (today.year, today.year + 1):
        hoso.json("calendar", "propose", str(year))
        hoso.json("calendar", "confirm", f"{year}-base")
    fact = {
        "specversion": "1.0",
        "id": "late",
        "source": "urn:test:late",
        "type": "vn.gov.motcua.dossier.accepted.v1",
        "subject": dossier,
        "time": today.isoformat(),
        "data": {
            "procedure": PROCEDURE,
            "channel": "direct",
            "receiving_unit": DESK,
            "competent_unit": AGENCY,
        },
    }
    told = tmp_path / "told.ndjson"
    told.write_text(json.dumps(fact))
    assert hoso.json("import", str(told))["recorded"] == 1
    before = hoso.json("dossier", dossier)
    week = [(today + timedelta(days=n)).date() for n in (2, 8)]
    off = f"{week[0]}..{week[1]}"
    words = ("calendar", "decide", "--id", "flood", "--issued", str(today.date()), "--off", off)
    decided = hoso.json(*words, "--unit", COMMUNE)
    assert decided["recomputed"] == {"examined": 1, "moved": 1, "unchanged": 0, "failed": 0}
    after = hoso.json("dossier", dossier)
    assert after["printed_due"] == before["printed_due"] == before["due"]
    assert after["due"] > before["due"]
    again = hoso.json(*words, "--unit", COMMUNE)
    assert again["recomputed"]["moved"] == 0
    assert hoso.json("dossier", dossier)["version"] == after["version"]
    history = hoso.json("history", dossier)["items"]
    assert [each["type"].split(".", 3)[3] for each in history] == [
        "dossier.accepted.v1",
        "dossier.due-date-recomputed.v1",
    ]

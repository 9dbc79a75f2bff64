"""`hoso due` as people and programs use it: the golden vectors, refusals, JSON, the calendar."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from api.terminal.command_line import hoso

V12 = ("--start", "2026-03-02T09:00", "--term", "5 working days")
PAUSE = ("--pause", "2026-03-04T10:00", "2026-03-10T14:00")
STILL = ("--pause", "2026-03-04T10:00", "open")

DECIDED = """
[[decision]]
id = "Q-1"
issued = 2026-01-05
off = [2026-03-03]
working = [2026-03-07]
[[decision]]
id = "Q-2"
issued = 2026-01-06
off = [2026-03-04]
proposal = true
"""


def due(*words: str) -> Result:
    return CliRunner().invoke(hoso, ["due", *words])


def found(*words: str) -> Any:  # noqa: ANN401  # JSON
    done = due(*words, "--json")
    assert done.exit_code == 0, done.stderr
    assert done.stderr == ""
    return json.loads(done.stdout)


def refused(*words: str) -> str:
    """Return the one line that a refusal says."""
    done = due(*words)
    assert done.exit_code == 1
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    return line


def misused(*words: str) -> str:
    """Return what is said of wrong use, on one line."""
    done = due(*words)
    assert done.exit_code == 2
    return " ".join(done.stderr.replace("│", "").split())


@pytest.mark.parametrize(
    ("start", "term", "expected"),
    [
        pytest.param("2026-03-02T09:15", "5 working days", "2026-03-09T09:15", id="V1"),
        pytest.param("2026-02-13T10:00", "3 working days", "2026-02-25T10:00", id="V2"),
        pytest.param("2026-01-09T14:00", "1 working day", "2026-01-10T14:00", id="V4"),
        pytest.param("2026-03-06T15:00", "8 working hours", "2026-03-09T15:00", id="V6"),
        pytest.param("2026-01-20", "30 calendar days", "2026-02-23T17:00", id="V7"),
        pytest.param("2026-04-24T08:00", "1 working day", "2026-04-28T08:00", id="V9"),
        pytest.param("2026-04-29T08:00", "1 working day", "2026-05-04T08:00", id="V10"),
        pytest.param("2026-03-02", "1 month", "2026-04-02T17:00", id="month"),
        pytest.param("2026-03-02T22:00", "24 hours", "2026-03-03T22:00", id="elapsed"),
        pytest.param("2026-03-02T02:15Z", "5 working days", "2026-03-09T09:15", id="offset"),
        pytest.param("2026-03-02", "5 working days", "2026-03-09T07:00", id="day"),
    ],
)
def test_a_vector_is_due_when_it_says(start: str, term: str, expected: str) -> None:
    said = found("--start", start, "--term", term)
    assert said["due"] == f"{expected}:00+07:00"
    assert said["due_date"] == expected[:10]


@pytest.mark.parametrize(
    ("policy", "expected", "paused"),
    [
        pytest.param((), "2026-03-17T14:00", 2040, id="V12"),
        pytest.param(("--policy", "restart"), "2026-03-17T14:00", 2040, id="V12-said"),
        pytest.param(("--policy", "extend"), "2026-03-13T11:00", 2040, id="V13"),
        pytest.param(("--policy", "none"), "2026-03-09T09:00", 0, id="none"),
    ],
)
def test_a_supplement_moves_the_date_by_its_policy(
    policy: tuple[str, ...], expected: str, paused: int
) -> None:
    said = found(*V12, *PAUSE, *policy)
    assert (said["due"], said["paused_minutes"]) == (f"{expected}:00+07:00", paused)
    assert sum(each["paused_minutes"] for each in said["days"]) == paused
    assert sum(each["minutes"] for each in said["days"]) == 2400


def test_pauses_may_be_several_and_overlap() -> None:
    one = ("--pause", "2026-03-03T09:00", "2026-03-04T09:00")
    other = ("--pause", "2026-03-03T14:00", "2026-03-04T14:00")
    said = found(*V12, *one, *other, "--policy", "extend")
    assert (said["due"], said["paused_minutes"]) == ("2026-03-10T14:00:00+07:00", 660)


def test_after_the_cutoff_counting_begins_with_the_next_working_day() -> None:
    words = ("--start", "2026-09-07T15:30", "--term", "3 working days", "--cutoff")
    said = found(*words, "count_from_next_day")
    assert said["clock_starts"] == "2026-09-08T07:00:00+07:00"
    assert said["due"] == "2026-09-11T07:00:00+07:00"
    assert found(*words, "none")["due"] == "2026-09-10T15:30:00+07:00"


def test_the_json_has_the_fields_that_programs_read() -> None:
    said = found(*V12)
    names = {"start", "clock_starts", "due", "due_date", "paused_minutes", "calendar", "days"}
    assert names <= set(said)
    assert "due_if_resumed_now" not in said
    assert said["start"] == said["clock_starts"] == "2026-03-02T09:00:00+07:00"
    assert said["calendar"]["name"] == "VN"
    assert said["calendar"]["years"] == [2026]
    assert "2026-tet" in said["calendar"]["decisions"]
    assert "2026-culture-day" not in said["calendar"]["decisions"]  # Only proposed.
    assert [each["date"][8:] for each in said["days"]] == [f"{day:02}" for day in range(2, 10)]
    for each in said["days"]:
        assert {"date", "minutes", "why"} <= set(each)
        assert each["why"]
    assert said["days"][5] == {
        "date": "2026-03-07",
        "minutes": 0,
        "paused_minutes": 0,
        "nth": None,
        "why": "nghỉ hằng tuần (Bộ luật Lao động 2019, Điều 111)",
        "code": "weekly-rest",
        "codes": ["weekly-rest"],
        "decision": None,
    }


def test_an_open_pause_has_no_date_but_the_one_if_it_ended_now() -> None:
    said = found(*V12, *STILL, "--now", "2026-03-10T14:00")
    assert (said["due"], said["due_date"]) == (None, None)
    assert said["due_if_resumed_now"] == "2026-03-17T14:00:00+07:00"
    assert said["paused_minutes"] == 2040
    assert said["days"][-1]["date"] == "2026-03-10"
    extended = found(*V12, *STILL, "--now", "2026-03-10T14:00", "--policy", "extend")
    assert extended["due_if_resumed_now"] == "2026-03-13T11:00:00+07:00"


def test_what_cannot_be_known_of_an_open_pause_is_left_out() -> None:
    for now in ("2027-03-10T14:00", "2026-03-01T14:00"):
        said = found(*V12, *STILL, "--now", now)
        assert said["due"] is None
        assert "due_if_resumed_now" not in said
    assert found(*V12, *STILL)["days"][-1]["date"] == "2026-03-04"


def test_a_file_replaces_the_shipped_decisions_and_proposals_do_not_apply(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(DECIDED)
    said = found(*V12, "--calendar", str(file))
    assert said["due_date"] == "2026-03-09"
    assert said["calendar"] == {"name": "mine.toml", "decisions": ["Q-1"], "years": [2026]}
    by_day = {each["date"]: each for each in said["days"]}
    assert by_day["2026-03-03"]["decision"] == by_day["2026-03-07"]["decision"] == "Q-1"
    assert by_day["2026-03-04"]["minutes"] == 480
    tet = found("--start", "2026-02-13", "--term", "1 working day", "--calendar", str(file))
    assert tet["due_date"] == "2026-02-16"


def test_a_calendar_without_the_year_is_refused(tmp_path: Path) -> None:
    line = refused("--start", "2026-12-29T09:00", "--term", "5 working days")
    assert "no decision for 2027" in line
    file = tmp_path / "mine.toml"
    file.write_text(DECIDED)
    words = ("--start", "2025-03-03", "--term", "1 month", "--calendar", str(file))
    assert "no decision for 2025" in refused(*words)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((*V12, "--pause", "2026-03-04T10:00", "2026-03-04T09:00"), "ends before it begins"),
        (("--start", "2026-03-02", "--term", "0 working days"), "from 1 to 3650"),
        (("--start", "2026-03-02", "--term", "10000 calendar days"), "from 1 to 3650"),
        (("--start", "2026-03-02", "--term", "-1 working days"), "from 1 to 3650"),
        (("--start", "2026-03-02", "--term", "8 working hours"), "needs the hour"),
        (("--start", "2026-03-02", "--term", "24 hours"), "needs the hour"),
        (("--start", "9999-12-31T23:00-10:00", "--term", "1 month"), "1900 and 9998"),
        ((*V12, *STILL, "--now", "0001-01-01T00:00+14:00"), "1900 and 9998"),
        ((*V12, "--calendar", "/nowhere/none.toml"), "No such file"),
    ],
)
def test_what_cannot_be_counted_is_refused_in_one_line(words: tuple[str, ...], says: str) -> None:
    line = refused(*words)
    assert line.startswith("hoso: ")
    assert says in line
    assert refused(*words, "--json") == line


def test_contradictory_decisions_are_refused_by_name(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(DECIDED.replace("off = [2026-03-04]\nproposal = true", "off = [2026-03-07]"))
    line = refused(*V12, "--calendar", str(file))
    assert "2026-03-07 is both off and worked by decisions Q-2 and Q-1" in line


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--start", "2026-03-02", "--term", "5 days"), "working days or calendar days"),
        (("--start", "2026-03-02", "--term", "five working days"), "write it like"),
        (("--start", "2026-03-02", "--term", "5 weeks"), "write it like"),
        (("--start", "yesterday", "--term", "1 month"), "is no time like"),
        ((*V12, "--pause", "2026-03-04T10:00", "soon"), "is no time like"),
        ((*V12, "--pause", "open", "2026-03-04T10:00"), "is no time like"),
        ((*V12, "--pause", "2026-03-04T10:00"), "--pause"),
        ((*V12, "--policy", "stop"), "--policy"),
        ((*V12, "--cutoff", "next_day_result"), "--cutoff"),
        (("--term", "5 working days"), "--start"),
        (("--start", "2026-03-02"), "--term"),
    ],
)
def test_wrong_use_is_told_apart_from_a_refusal(words: tuple[str, ...], says: str) -> None:
    assert says in misused(*words)


def test_an_ambiguous_term_names_the_five_forms() -> None:
    said = misused("--start", "2026-03-02", "--term", "5 days")
    for form in ("5 working days", "8 working hours", "30 calendar days", "1 month", "24 hours"):
        assert form in said


def test_the_calendar_marks_the_days_of_tet() -> None:
    shown = due("--start", "2026-02-12T10:00", "--term", "3 working days").stdout
    assert max(map(len, shown.splitlines())) <= 80
    weeks = [line.split() for line in shown.splitlines()[:4]]
    assert weeks[0] == ["T2", "T3", "T4", "T5", "T6", "T7", "CN"]
    assert weeks[1] == ["02/2026", "12", "○", "13", "✓1", "14", "✗", "15", "✗"]
    assert weeks[2] == [word for day in range(16, 23) for word in (f"{day}", "✗")]
    assert weeks[3] == ["23", "✓2", "24", "★3"]
    assert "✗ nghỉ lễ, tết" in shown
    assert shown.rstrip().endswith("Hẹn trả kết quả: 10:00 thứ Ba 24/02/2026.")


def test_the_calendar_marks_pauses_and_hours_in_english() -> None:
    shown = due(*V12, *PAUSE, "--policy", "extend", "--lang", "en").stdout
    assert max(map(len, shown.splitlines())) <= 80
    weeks = [line.split() for line in shown.splitlines()[1:3]]
    assert weeks[0][3:] == ["03", "✓8h", "04", "✓3h", *["05", "‖", "06", "‖", "07", "‖", "08", "‖"]]
    assert weeks[1] == ["09", "‖", "10", "✓3h", "11", "✓8h", "12", "✓8h", "13", "★4h"]
    assert "‖ paused" in shown
    assert "Due: 11:00 Friday 13/03/2026." in shown


def test_a_week_of_two_months_names_both() -> None:
    shown = due("--start", "2026-03-30", "--term", "1 month").stdout
    assert "03-04/2026 30 ○    31 ✓    01 ✓" in shown


def test_an_open_pause_is_shown_with_the_date_if_it_ended_now() -> None:
    shown = due(*V12, *STILL, "--now", "2026-03-10T14:00").stdout
    assert "★" not in shown
    assert "chưa có ngày hẹn trả kết quả" in shown
    assert "14:00 thứ Ba 17/03/2026" in " ".join(shown.split())


@pytest.mark.system
def test_the_command_needs_neither_settings_nor_a_database(tmp_path: Path) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-c", "from api.terminal.command_line import run; run()"),
            *("due", *V12, "--json"),
        ],
        env={"HOSO_DATA": str(tmp_path / "data"), "HOSO_DATABASE_URL": "nonsense"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["due_date"] == "2026-03-09"
    assert not (tmp_path / "data").exists()

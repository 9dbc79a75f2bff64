"""Files of calendar decisions, as people write them: taken strictly, refused in one line."""

from datetime import date
from pathlib import Path

import pytest

from domain.deadlines.law import OfficeHours
from streams.errors import FileRefused
from streams.registers.calendar_files import nationwide_decisions
from streams.registers.shipped_calendars import SHIPPED, shipped_calendars

TET = """
[[decision]]
id = "9441"
issued = 2025-10-16
"""


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "calendar.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def refusal(path: Path) -> str:
    with pytest.raises(FileRefused) as refused:
        nationwide_decisions(path)
    (line,) = str(refused.value).splitlines()
    assert line.startswith(f"{path.name}: ")
    return line


def test_a_decision_needs_an_id_and_a_date_only(tmp_path: Path) -> None:
    (decision,) = nationwide_decisions(written(tmp_path, TET))
    assert (decision.id, decision.issued) == ("9441", date(2025, 10, 16))
    assert decision.off == decision.working == ()


def test_dates_may_be_dates_or_their_text(tmp_path: Path) -> None:
    text = TET + 'off = [2026-02-16, "2026-02-17"]\nworking = ["2026-02-28"]\n'
    (decision,) = nationwide_decisions(written(tmp_path, text))
    assert decision.off == (date(2026, 2, 16), date(2026, 2, 17))
    assert decision.working == (date(2026, 2, 28),)


def test_titles_proposals_and_short_days_are_read(tmp_path: Path) -> None:
    text = TET + (
        'title = "Tết"\nproposal = true\nhours = [{day = 2026-02-13, sessions = ["07:00-11:30"]}]\n'
    )
    (decision,) = nationwide_decisions(written(tmp_path, text))
    assert (decision.title, decision.proposal) == ("Tết", True)
    assert decision.hours == (OfficeHours(day=date(2026, 2, 13), sessions=("07:00-11:30",)),)


def test_the_shipped_file_can_be_given_too() -> None:
    assert nationwide_decisions(SHIPPED) == shipped_calendars()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"\xff\xfe\x00", "UTF-8"),
        ("off = [", "TOML"),
        ("", "[[decision]]"),
        ("[[procedures]]\n", "procedures"),
        ("[[holidays]]\nid = 'x'\n", "holidays"),
        ("decision = 5\n", "decision"),
        ("decision = [5]\n", "no table"),
        ("[[decision]]\nid = 'x'\n", "issued"),
        ("[[decision]]\nissued = 2026-01-01\n", "id"),
        (TET + "of = [2026-02-16]\n", "of"),
        (TET + "off = 2026-02-16\n", "off"),
        (TET + "off = [16]\n", "off"),
        (TET + "off = ['16/02/2026']\n", "off"),
        (TET + "off = ['2026-02-30']\n", "off"),
        (TET + "proposal = 'yes'\n", "proposal"),
        (TET + "hours = [{day = 2026-02-13}]\n", "sessions"),
        (TET + "unit = 'H44'\n", "H44 only"),
        (TET + TET, "stated twice"),
        (TET + "off = [9999-12-31]\n", "after 2999"),
    ],
)
def test_a_wrong_file_is_refused_in_one_line(tmp_path: Path, text: str | bytes, says: str) -> None:
    assert says in refusal(written(tmp_path, text))


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    assert "No such file" in refusal(tmp_path / "none.toml")
    assert "directory" in refusal(tmp_path)

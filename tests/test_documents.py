"""The pages that follow from the code say what it says, and every page leads somewhere."""

import re
from pathlib import Path

import pytest

from domain.ledger.stored import EVENTS
from tests.documents import DOCS, EVENTS_PAGE, events_page

ROOT = DOCS.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md"))]
SCREEN = 50


def test_the_catalogue_of_events_is_as_the_chapters_say() -> None:
    """If it is not: `make docs`."""
    assert EVENTS_PAGE.read_text("utf-8") == events_page()


def test_the_catalogue_of_events_names_each_once() -> None:
    named = [line for line in events_page().splitlines() if line.startswith("### ")]
    assert sorted(named) == sorted(f"### `{topic}`" for topic in EVENTS)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_a_page_leads_to_is_there(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)\)", page.read_text("utf-8"))
    ours = [link for link in links if "://" not in link]
    assert [link for link in ours if not (page.parent / link).exists()] == []


def test_the_readme_is_a_screen_long() -> None:
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) <= SCREEN

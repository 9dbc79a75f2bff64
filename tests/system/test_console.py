"""What people read at a terminal: nothing that they copy is broken in two, or read as a picture."""

from uuid import uuid4

import pytest

from api.terminal import console

ID = str(uuid4())
ROW = [ID, "desk", "H44.100.01", "urn:x:test", "25/11/2026", "25/11/2027", "[red]"]
COLUMNS = ["token", "role", "unit", "source", "granted", "expires", "title"]


@pytest.mark.parametrize("width", [40, 80, 200])
def test_a_table_shows_ids_and_names_whole(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console.out, "width", width)
    with console.out.capture() as captured:
        console.print_table("Tokens", COLUMNS, [ROW, ROW])
    said = captured.get()
    for each in (*COLUMNS, *ROW):
        assert each in said
    assert said.count(ID) == len([ROW, ROW])
    assert said.splitlines()[0].strip() == "Tokens"


def test_words_of_a_long_text_are_folded_in_its_column(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console.out, "width", 80)
    with console.out.capture() as captured:
        console.print_table("Units", ["code", "name"], [["H44.100.01", "Ủy ban nhân dân " * 9]])
    assert max(map(len, captured.get().splitlines())) <= 80
    assert "H44.100.01" in captured.get()

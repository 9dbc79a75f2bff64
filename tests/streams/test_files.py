"""Plain or gzip, lines of any length: everything before a fault is read, and the fault is named."""

import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.errors import FileRefused
from streams.importing import files
from streams.importing.files import DamagedFile, InputFile, Line, TruncatedFile, lines

TEXT = "".join(f"dòng {n} {'x' * (n % 90)}\n" for n in range(20_000)).encode()


def content(path: Path) -> tuple[bytes, FileRefused | None]:
    found = bytearray()
    try:
        with InputFile(path) as file:
            for piece in file.pieces():
                found += piece
    except FileRefused as refused:
        return bytes(found), refused
    return bytes(found), None


def test_gzip_is_seen_by_its_first_bytes(tmp_path: Path) -> None:
    path = tmp_path / "plain.ndjson"
    path.write_bytes(gzip.compress(TEXT[:9_000]) + gzip.compress(TEXT[9_000:]))
    assert content(path) == (TEXT, None)
    path.write_bytes(TEXT)
    assert content(path) == (TEXT, None)


@pytest.mark.parametrize("cut", [3, 10, 11, 1_000, 20_000, -9, -8, -1])
def test_of_a_cut_gzip_everything_before_the_cut_is_read(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "cut.gz"
    packed = gzip.compress(TEXT)
    path.write_bytes(packed[:cut])
    found, failure = content(path)
    assert isinstance(failure, TruncatedFile)
    assert TEXT.startswith(found)
    assert len(found) > (cut % len(packed)) / len(packed) * len(TEXT) - 200_000


def test_a_damaged_gzip_is_said_to_be_damaged(tmp_path: Path) -> None:
    path = tmp_path / "damaged.gz"
    packed = bytearray(gzip.compress(TEXT))
    packed[-6] ^= 1
    path.write_bytes(packed)
    assert isinstance(content(path)[1], DamagedFile)
    path.write_bytes(b"\x1f\x8b\x07" + b"\xff" * 500)
    assert isinstance(content(path)[1], DamagedFile)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert content(tmp_path / "nothing")[1] is not None


@pytest.mark.parametrize(
    ("name", "start", "xml"),
    [
        ("a.xes", b"", True),
        ("a.txt", b"\xef\xbb\xbf \n<log>", True),
        ("a.txt", b"\xff\xfe<\x00", True),
        ("a.ndjson", b'{"id": "<"}', False),
        ("a.ndjson", b"", False),
    ],
)
def test_the_form_is_seen_by_name_or_first_bytes(
    tmp_path: Path, name: str, start: bytes, *, xml: bool
) -> None:
    (tmp_path / name).write_bytes(start)
    with InputFile(tmp_path / name) as file:
        assert file.holds_xml() is xml
        assert b"".join(file.pieces()) == start


def test_a_mark_and_blank_lines_are_passed_over_but_counted() -> None:
    found = list(lines([b"\xef\xbb\xbfa\r\n\n  \nb\nc"]))
    assert found == [Line(1, b"a"), Line(4, b"b"), Line(5, b"c")]


@given(st.lists(st.binary(max_size=12)))
def test_any_pieces_give_the_same_lines(pieces: list[bytes]) -> None:
    assert list(lines(pieces)) == list(lines([b"".join(pieces)]))


def test_a_line_that_is_too_long_is_cut_and_the_next_ones_are_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(files, "LONGEST_LINE", 100)
    short, long, next_one = lines([b"a\n", *[b"x" * 40] * 9, b"\nb\n"])
    assert (short, next_one) == (Line(1, b"a"), Line(3, b"b"))
    assert not long.whole
    assert 40 <= len(long.text) <= 100

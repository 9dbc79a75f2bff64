"""Logs in XES: any size, any pieces, and nothing that a hostile file could do."""

from datetime import UTC, date, datetime, timedelta, timezone
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.errors import FileRefused
from streams.importing import xes
from streams.importing.xes import MalformedXml, Trace, UnsafeXml, XesReader
from tests.streams.files import LOG, attribute, event, log, trace

TRACES = [
    trace(f"case-{n}", *(event(f"{n}-{k}") for k in range(n)), who="Bình & Đỗ"[: n + 1])
    for n in range(4)
]
WHOLE = log(*(text.replace("&", "&amp;") for text in TRACES)).encode()


def read(*pieces: bytes | str) -> tuple[list[Trace], FileRefused | None]:
    """Return the traces, and what went wrong after them."""
    found: list[Trace] = []
    try:
        for each in XesReader().traces(p.encode() if isinstance(p, str) else p for p in pieces):
            found.append(each)  # noqa: PERF402  # those before the failure are wanted
    except FileRefused as refused:
        return found, refused
    return found, None


def test_attributes_have_their_types() -> None:
    said = (
        attribute("text", "1")
        + attribute("id", "0e4a", "id")
        + attribute("count", "12", "int")
        + attribute("share", "0.5", "float")
        + attribute("yes", "true", "boolean")
        + attribute("at", "2011-10-11T13:42:22.688+02:00", "date")
        + attribute("utc", "2011-10-11T13:42:22Z", "date")
        + attribute("day", "2011-10-11", "date")
    )
    (found,), _ = read(f"{LOG}<trace>{said}</trace></log>")
    plus2 = timezone(timedelta(hours=2))
    assert found.attributes == {
        "text": "1",
        "id": "0e4a",
        "count": 12,
        "share": 0.5,
        "yes": True,
        "at": datetime(2011, 10, 11, 13, 42, 22, 688000, tzinfo=plus2),
        "utc": datetime(2011, 10, 11, 13, 42, 22, tzinfo=UTC),
        "day": date(2011, 10, 11),
    }


@pytest.mark.parametrize(("kind", "value"), [("int", "x"), ("date", "soon"), ("boolean", "2")])
def test_a_value_that_is_none_of_its_type_stays_a_text(kind: str, value: str) -> None:
    (found,), _ = read(f"{LOG}<trace>{attribute('a', value, kind)}</trace></log>")
    assert found.attributes == {"a": value}


def test_what_is_nested_in_attributes_is_passed_over() -> None:
    nested = (
        '<string key="a" value="1"><int key="b" value="2"><int key="c" value="3"/></int></string>'
        '<list key="l"><values><string key="d" value="4"/></values></list>'
        '<container key="m"><string key="e" value="5"/></container>'
    )
    of_log = '<float key="x" value="1"><trace/></float>'
    text = f"{LOG}{of_log}<trace>{nested}<event>{nested}</event></trace></log>"
    (found,), failure = read(text)
    assert (found.attributes, found.events, failure) == ({"a": "1"}, [{"a": "1"}], None)


def test_the_names_may_have_a_prefix() -> None:
    event = '<x:event><x:string key="a" value="1"/></x:event>'
    text = f'<x:log xmlns:x="http://www.xes-standard.org"><x:trace>{event}</x:trace></x:log>'
    (found,), _ = read(text)
    assert found.events == [{"a": "1"}]


def test_the_log_says_which_attributes_it_declares() -> None:
    reader = XesReader()
    text = (
        f'{LOG}<global scope="trace">{attribute("t", "?")}</global>'
        f'<global scope="event">{attribute("e", "?")}</global>{attribute("l", "1")}</log>'
    )
    assert list(reader.traces([text.encode()])) == []
    assert reader.declared == {"trace": {"t"}, "event": {"e"}}


BILLION_LAUGHS = (
    '<!DOCTYPE log [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><log><trace>&b;</trace></log>'
)
EXTERNAL = '<!DOCTYPE log [<!ENTITY a SYSTEM "file:///etc/passwd">]><log>&a;</log>'


@pytest.mark.parametrize(
    "text", [BILLION_LAUGHS, EXTERNAL, "<!DOCTYPE log SYSTEM 'http://a/b'><log/>"]
)
def test_a_document_type_is_refused(text: str) -> None:
    assert isinstance(read(text)[1], UnsafeXml)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("<html/>", "no XES log"),
        (f"{LOG}<event/></log>", "outside of every trace"),
        (f"{LOG}<trace>{'<string>' * 200}", "nested too deeply"),
        (f"{LOG}<trace>&entity;</trace></log>", "undefined entity"),
        (f"{LOG}</log><log/>", "junk after document element"),
        ("<?xml version='1.0' encoding='nonsense'?><log/>", "encoding"),
        ("", "no element found"),
    ],
)
def test_what_is_no_log_is_refused_with_its_place(text: str, why: str) -> None:
    found, failure = read(text)
    assert isinstance(failure, MalformedXml)
    assert (found, failure.code) == ([], "malformed-xml")
    assert why in str(failure)
    assert "line 1, column" in str(failure)


def test_the_traces_before_a_fault_are_given() -> None:
    found, failure = read(log(trace("a"), trace("b"), "<trace></log>"))
    assert [each.attributes["concept:name"] for each in found] == ["a", "b"]
    assert "after 2 whole traces: mismatched tag" in str(failure)


def test_one_element_cannot_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xes, "_WIDEST", 10_000)
    pieces = [LOG, '<trace><string key="a" value="', *["x" * 1_000] * 20, '"/></trace></log>']
    found, failure = read(*pieces)
    assert found == []
    assert "larger than" in str(failure)


def test_one_trace_cannot_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xes, "MOST_EVENTS", 3)
    found, failure = read(log(trace("a"), trace("b", *map(event, "1234"))))
    assert len(found) == 1
    assert "more than 3 events" in str(failure)


@given(st.sets(st.integers(0, len(WHOLE))))
def test_any_pieces_give_the_same_traces(cuts: set[int]) -> None:
    pieces = [WHOLE[a:b] for a, b in pairwise([0, *sorted(cuts), len(WHOLE)])]
    assert read(*pieces) == read(WHOLE)
    assert len(read(WHOLE)[0]) == 4


@given(st.integers(0, len(WHOLE) - 1))
def test_a_log_cut_anywhere_gives_only_whole_traces_and_one_error(cut: int) -> None:
    found, failure = read(WHOLE[:cut])
    whole = WHOLE[:cut].count(b"</trace>")
    assert isinstance(failure, MalformedXml)
    assert found == read(WHOLE)[0][:whole]

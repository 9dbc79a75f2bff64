"""A query type says what may stand after the ?: what is read, what is refused, how it is shown."""

from datetime import UTC, datetime
from typing import Annotated

import pytest
from msgspec import Meta

from api.http.declared import Resource
from api.http.queries import Fresh, Query, QueryReader
from api.http.replies import Reply
from api.showing.answers import Answer, Moment
from domain.errors import InvalidRequest, TimeWithoutOffset


class Asked(Fresh):
    """One parameter of each kind."""

    text: Annotated[str, Meta(min_length=2, max_length=5, description="A text.")] | None = None
    count: Annotated[int, Meta(ge=1, le=9)] = 3
    flag: bool = False
    at: Moment | None = None
    known: Annotated[Annotated[int, Meta(ge=0)] | Moment, Meta(description="When.")] | None = None


READER = QueryReader(Asked)
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def test_what_is_not_asked_has_its_default() -> None:
    assert READER.read(()) == Asked()


def test_every_kind_is_read() -> None:
    pairs = [("text", "Hồ"), ("count", "9"), ("flag", "true"), ("at", "2026-03-02T19:00:00+07:00")]
    asked = READER.read([*pairs, ("min_position", "7")])
    assert asked == Asked(text="Hồ", count=9, flag=True, at=NOON, min_position=7)
    assert READER.read([("known", "41")]).known == 41
    assert READER.read([("known", "2026-03-02T12:00:00Z")]).known == NOON


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("text", ["", "a", "a" * 6, "a\0b"]),
        ("count", ["", "0", "10", "-1", "1.5", "+1", " 1", "1_0", "\u0661", "9" * 5_000, "x"]),
        ("flag", ["", "True", "1", "yes", "no", "on"]),
        (
            "at",
            ["", "yesterday", "2026-13-02T09:15:00Z", "1772442000", "2026-03-02T12:00:00 07:00"],
        ),
        ("known", ["", "-1", "1.5", "x", "9" * 19]),
        ("wait", ["31", "-1"]),
    ],
)
def test_what_is_no_value_is_refused_by_name_and_never_repeated(
    name: str, values: list[str]
) -> None:
    for value in values:
        with pytest.raises(InvalidRequest) as refused:
            READER.read([(name, value)])
        assert name in str(refused.value)
        assert len(value) < 3 or value not in str(refused.value)


@pytest.mark.parametrize("value", ["2026-03-02T09:15:00", "2026-03-02"])
def test_a_time_needs_its_offset(value: str) -> None:
    for name in ("at", "known"):
        with pytest.raises(TimeWithoutOffset):
            READER.read([(name, value)])


def test_a_parameter_is_given_once_and_known() -> None:
    with pytest.raises(InvalidRequest, match="count may be given once"):
        READER.read([("count", "1"), ("count", "1")])
    with pytest.raises(InvalidRequest, match="no parameter 'Count' here"):
        READER.refuse_unknown([("count", "1"), ("Count", "1")])


def test_it_is_described_as_it_is_read() -> None:
    shown = {each.name: each for each in READER.parameters()}
    assert shown["text"].schema == {"type": "string", "minLength": 2, "maxLength": 5}
    assert shown["text"].description == "A text."
    assert shown["count"].schema == {"type": "integer", "minimum": 1, "maximum": 9, "default": 3}
    assert shown["flag"].schema == {"type": "boolean", "default": False}
    assert shown["at"].schema == {"type": "string", "format": "date-time"}
    assert shown["min_position"].schema["maximum"] == 2**62


def test_a_type_that_no_parameter_can_have_is_found_when_it_is_declared() -> None:
    class Odd(Query):
        numbers: list[int] = []  # noqa: RUF012  # msgspec copies it

    with pytest.raises(TypeError, match="numbers"):
        QueryReader(Odd)


def test_a_handler_says_what_each_of_its_arguments_is() -> None:
    class Said(Answer):
        """Nothing."""

    async def handler(what: int) -> Reply[Said]:
        raise NotImplementedError(what)

    with pytest.raises(TypeError, match="what"):
        Resource("Odd", "Nothing.").is_open("/odd")(handler)

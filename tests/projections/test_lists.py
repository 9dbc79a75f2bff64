"""Lists: whoever asks for whatever gets the page that a look at every dossier gives."""

from collections.abc import AsyncIterator, Sequence
from typing import Final
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import given as for_all
from hypothesis import strategies as st

from api.main import VIEWS
from domain.dossier.state import Dossier, Finding
from domain.dossier.status import Status
from domain.envelope import ProcedureCode, UnitCode
from projections import dossiers as fold
from projections.dossiers import Change, Folded
from projections.lists import Filter, ListReader
from tests.conftest import OpenStore
from tests.examples import MORNING
from tests.looking import examples
from tests.projections.telling import hosted
from tests.stores import Opened

UNITS: Final = [UnitCode(f"H{number:02d}") for number in range(40)]
PROCEDURES: Final = [ProcedureCode(f"1.{number}") for number in range(3)]
STATUSES: Final = [Status.ACCEPTED, Status.IN_PROCESS, Status.RETURNED]
FINDING: Final = Finding(kind="step-unknown", events=(), why="?")
MANY: Final = 30  # Units: so many are not searched one by one.


def some(values: Sequence[UnitCode], most: int) -> st.SearchStrategy[tuple[UnitCode, ...]]:
    return st.lists(st.sampled_from(values), min_size=1, max_size=most, unique=True).map(tuple)


@st.composite
def folds(draw: st.DrawFn) -> list[Folded]:
    """Draw dossiers that are in the sight of some units."""
    made = []
    for opened_seq in range(1, draw(st.integers(1, 25)) + 1):
        seen_by = draw(some(UNITS, 3))
        dossier = Dossier(
            id=uuid4(),
            code=draw(st.none() | st.just(f"{seen_by[0]}-26%-{opened_seq:03d}")),
            status=draw(st.sampled_from(STATUSES)),
            procedure=draw(st.sampled_from(PROCEDURES)),
            holders=seen_by,
            accepted_at=MORNING,
            competent_unit=seen_by[-1],
            receiving_unit=draw(st.sampled_from(UNITS)),
            findings=draw(st.sampled_from([(), (FINDING,)])),
        )
        made.append(Folded(dossier, opened_seq, MORNING, voiding=False))
    return made


@st.composite
def filters(draw: st.DrawFn) -> Filter:
    scope = draw(st.none() | some(UNITS, 3) | some(UNITS, MANY))
    text = draw(st.none() | st.sampled_from(["H0", "h01-26%", "26%", "00", "007", "_", "xã"]))
    named = text is not None and draw(st.booleans())
    return Filter(
        scope=scope,
        unit=draw(st.none() | some(UNITS, 3) | some(UNITS, MANY)),
        status=draw(st.none() | st.sampled_from([each.portal_code for each in STATUSES])),
        procedure=draw(st.none() | st.sampled_from(PROCEDURES)),
        irregular=draw(st.booleans()),
        text=text,
        text_procedures=draw(st.lists(st.sampled_from(PROCEDURES), max_size=2)) if named else (),
        text_units=draw(some(UNITS, 20)) if named else (),
        before=draw(st.none() | st.integers(1, 26)),
        limit=draw(st.integers(1, 5)),
    )


def is_asked_for(each: Folded, asked: Filter) -> bool:
    """Say it by the dossier alone."""
    dossier = each.dossier
    seen_by = set(dossier.seen_by)
    return (
        all(seen_by & set(units) for units in (asked.scope, asked.unit) if units is not None)
        and (asked.status is None or dossier.status is not None)
        and asked.status in {None, dossier.status and dossier.status.portal_code}
        and asked.procedure in {None, dossier.procedure}
        and (bool(dossier.irregularities) or not asked.irregular)
        and (asked.before is None or each.opened_seq < asked.before)
        and (asked.text is None or is_named(dossier, asked, asked.text))
    )


def is_named(dossier: Dossier, asked: Filter, text: str) -> bool:
    code = dossier.code or ""
    return (
        code.startswith((text.upper(), text))
        or code.endswith(text)
        or dossier.procedure in asked.text_procedures
        or dossier.competent_unit in asked.text_units
        or dossier.receiving_unit in asked.text_units
    )


@settings(
    max_examples=examples(150, long=5_000),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@for_all(folds(), st.lists(filters(), min_size=1, max_size=8))
async def test_a_page_is_what_a_look_at_every_dossier_gives(
    kept: Opened, made: list[Folded], asked: list[Filter]
) -> None:
    await show(kept, made)
    for each in asked:
        expected = [fold for fold in reversed(made) if is_asked_for(fold, each)][: each.limit]
        page = await ListReader(kept.pool).page(each)
        assert [found.dossier.id for found in page.items] == [one.dossier.id for one in expected]


@pytest.fixture
async def kept(open_store: OpenStore) -> AsyncIterator[Opened]:
    async with open_store() as process:
        await hosted(process)
        yield process


async def show(process: Opened, made: Sequence[Folded]) -> None:
    """Let the views show these dossiers and no others."""
    changes = [Change(None, (), each) for each in made]
    async with process.pool.acquire() as connection, connection.transaction():
        for table in (fold.TABLE, *(view.table for view in VIEWS)):
            await connection.execute(f"DELETE FROM views.{table.versioned}")  # noqa: S608  # our own name
        rows = [fold.row_of(each) for each in made]
        await fold.TABLE.store(connection, fold.TABLE.versioned, rows)
        for view in VIEWS:
            await view.table.store(connection, view.table.versioned, view.shown(changes).rows)

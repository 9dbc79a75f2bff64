"""Views as pure functions: what their rows show, and that no split or arrival changes them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid5

import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from api.main import VIEWS
from domain.dossier.events import DossierEvent
from domain.dossier.state import Dossier
from domain.envelope import UnitCode
from projections import dossiers as fold
from projections import due, overview, sight
from projections.dossiers import AnyView, Change, Folded, Told
from tests import examples as eg
from tests.domain.test_history_properties import told_in_another_order
from tests.examples import (
    AGENCY,
    CODE,
    DESK,
    DOSSIER,
    DUE,
    HOUR,
    LATER_DUE,
    MORNING,
    history,
    rule_book,
)
from tests.looking import examples
from tests.projections.telling import batches_of, dossiers, told_in

QUICK = settings(max_examples=examples(60, long=3_000))
NEIGHBOUR = UnitCode("H01.30")
THREE = [uuid5(DOSSIER, str(number)) for number in range(3)]
ACCEPTED = eg.accepted()
AT_WORK = (ACCEPTED, eg.step_started())
PAUSED = (ACCEPTED, eg.supplement_requested())

Rows = dict[tuple[object, ...], Any]


def folded(*events: DossierEvent) -> Folded:
    return fold.whole(DOSSIER, history(*events), rule_book())


class Host:
    """The fold and the rows of views as a host keeps them, batch by batch, without a database."""

    def __init__(self) -> None:
        self.folds: dict[UUID, fold.Row] = {}
        self.rows: dict[str, Rows] = {view.table.name: {} for view in VIEWS}
        self.written = 0
        self._told: dict[UUID, list[Told]] = {}

    def apply(self, batch: Sequence[Told]) -> None:
        lines: dict[UUID, list[Told]] = {}
        for each in batch:
            lines.setdefault(each.event.originator_id, []).append(each)
        changes = [self._change(stream, line) for stream, line in lines.items()]
        self.folds |= {each.after.dossier.id: fold.row_of(each.after) for each in changes}
        for view in VIEWS:
            rows, gone = view.shown(changes)
            self.rows[view.table.name] |= {_key_of(view, row): row for row in rows}
            self.written += len(rows) + len(gone)
            for key in gone:
                del self.rows[view.table.name][key]

    def _change(self, stream: UUID, line: list[Told]) -> Change:
        self._told.setdefault(stream, []).extend(line)
        row = self.folds.get(stream)
        before = fold.folded(row) if row is not None else None
        if row is not None and fold.follows(row, fold.state_in(row.state), line, rule_book()):
            after = fold.following(row, fold.state_in(row.state), line, rule_book())
        else:
            after = fold.whole(stream, self._told[stream], rule_book())
        return Change(before, line, after)


def _key_of(view: AnyView, row: object) -> tuple[object, ...]:
    return tuple(getattr(row, name) for name in view.table.key)


def hosted(batches: Sequence[Sequence[Told]]) -> Host:
    host = Host()
    for batch in batches:
        host.apply(batch)
    return host


SHOWN: dict[str, tuple[tuple[DossierEvent, ...], dict[str, Any]]] = {
    "registered": (
        (eg.submitted(),),
        {
            "status": 1,
            "code": None,
            "procedure": eg.PROCEDURE,
            "receiving_unit": DESK,
            "units": (DESK,),
            "is_open": False,
        },
    ),
    "accepted": (
        (ACCEPTED,),
        {
            "status": 2,
            "code": CODE.lower(),
            "procedure_version": 1,
            "receiving_unit": DESK,
            "competent_unit": AGENCY,
            "units": (DESK, AGENCY),
            "is_open": True,
            "irregularities": 0,
        },
    ),
    "not accepted": (
        (eg.submitted(), eg.intake_refused()),
        {"status": 3, "is_open": False, "irregularities": 0},
    ),
    "in process": (AT_WORK, {"status": 4}),
    "supplement": (PAUSED, {"status": 5, "is_open": True}),
    "supplement before acceptance": (
        (eg.submitted(), eg.supplement_requested()),
        {"status": 5, "is_open": False},
    ),
    "obligation": ((*AT_WORK, eg.obligation_requested()), {"status": 6, "is_open": True}),
    "paid": ((*AT_WORK, eg.obligation_requested(), eg.payment_recorded()), {"status": 4}),
    "withdrawn": ((ACCEPTED, eg.withdrawn()), {"status": 7, "is_open": False}),
    "stopped": ((*AT_WORK, eg.stopped()), {"status": 8, "is_open": False}),
    "refused": ((*AT_WORK, eg.resolution_refused()), {"status": 8}),
    "finished": ((*AT_WORK, eg.result_at_desk()), {"status": 9, "is_open": False}),
    "returned": ((*AT_WORK, eg.result_at_desk(), eg.result_returned()), {"status": 10}),
    "undelivered": (
        (*AT_WORK, eg.result_at_desk(), eg.result_returned(), eg.delivery_failed()),
        {"status": 9},
    ),
    "rejected": (
        (*AT_WORK, eg.result_at_desk(), eg.result_rejected()),
        {"status": 4, "is_open": True, "irregularities": 0},
    ),
    "another unit's business": (
        (ACCEPTED, eg.competence_transferred(to_unit=eg.PROVINCE)),
        {"competent_unit": eg.PROVINCE, "units": (eg.PROVINCE, DESK, AGENCY)},
    ),
    "irregular": (
        (eg.result_at_desk(), eg.result_returned(), eg.step_started()),
        {"status": 10, "irregularities": 2},
    ),
    "void": (
        (eg.submitted(), ACCEPTED, eg.corrected(corrects="accepted")),
        {"status": 1, "is_open": False},
    ),
}


def test_each_unit_sees_the_dossiers_that_are_or_were_its_business() -> None:
    seen_at = folded(ACCEPTED, eg.transfer_offered(), eg.transfer_accepted())
    rows = sight.rows_of(seen_at)
    assert {row.unit for row in rows} == set(overview.row_of(seen_at).units) == {DESK, AGENCY}
    assert {(row.code, row.status, row.competent_unit) for row in rows} == {
        (CODE.lower(), 4, AGENCY)
    }


def test_who_was_only_named_before_the_acceptance_sees_the_dossier_no_more() -> None:
    told = history(eg.submitted(receiving_unit=NEIGHBOUR), ACCEPTED)
    host = hosted([told[:1]])
    assert {unit for unit, _ in host.rows[sight.NAME]} == {NEIGHBOUR}
    host.apply(told[1:])
    assert {unit for unit, _ in host.rows[sight.NAME]} == {DESK, AGENCY}


@pytest.mark.parametrize("shown", SHOWN)
def test_the_overview_shows(shown: str) -> None:
    events, expected = SHOWN[shown]
    row = overview.row_of(folded(*events))
    assert {name: getattr(row, name) for name in expected} == expected


WAITING: dict[str, tuple[tuple[DossierEvent, ...], dict[str, Any]]] = {
    "accepted": (
        (ACCEPTED,),
        {
            "competent_unit": AGENCY,
            "calendar": "VN",
            "calendar_version": 1,
            "accepted_at": MORNING,
            "first_due": DUE,
            "due": DUE,
            "answer_by": None,
            "transfer_answer_by": None,
        },
    ),
    "another day of return": (
        (*AT_WORK, eg.reappointed(new_due=LATER_DUE)),
        {"due": LATER_DUE, "first_due": DUE},
    ),
    "for the applicant": (
        (ACCEPTED, replace(eg.supplement_requested(), answer_by=LATER_DUE)),
        {"answer_by": LATER_DUE, "transfer_answer_by": None, "first_due": None},
    ),
    "for another agency": (
        (ACCEPTED, replace(eg.transfer_offered(), answer_by=LATER_DUE)),
        {"answer_by": None, "transfer_answer_by": LATER_DUE},
    ),
    "for the applicant, while another agency was asked": (
        (
            ACCEPTED,
            replace(eg.transfer_offered(), answer_by=LATER_DUE),
            replace(eg.supplement_requested(), answer_by=DUE),
        ),
        {"answer_by": DUE, "transfer_answer_by": None},
    ),
}


@pytest.mark.parametrize("waits", WAITING)
def test_what_is_due_waits(waits: str) -> None:
    events, expected = WAITING[waits]
    row = due.row_of(folded(*events))
    assert {name: getattr(row, name) for name in expected} == expected


NOTHING_DUE: dict[str, tuple[DossierEvent, ...]] = {
    "not accepted yet": (eg.submitted(), eg.supplement_requested()),
    "finished": (*AT_WORK, eg.result_at_desk()),
    "withdrawn": (ACCEPTED, eg.withdrawn()),
    "its acceptance is void": (eg.submitted(), ACCEPTED, eg.corrected(corrects="accepted")),
}


@pytest.mark.parametrize("why", NOTHING_DUE)
def test_nothing_is_due_of_what_is_not_open(why: str) -> None:
    assert due.row_of(folded(*NOTHING_DUE[why])) is None


def test_steps_and_records_write_no_row_of_any_view() -> None:
    steps = (eg.assigned(), eg.step_completed(), eg.step_started("next"), eg.result_approved())
    told = history(*AT_WORK, *steps)
    host = hosted([told[:2]])
    before = host.written
    host.apply(told[2:])
    assert host.written == before
    assert host.folds[DOSSIER].version == len(told)


def test_what_ended_is_due_no_more_and_is_due_again_when_its_end_was_void() -> None:
    told = history(*AT_WORK, eg.result_at_desk(), eg.result_rejected())
    host = hosted([told[:2]])
    (row,) = host.rows[due.NAME].values()
    host.apply(told[2:3])
    assert host.rows[due.NAME] == {}
    host.apply(told[3:])
    assert host.rows[due.NAME] == {(DOSSIER,): row}


def test_a_fold_keeps_the_position_of_the_first_event_that_was_told() -> None:
    told: list[Told] = [
        eg.recorded(ACCEPTED, version=1, seq=70, at=MORNING + HOUR),
        eg.recorded(eg.submitted(), version=2, seq=71, at=MORNING),
    ]
    row = hosted([told[:1], told[1:]]).folds[DOSSIER]
    assert (row.opened_seq, row.version, row.told_at) == (70, 2, MORNING + HOUR)


LATER: dict[str, tuple[DossierEvent, int, bool]] = {
    "what simply follows": (eg.result_at_desk(), 2, True),
    "what happened at the same moment": (eg.result_at_desk(), 1, True),
    "what happened before": (eg.assigned(), 0, False),
    "a correction": (eg.corrected(), 2, False),
    "a rejection": (eg.result_rejected(), 2, False),
}


@pytest.mark.parametrize("what", LATER)
def test_the_whole_stream_is_needed_for_what_does_not_simply_follow(what: str) -> None:
    event, hour, simply = LATER[what]
    news = [eg.recorded(event, version=3, at=MORNING + hour * HOUR)]
    assert follows(folded(*AT_WORK), news) is simply


def test_the_whole_stream_is_needed_where_something_was_void_or_a_version_is_missing() -> None:
    news = [eg.recorded(eg.result_returned(), version=4, at=MORNING + 5 * HOUR)]
    void = folded(*AT_WORK, eg.corrected(corrects="step-started"))
    assert not follows(void, news)
    assert not follows(folded(*AT_WORK), news)


def follows(known: Folded, news: Sequence[Told]) -> bool:
    return fold.follows(fold.row_of(known), known.dossier, news, rule_book())


@pytest.mark.parametrize(
    "voiding",
    [
        eg.corrected(corrects="result-at-desk"),
        eg.result_rejected(rejects=eg.id_of("result-at-desk")),
    ],
)
def test_what_was_made_void_before_it_was_told_is_void(voiding: DossierEvent) -> None:
    told = history(*AT_WORK, voiding, eg.result_at_desk())
    parts, whole = hosted([told[:3], told[3:]]), hosted([told])
    assert (parts.folds, parts.rows) == (whole.folds, whole.rows)


@QUICK
@for_all(st.data())
def test_any_split_into_batches_gives_the_same_rows(data: st.DataObject) -> None:
    told = told_in(data, data.draw(dossiers(THREE)))
    parts, whole = hosted(batches_of(data, told)), hosted([told])
    assert (parts.folds, parts.rows) == (whole.folds, whole.rows)
    assert parts.folds.keys() == {each.event.originator_id for each in told}


@QUICK
@for_all(st.data())
def test_any_order_of_arrival_gives_the_same_rows(data: st.DataObject) -> None:
    facts = data.draw(dossiers(THREE))
    one, other = (hosted(batches_of(data, ledger_of(facts, data))) for _ in range(2))
    assert seen(one) == seen(other)


def ledger_of(facts: list[list[Told]], data: st.DataObject) -> list[Told]:
    orders = [data.draw(st.permutations(range(len(events)))) for events in facts]
    retold = [
        list(told_in_another_order(events, order))
        for events, order in zip(facts, orders, strict=True)
    ]
    return told_in(data, retold)


def seen(host: Host) -> tuple[dict[UUID, Dossier], dict[str, set[object]]]:
    """Return what is shown without what depends on the order in which the ledger was told."""
    states = {
        stream: replace(fold.state_in(row.state), version=0, last_version=0)
        for stream, row in host.folds.items()
    }
    return states, {name: set(map(_unnumbered, rows.values())) for name, rows in host.rows.items()}


def _unnumbered(row: Any) -> Any:  # noqa: ANN401  # a row of any view
    return row._replace(opened_seq=0) if "opened_seq" in row._fields else row

"""The overview as a pure function: what a row shows, and that no split or arrival changes it."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid5

import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from domain.dossier.events import DossierEvent
from domain.envelope import LedgerEvent, Recorded
from projections import dossier_overview as overview
from projections.dossier_overview import DossierOverview
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
from tests.projections.telling import (
    Told,
    batches_of,
    but_for_the_order_of_telling,
    dossiers,
    told_in,
)

QUICK = settings(max_examples=examples(60))
THREE = [uuid5(DOSSIER, str(number)) for number in range(3)]
ACCEPTED = eg.accepted()
AT_WORK = (ACCEPTED, eg.step_started())


def row_of(*events: DossierEvent) -> DossierOverview:
    return overview.project({}, history(*events), rule_book())[DOSSIER]


def as_the_runner_does(batches: Sequence[Sequence[Told]]) -> dict[UUID, DossierOverview]:
    rows: dict[UUID, DossierOverview] = {}
    told: list[Told] = []
    for batch in batches:
        told += batch
        known = {stream: rows[stream] for stream in overview.streams(batch) & rows.keys()}
        again = overview.late(known, batch)
        others = [each for each in batch if each.event.originator_id not in again]
        whole = [each for each in told if each.event.originator_id in again]
        rows |= overview.project(
            {stream: row for stream, row in known.items() if stream not in again},
            [*others, *whole],
            rule_book(),
        )
    return rows


SHOWN: dict[str, tuple[tuple[DossierEvent, ...], dict[str, Any]]] = {
    "registered": (
        (eg.submitted(),),
        {
            "status": 1,
            "channel": "online",
            "procedure": eg.PROCEDURE,
            "receiving_unit": DESK,
            "submitted_at": MORNING,
            "accepted_at": None,
            "units": (DESK,),
            "financial": "none",
            "delivery": "none",
            "synchronisation": "none",
        },
    ),
    "accepted": (
        (ACCEPTED,),
        {
            "status": 2,
            "code": CODE,
            "procedure_version": 1,
            "channel": "direct",
            "receiving_unit": DESK,
            "custodian_unit": DESK,
            "competent_unit": AGENCY,
            "returning_unit": None,
            "units": (DESK, AGENCY),
            "accepted_at": MORNING,
            "printed_due": DUE,
            "first_due": DUE,
            "due": DUE,
            "last_moment": MORNING,
            "irregularities": 0,
        },
    ),
    "not accepted": ((eg.submitted(), eg.intake_refused()), {"status": 3, "irregularities": 0}),
    "in process": (AT_WORK, {"status": 4, "paused_since": None, "last_moment": MORNING + HOUR}),
    "supplement": (
        (ACCEPTED, eg.supplement_requested()),
        {"status": 5, "paused_since": MORNING + HOUR},
    ),
    "supplement before acceptance": (
        (eg.submitted(), eg.supplement_requested()),
        {"status": 5, "paused_since": None, "accepted_at": None},
    ),
    "supplement completed": (
        (ACCEPTED, eg.supplement_requested(), eg.supplement_completed(due=LATER_DUE)),
        {"status": 4, "paused_since": None, "printed_due": DUE, "first_due": LATER_DUE},
    ),
    "obligation": (
        (*AT_WORK, eg.obligation_requested()),
        {"status": 6, "financial": "due", "paused_since": MORNING + 2 * HOUR},
    ),
    "paid": (
        (*AT_WORK, eg.obligation_requested(), eg.payment_recorded()),
        {"status": 4, "financial": "paid", "paused_since": None},
    ),
    "withdrawn": ((ACCEPTED, eg.withdrawn()), {"status": 7, "finished_at": MORNING + HOUR}),
    "stopped": ((*AT_WORK, eg.stopped()), {"status": 8, "finished_at": MORNING + 2 * HOUR}),
    "refused": ((*AT_WORK, eg.resolution_refused()), {"status": 8}),
    "finished": (
        (*AT_WORK, eg.result_at_desk()),
        {
            "status": 9,
            "delivery": "at_desk",
            "finished_at": MORNING + 2 * HOUR,
            "returned_at": None,
        },
    ),
    "returned": (
        (*AT_WORK, eg.result_at_desk(), eg.result_returned()),
        {
            "status": 10,
            "delivery": "returned",
            "finished_at": MORNING + 2 * HOUR,
            "returned_at": MORNING + 3 * HOUR,
        },
    ),
    "undelivered": (
        (*AT_WORK, eg.result_at_desk(), eg.result_returned(), eg.delivery_failed()),
        {"status": 9, "delivery": "failed", "returned_at": None},
    ),
    "rejected": (
        (*AT_WORK, eg.result_at_desk(), eg.result_rejected()),
        {"status": 4, "delivery": "none", "finished_at": None, "irregularities": 0},
    ),
    "another day of return": (
        (*AT_WORK, eg.reappointed(new_due=LATER_DUE)),
        {"due": LATER_DUE, "first_due": DUE, "printed_due": DUE},
    ),
    "in other hands": (
        (ACCEPTED, eg.transfer_offered(), eg.transfer_accepted()),
        {"custodian_unit": AGENCY, "receiving_unit": DESK},
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
        {"status": 1, "due": None, "accepted_at": None, "version": 3},
    ),
}


@pytest.mark.parametrize("shown", SHOWN)
def test_a_row_shows(shown: str) -> None:
    events, expected = SHOWN[shown]
    row = row_of(*events)
    assert {name: getattr(row, name) for name in expected} == expected
    assert row.version == len(events)


def test_a_row_keeps_the_position_of_the_first_event_that_was_told() -> None:
    told: list[Told] = [
        eg.recorded(ACCEPTED, version=1, seq=70, at=MORNING + HOUR),
        eg.recorded(eg.submitted(), version=2, seq=71, at=MORNING),
    ]
    rows = as_the_runner_does([told[:1], told[1:]])
    assert (rows[DOSSIER].opened_seq, rows[DOSSIER].version) == (70, 2)


def test_a_row_carries_the_state_that_the_next_event_meets() -> None:
    row = row_of(*AT_WORK)
    after = overview.project(
        {DOSSIER: row}, history(*AT_WORK, eg.result_at_desk())[2:], rule_book()
    )
    assert after == {DOSSIER: row_of(*AT_WORK, eg.result_at_desk())}
    assert overview.state_of(after[DOSSIER]).result == eg.id_of("result-at-desk")


def test_what_is_no_dossier_has_no_row() -> None:
    entries: list[Recorded[LedgerEvent]] = [
        eg.recorded(each, version=seq, seq=seq) for seq, each in enumerate(eg.registers(), 1)
    ]
    assert overview.streams(entries) == set()
    assert overview.late({}, entries) == set()
    assert overview.project({}, entries, rule_book()) == {}


LATER: dict[str, tuple[DossierEvent, int, bool]] = {
    "what simply follows": (eg.result_at_desk(), 2, False),
    "what happened at the same moment": (eg.result_at_desk(), 1, False),
    "what happened before": (eg.assigned(), 0, True),
    "a correction": (eg.corrected(), 2, True),
    "a rejection": (eg.result_rejected(), 2, True),
}


@pytest.mark.parametrize("what", LATER)
def test_the_whole_stream_is_needed_for_what_does_not_simply_follow(what: str) -> None:
    event, hour, needed = LATER[what]
    news = [eg.recorded(event, version=3, at=MORNING + hour * HOUR)]
    assert overview.late({DOSSIER: row_of(*AT_WORK)}, news) == ({DOSSIER} if needed else set())


def test_the_whole_stream_is_needed_where_its_row_is_missing() -> None:
    told = history(*AT_WORK)
    assert overview.late({}, told) == set()
    assert overview.late({}, told[1:]) == {DOSSIER}


@pytest.mark.parametrize(
    "voiding",
    [
        eg.corrected(corrects="result-at-desk"),
        eg.result_rejected(rejects=eg.id_of("result-at-desk")),
    ],
)
def test_what_was_made_void_before_it_was_told_is_void(voiding: DossierEvent) -> None:
    told = history(*AT_WORK, voiding, eg.result_at_desk())
    assert as_the_runner_does([told[:3], told[3:]]) == as_the_runner_does([told])


@QUICK
@for_all(st.data())
def test_any_split_into_batches_gives_the_same_rows(data: st.DataObject) -> None:
    told = told_in(data, data.draw(dossiers(THREE)))
    rows = as_the_runner_does(batches_of(data, told))
    assert rows == overview.project({}, told, rule_book())
    assert rows.keys() == {each.event.originator_id for each in told}


@QUICK
@for_all(st.data())
def test_any_order_of_arrival_gives_the_same_rows(data: st.DataObject) -> None:
    facts = data.draw(dossiers(THREE))
    first, second = ledger_of(facts, data), ledger_of(facts, data)
    assert seen(first, data) == seen(second, data)


def ledger_of(facts: list[list[Told]], data: st.DataObject) -> list[Told]:
    orders = [data.draw(st.permutations(range(len(events)))) for events in facts]
    retold = [
        list(told_in_another_order(events, order))
        for events, order in zip(facts, orders, strict=True)
    ]
    return told_in(data, retold)


def seen(told: list[Told], data: st.DataObject) -> dict[UUID, object]:
    rows = as_the_runner_does(batches_of(data, told))
    return {stream: but_for_the_order_of_telling(row) for stream, row in rows.items()}

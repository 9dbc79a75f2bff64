"""What the endpoints answer, as types and examples for the documentation; tests hold both to it."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import msgspec
from msgspec import Meta, Struct, field

from api.http.due_answers import DUE_ANSWERS, Count, Moment
from domain.dossier.state import Delivery, Financial, Synchronisation
from domain.envelope import TimePrecision
from domain.rules.procedures import Channel
from streams.wire.examples import DOSSIER, DOSSIER_CODE, EXAMPLES

PortalStatus = Annotated[int, Meta(ge=1, le=10, description="TrangThaiHoSo")]


class Problem(Struct):
    """A refusal (RFC 9457). `status` is HTTP's; the dossier's own is `dossier_status`."""

    type: str
    title: str
    status: Annotated[int, Meta(ge=400, le=599)]
    detail: str
    code: str
    dossier_status: PortalStatus | None = None
    allowed: list[str] = field(default_factory=list)


class Finding(Struct):
    """A step that the state machine does not know: recorded, and said to be irregular."""

    kind: str
    events: list[UUID]
    why: str


class Recorded(Struct):
    """What became of an event."""

    outcome: Literal["recorded", "duplicate"]
    id: str
    dossier: UUID | None
    seq: Count | None
    version: Count | None
    position: Count
    irregularities: list[Finding]


class BatchItem(Struct):
    """What became of one event of a batch, in the order of the batch."""

    id: str | None
    outcome: Literal["recorded", "duplicate", "refused"]
    dossier: UUID | None
    seq: Count | None
    version: Count | None
    problem: Problem | None


class Batch(Struct):
    """What became of a batch: one bad item spoils no other."""

    position: Count
    items: list[BatchItem]


class Done(Struct):
    """The dossier after a command; `version` is what the next If-Match names."""

    id: UUID
    code: str | None
    version: Count
    seq: Count | None
    position: Count
    due: Moment | None


class StoredOutcome(Struct):
    """What became of the command under a key."""

    outcome: Literal["recorded", "no-news", "refused"]
    id: UUID | None
    code: str | None
    version: Count | None
    seq: Count | None
    position: Count
    due: Moment | None
    problem: Problem | None


class DossierItem(Struct):
    """A dossier in a list. It names no person."""

    id: UUID
    code: str | None
    version: Count
    status: PortalStatus | None
    financial: Financial
    delivery: Delivery
    synchronisation: Synchronisation
    procedure: str | None
    procedure_version: int | None
    channel: Channel | None
    receiving_unit: str | None
    competent_unit: str | None
    returning_unit: str | None
    custodian_unit: str | None
    submitted_at: Moment | None
    accepted_at: Moment | None
    printed_due: Moment | None
    first_due: Moment | None
    due: Moment | None
    paused_since: Moment | None
    answer_by: Moment | None
    transfer_answer_by: Moment | None
    pauses: Count
    paused_minutes: Count
    finished_at: Moment | None
    returned_at: Moment | None
    irregularities: list[Finding]


class DossierState(DossierItem):
    """A dossier as of now, folded from its events."""

    position: Count


class DossierList(Struct):
    """A page; `next` is the cursor of the page after it, null at the end."""

    items: list[DossierItem]
    next: str | None


class HistoryItem(Struct):
    """An event in its legal place. `leaf` is its hash in the ledger, in hexadecimal."""

    seq: Count
    version: Count
    id: UUID
    type: str
    occurred_at: Moment
    precision: TimePrecision
    recorded_at: Moment
    actor: str | None
    principal: str
    unit: str | None
    source: str
    source_id: str
    legal_basis: str | None
    data: dict[str, Any]
    voided_by: UUID | None
    leaf: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]


class History(Struct):
    """The events in legal order, as known at `position`."""

    position: Count
    items: list[HistoryItem]


class Hindrance(Struct):
    """A command that the state refuses."""

    command: str
    code: str
    why: str


class NextSteps(Struct):
    """What may happen next, and why not what may not."""

    position: Count
    allowed: list[str]
    refused: list[Hindrance]


class Completion(Struct):
    """All that the public sees of a dossier."""

    code: str
    completion: str
    label: str


class Health(Struct):
    status: Literal["ok"]


class Readiness(Struct):
    status: Literal["ready"]
    position: Count


_FINDING: Final = {
    "kind": "before-acceptance",
    "events": ["2f9c1f6e-58a4-5d3b-8a77-0c6a4b9d1e21"],
    "why": "assigned came before the acceptance.",
}
_PROBLEM: Final = {
    "type": "urn:hoso:problem:unknown-unit",
    "title": "Đơn vị không tồn tại",
    "status": 422,
    "detail": "There is no unit H99 in the organisation register.",
    "code": "unknown-unit",
}
_RECORDED: Final = {"id": "accepted-0001", "dossier": DOSSIER, "seq": 41, "version": 1}
_DONE: Final = {
    "id": DOSSIER,
    "code": DOSSIER_CODE,
    "version": 1,
    "seq": 41,
    "position": 41,
    "due": "2026-03-05T02:15:00Z",
}
_ITEM: Final = {
    "id": DOSSIER,
    "code": DOSSIER_CODE,
    "version": 1,
    "status": 2,
    "financial": "none",
    "delivery": "none",
    "synchronisation": "none",
    "procedure": "1.004193",
    "procedure_version": 1,
    "channel": "direct",
    "receiving_unit": "H44.100.01",
    "competent_unit": "H44.100.02",
    "returning_unit": "H44.100.01",
    "custodian_unit": "H44.100.01",
    "submitted_at": "2026-03-02T02:00:00Z",
    "accepted_at": "2026-03-02T02:15:00Z",
    "printed_due": "2026-03-05T02:15:00Z",
    "first_due": "2026-03-05T02:15:00Z",
    "due": "2026-03-05T02:15:00Z",
    "paused_since": None,
    "answer_by": None,
    "transfer_answer_by": None,
    "pauses": 0,
    "paused_minutes": 0,
    "finished_at": None,
    "returned_at": None,
    "irregularities": [],
}

ANSWERS: Final[Mapping[type[Struct], Mapping[str, Any]]] = {
    Recorded: {
        "outcome": "recorded",
        **_RECORDED,
        "position": 41,
        "irregularities": [_FINDING],
    },
    Batch: {
        "position": 41,
        "items": [
            {"outcome": "recorded", **_RECORDED, "problem": None},
            {
                "id": "accepted-0002",
                "outcome": "refused",
                "dossier": None,
                "seq": None,
                "version": None,
                "problem": _PROBLEM,
            },
        ],
    },
    Done: _DONE,
    StoredOutcome: {"outcome": "recorded", **_DONE, "problem": None},
    DossierState: {**_ITEM, "position": 41},
    DossierList: {"items": [_ITEM], "next": "YmVmb3JlOjQx"},
    History: {
        "position": 41,
        "items": [
            {
                "seq": 41,
                "version": 1,
                "id": "2f9c1f6e-58a4-5d3b-8a77-0c6a4b9d1e21",
                "type": "vn.gov.motcua.dossier.accepted.v1",
                "occurred_at": "2026-03-02T09:15:00+07:00",
                "precision": "second",
                "recorded_at": "2026-03-02T02:15:01Z",
                "actor": "Lê Văn Bình",
                "principal": "token:6d0d2f0e-90d1-4b0e-9a55-5f1f3c1a7b42",
                "unit": "H44.100.01",
                "source": "vn.gov.motcua.example",
                "source_id": "accepted-0001",
                "legal_basis": None,
                "data": EXAMPLES["dossier.accepted.v1"],
                "voided_by": None,
                "leaf": "5f" * 32,
            }
        ],
    },
    NextSteps: {
        "position": 41,
        "allowed": ["assign", "request-supplement"],
        "refused": [
            {"command": "accept", "code": "illegal-transition", "why": "it was accepted before."}
        ],
    },
    **DUE_ANSWERS,
    Completion: {"code": DOSSIER_CODE, "completion": "accepted", "label": "Được tiếp nhận"},
    Health: {"status": "ok"},
    Readiness: {"status": "ready", "position": 41},
    Problem: _PROBLEM,
}


def schemas(ref_template: str) -> dict[str, Any]:
    """Return the JSON Schemas of the answers, by name."""
    _, parts = msgspec.json.schema_components(list(ANSWERS), ref_template=ref_template)
    return parts

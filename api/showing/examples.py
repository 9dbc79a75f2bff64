"""An example of every answer, as documentation shows it; tests hold them to the answers' types."""

from collections.abc import Mapping
from typing import Final

from streams.wire.cloudevents import PREFIX
from streams.wire.examples import DOSSIER, DOSSIER_CODE, EXAMPLES

Example = Mapping[str, object]

_EVENT: Final = "2f9c1f6e-58a4-5d3b-8a77-0c6a4b9d1e21"
_FINDING: Final = {
    "kind": "before-acceptance",
    "events": [_EVENT],
    "why": "assigned came before the acceptance.",
}
PROBLEM: Final[Example] = {
    "type": "urn:hoso:problem:unknown-unit",
    "title": "Đơn vị không tồn tại",
    "status": 422,
    "detail": "There is no unit H99 in the organisation register.",
    "code": "unknown-unit",
}
_RECORDED: Final = {"id": "accepted-0001", "dossier": DOSSIER, "seq": 41, "version": 1}
DONE: Final[Example] = {
    "id": DOSSIER,
    "code": DOSSIER_CODE,
    "version": 1,
    "seq": 41,
    "position": 41,
    "due": "2026-03-05T02:15:00Z",
}
_ITEM: Final[Example] = {
    "id": DOSSIER,
    "code": DOSSIER_CODE,
    "version": 1,
    "status": 2,
    "financial": "none",
    "delivery": "none",
    "synchronisation": "none",
    "procedure": "1.004873",
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

_TERM: Final = {"amount": 3, "unit": "working_day"}
_POLICIES: Final = {"supplement": "restart", "payment": "extend", "cutoff": "none"}
_RULES: Final = {
    "procedure": {
        "code": "1.004873",
        "version": 1,
        "name": "Cấp giấy xác nhận tình trạng hôn nhân",
        "legal_basis": "Nghị định 123/2015/NĐ-CP, Điều 22",
    },
    "calendar": {
        "name": "VN",
        "version": 24,
        "zone": "Asia/Ho_Chi_Minh",
        "units": [],
        "decisions": [],
    },
    "policy": {"version": 0, "legal_basis": "NĐ 61/2018/NĐ-CP"},
}
_DAY: Final = {
    "date": "2026-03-03",
    "minutes": 480,
    "paused_minutes": 0,
    "nth": 1,
    "why": {"vi": "ngày làm việc thứ 1", "en": "working day 1"},
    "code": "worked",
    "codes": ["worked"],
    "decision": None,
}
_TEXT: Final = {
    "vi": ["Hẹn trả kết quả: 09:15 thứ Năm 05/03/2026."],
    "en": ["Due: 09:15 Thursday 05/03/2026."],
}
_STEP: Final = {
    "name": "Xác minh tình trạng hôn nhân",
    "role": "Công chức tư pháp - hộ tịch",
    "hours": 14.0,
    "by": "2026-03-04T09:15:00+07:00",
}
_DUE: Final = "2026-03-05T09:15:00+07:00"
_SHARED: Final = {
    "awaits": None,
    "provisional": False,
    "clock_starts": "2026-03-02T09:15:00+07:00",
    "term": _TERM,
    "policies": _POLICIES,
    "rules": _RULES,
    "steps": [_STEP],
    "days": [_DAY],
    "text": _TEXT,
}


DOSSIER_STATE: Final[Example] = {**_ITEM, "position": 41}
DOSSIER_LIST: Final[Example] = {"items": [_ITEM], "next": "YmVmb3JlOjQx"}
RECORDED: Final[Example] = {
    "outcome": "recorded",
    **_RECORDED,
    "position": 41,
    "irregularities": [_FINDING],
}
BATCH: Final[Example] = {
    "position": 41,
    "items": [
        {"outcome": "recorded", **_RECORDED, "problem": None},
        {
            "id": "accepted-0002",
            "outcome": "refused",
            "dossier": None,
            "seq": None,
            "version": None,
            "problem": PROBLEM,
        },
    ],
}
STORED_OUTCOME: Final[Example] = {"outcome": "recorded", **DONE, "problem": None}
HISTORY: Final[Example] = {
    "position": 41,
    "items": [
        {
            "seq": 41,
            "version": 1,
            "id": _EVENT,
            "type": f"{PREFIX}dossier.accepted.v1",
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
}
NEXT_STEPS: Final[Example] = {
    "position": 41,
    "allowed": ["assign", "request-supplement"],
    "refused": [
        {"command": "accept", "code": "illegal-transition", "why": "it was accepted before."}
    ],
}
COMPLETION: Final[Example] = {
    "code": DOSSIER_CODE,
    "completion": "accepted",
    "label": "Được tiếp nhận",
}
DUE_PREVIEWED: Final[Example] = {"position": 41, "due": _DUE, "explanation": _SHARED}
DUE_DATE: Final[Example] = {
    "position": 41,
    "id": DOSSIER,
    "code": DOSSIER_CODE,
    "state": "running",
    "printed_due": _DUE,
    "first_due": _DUE,
    "due": _DUE,
    "due_if_resumed_now": None,
    **_SHARED,
    "pauses": [
        {
            "kind": "incident",
            "start": "2026-03-02T18:00:00+07:00",
            "end": "2026-03-02T20:00:00+07:00",
            "policy": "extend",
            "asked_by": "6a7d9c0e-51c3-5e0a-9d0a-2b7f0e1c4d33",
            "ended_by": "d2c1b7f4-8a35-5b6e-b1a0-7c5e9f2d6a10",
            "working_minutes": 0,
            "effect": "none",
        }
    ],
    "moves": [
        {
            "event": _EVENT,
            "seq": 41,
            "at": "2026-03-02T02:15:00Z",
            "cause": "accepted",
            "note": None,
            "first_due_before": None,
            "first_due": _DUE,
            "due_before": None,
            "due": _DUE,
            "calendar_version_before": None,
            "calendar_version": 24,
        }
    ],
    "duties": [
        {
            "name": "transfer",
            "by": "2026-03-02T17:00:00+07:00",
            "met_at": "2026-03-02T03:00:00Z",
            "state": "met",
            "legal_basis": "NĐ 61/2018/NĐ-CP, Điều 18; NĐ 309/2026/NĐ-CP, Điều 9",
            "text": {
                "vi": "Chuyển hồ sơ đến cơ quan giải quyết",
                "en": "Hand the dossier over to the competent unit",
            },
        }
    ],
    "problem": None,
}

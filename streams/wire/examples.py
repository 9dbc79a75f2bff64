"""A valid payload of every type of event and command, as documentation and tests show them.

They are from the life of the commune that ships with hoso (`hoso catalogue load commune`): province
H44, commune H44.100 with its desk .01 and its agency .02.
"""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Final

from domain.dossier.chapters import ACT_FOR, COMMANDS
from domain.ledger.stored import EVENTS
from streams.wire.cloudevents import CODE, PREFIX

Payload = Mapping[str, Any]

DOSSIER: Final = "019503e1-7c3a-7d52-9a51-3f0c5b7e2a10"
DOSSIER_CODE: Final = "H44.100-260302-0001"
_EVENT_ID: Final = "2f9c1f6e-58a4-5d3b-8a77-0c6a4b9d1e21"
_GRANT: Final = "6d0d2f0e-90d1-4b0e-9a55-5f1f3c1a7b42"
_PROCEDURE: Final = "1.004873"
_DESK: Final = "H44.100.01"
_AGENCY: Final = "H44.100.02"
_OFFICER: Final = "Lê Văn Bình"
_REQUEST: Final = "BS-2026-0117"
_TRANSFER: Final = "BG-2026-0342"

_OWNER: Final[Payload] = {
    "kind": "citizen",
    "name": "Nguyễn Thị Lan",
    "id_kind": "CCCD",
    "id_number": "044190001234",
    "phone": "0912345678",
    "email": "lan.nguyen@example.vn",
    "address": "Khu 4, xã Hy Cương",
}
_RESULT: Final[Payload] = {
    "code": "KQ.G12.000012",
    "name": "Giấy xác nhận tình trạng hôn nhân",
    "number": "112/XNTTHN",
    "issued_on": "2026-03-04",
}
_COMPONENT: Final[Payload] = {
    "name": "Tờ khai cấp giấy xác nhận tình trạng hôn nhân",
    "code": "000.00.00.G03-KQ0001",
    "originals": 1,
    "attachments": [{"id": "tk-0001", "name": "to-khai.pdf"}],
}

EXAMPLES: Final[Mapping[str, Payload]] = {
    "dossier.submitted.v1": {
        "procedure": _PROCEDURE,
        "channel": "online",
        "receiving_unit": _DESK,
        "owner": _OWNER,
        "components": [_COMPONENT],
        "contents": "Xin xác nhận tình trạng hôn nhân để mua nhà",
        "vneid_authenticated": True,
    },
    "dossier.accepted.v1": {
        "procedure": _PROCEDURE,
        "channel": "direct",
        "receiving_unit": _DESK,
        "competent_unit": _AGENCY,
        "returning_unit": _DESK,
        "code": DOSSIER_CODE,
        "owner": _OWNER,
        "submitter": {"name": "Trần Văn Minh", "id_kind": "CCCD", "id_number": "044088005678"},
        "components": [_COMPONENT],
        "due": "2026-03-05T09:15:00+07:00",
        "contents": "Xin xác nhận tình trạng hôn nhân để mua nhà",
        "fees": [{"amount": 15_000, "name": "Lệ phí hộ tịch", "kind": "lệ phí"}],
        "payment_channel": "at_desk",
        "return_channel": "desk",
        "submitted_at": "2026-03-02T09:00:00+07:00",
    },
    "dossier.intake-refused.v1": {
        "reason": "Không thuộc thẩm quyền giải quyết của Ủy ban nhân dân xã",
        "officer": _OFFICER,
    },
    "dossier.transfer-offered.v1": {
        "to_unit": _AGENCY,
        "from_unit": _DESK,
        "transfer_id": _TRANSFER,
        "work": "Tra cứu sổ hộ tịch và soạn giấy xác nhận",
        "deadline": "2026-03-03T17:00:00+07:00",
        "paper": True,
    },
    "dossier.transfer-accepted.v1": {
        "unit": _AGENCY,
        "transfer_id": _TRANSFER,
        "note": "Đã nhận đủ hồ sơ giấy",
    },
    "dossier.transfer-refused.v1": {
        "reason": "Hồ sơ giấy thiếu so với phiếu bàn giao",
        "unit": _AGENCY,
        "transfer_id": _TRANSFER,
    },
    "dossier.transfer-timed-out.v1": {"transfer_id": _TRANSFER},
    "dossier.assigned.v1": {
        "officer": _OFFICER,
        "unit": _AGENCY,
        "deadline": "2026-03-04T17:00:00+07:00",
        "note": "Ưu tiên xử lý trong ngày",
    },
    "dossier.step-started.v1": {
        "step": "Thẩm định hồ sơ",
        "officer": _OFFICER,
        "position": "Công chức tư pháp - hộ tịch",
        "unit": _AGENCY,
        "deadline": "2026-03-03T17:00:00+07:00",
    },
    "dossier.step-completed.v1": {
        "step": "Thẩm định hồ sơ",
        "officer": _OFFICER,
        "position": "Công chức tư pháp - hộ tịch",
        "unit": _AGENCY,
        "result": "Đủ điều kiện giải quyết",
        "started_at": "2026-03-02T14:00:00+07:00",
    },
    "dossier.supplement-requested.v1": {
        "reason": "Tờ khai chưa ghi số định danh cá nhân",
        "items": ["Tờ khai có số định danh cá nhân"],
        "officer": _OFFICER,
        "officer_phone": "0203123456",
        "answer_by": "2026-03-17T17:00:00+07:00",
        "request_id": _REQUEST,
    },
    "dossier.supplement-completed.v1": {
        "items": ["Tờ khai có số định danh cá nhân"],
        "partial": False,
        "officer": _OFFICER,
        "request_id": _REQUEST,
    },
    "dossier.supplement-expired.v1": {"request_id": _REQUEST},
    "dossier.due-date-recomputed.v1": {
        "cause": "Quyết định nghỉ bù ban hành sau ngày tiếp nhận",
        "moved": {
            "first_due_before": "2026-03-05T09:15:00+07:00",
            "first_due": "2026-03-06T09:15:00+07:00",
            "due_before": "2026-03-05T09:15:00+07:00",
            "due": "2026-03-06T09:15:00+07:00",
            "calendar_before": {"name": "VN", "version": 6},
            "calendar": {"name": "VN", "version": 7},
        },
    },
    "dossier.reappointment-issued.v1": {
        "new_due": "2036-03-10T09:15:00+07:00",
        "reason": "Cần xác minh tại nơi thường trú trước đây",
        "delaying_unit": _AGENCY,
        "signer": "Phạm Thị Dung",
        "number": "07/XL-UBND",
        "notified_by": "sms",
    },
    "dossier.result-approved.v1": {"approver": "Phạm Thị Dung", "documents": [_RESULT]},
    "dossier.result-at-desk.v1": {"documents": [_RESULT], "unit": _DESK, "officer": _OFFICER},
    "dossier.result-rejected.v1": {
        "reason": "Sai ngày sinh trên giấy xác nhận",
        "rejects": _EVENT_ID,
    },
    "dossier.result-returned.v1": {
        "channel": "desk",
        "recipient": _OWNER,
        "documents": [_RESULT],
        "contacts": 1,
        "agencies_contacted": 1,
    },
    "dossier.delivery-failed.v1": {
        "reason": "Người nhận vắng mặt ba lần",
        "parcel_id": "EH123456789VN",
    },
    "dossier.withdrawn.v1": {"reason": "Người nộp không còn nhu cầu"},
    "dossier.stopped.v1": {
        "reason": "Chờ kết quả giải quyết tranh chấp tại tòa án",
        "number": "03/TB-UBND",
    },
    "dossier.resolution-refused.v1": {
        "reason": "Người đề nghị đang có vợ hoặc chồng",
        "documents": [{"name": "Văn bản trả lời", "number": "15/UBND-TP"}],
    },
    "dossier.financial-obligation-requested.v1": {
        "amount": 15_000,
        "obligation_id": "TB-2026-0042",
        "name": "Lệ phí hộ tịch",
        "pay_by": "2026-03-09T17:00:00+07:00",
    },
    "dossier.payment-recorded.v1": {
        "amount": 15_000,
        "channel": "national_portal",
        "obligation_id": "TB-2026-0042",
        "receipt": "BL-0009912",
    },
    "dossier.incident-began.v1": {
        "system": "csdl-ho-tich",
        "reason": "Mất kết nối cơ sở dữ liệu hộ tịch điện tử",
    },
    "dossier.incident-ended.v1": {"system": "csdl-ho-tich"},
    "dossier.competence-transferred.v1": {
        "to_unit": _AGENCY,
        "from_unit": _DESK,
        "reason": "Thẩm quyền thuộc bộ phận tư pháp - hộ tịch",
    },
    "dossier.unit-succeeded.v1": {"predecessor": "H44.100.03", "successor": _AGENCY},
    "dossier.event-corrected.v1": {"corrects": _EVENT_ID, "reason": "Ghi nhầm hồ sơ"},
    "unit.registered.v1": {
        "code": _DESK,
        "name": "Trung tâm Phục vụ hành chính công xã Hy Cương",
        "parent": "H44.100",
        "level": "desk",
        "dossier_prefix": "H44.100",
    },
    "unit.ended.v1": {
        "code": "H44.100.03",
        "ended_at": "2026-07-01T00:00:00+07:00",
        "successors": [_AGENCY],
        "legal_basis": "Nghị quyết 202/2025/QH15",
    },
    "procedure.published.v1": {
        "code": _PROCEDURE,
        "version": 1,
        "name": "Cấp giấy xác nhận tình trạng hôn nhân",
        "field": "Hộ tịch",
        "unit": "H44.100",
        "level": "commune",
        "term": {"amount": 3, "unit": "working_day"},
        "pause_policy": "restart",
        "cutoff_policy": "none",
        "valid_from": "2025-07-01",
        "steps": [
            {"name": "Tiếp nhận hồ sơ", "role": "Công chức tiếp nhận", "hours": 4},
            {
                "name": "Xác minh tình trạng hôn nhân",
                "role": "Công chức tư pháp – hộ tịch",  # noqa: RUF001  # as the catalogue has it
                "hours": 14,
            },
            {"name": "Ký giấy xác nhận", "role": "Lãnh đạo xã", "hours": 4},
            {"name": "Trả kết quả", "role": "Công chức tiếp nhận", "hours": 2},
        ],
        "components": [
            "Tờ khai cấp giấy xác nhận tình trạng hôn nhân",
            "Bản án, quyết định ly hôn (nếu có)",
        ],
        "fees": [{"amount": 15_000, "name": "Lệ phí hộ tịch", "kind": "lệ phí"}],
        "legal_basis": "Nghị định 123/2015/NĐ-CP, Điều 22",
    },
    "calendar.decided.v1": {
        "calendar": "VN",
        "id": "nghi-le-2026",
        "issued": "2025-11-20",
        "off": ["2026-01-01", "2026-02-16", "2026-02-17", "2026-02-18"],
        "working": ["2026-01-10"],
        "title": "Lịch nghỉ lễ, Tết năm 2026",
    },
    "policy.decided.v1": {
        "policy": "VN",
        "issued": "2026-01-05",
        "sessions": ["07:00-11:30", "13:30-17:00"],
        "cutoff": "15:00",
        "supplement_answer_days": 7,
        "transfer_answer_hours": 8,
        "legal_basis": "Quyết định 12/2026/QĐ-UBND",
    },
    "source.registered.v1": {
        "name": "vn.gov.phutho.motcua",
        "unit": "H44.100",
        "title": "Hệ thống thông tin giải quyết thủ tục hành chính tỉnh Phú Thọ",
    },
    "token.granted.v1": {
        "token_id": _GRANT,
        "digest": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "role": "desk",
        "unit": _DESK,
        "expires_at": "2027-03-02T00:00:00+07:00",
    },
    "token.revoked.v1": {"token_id": _GRANT},
    "subject.erased.v1": {
        "subject": "b1f5a8a2-3f6c-4f0b-8d55-0f4f1f6f2b31",
        "ground": "Quyết định 21/QĐ-UBND: hết thời hạn lưu trữ dữ liệu cá nhân",
    },
}

if EXAMPLES.keys() != EVENTS.keys():
    raise TypeError(f"Examples and events differ: {sorted(EXAMPLES.keys() ^ EVENTS.keys())}.")


def command_example(name: str) -> Payload:
    """Return the body of a command: what its event says; the ledger issues code and due date."""
    command = COMMANDS[name]
    said = EXAMPLES[ACT_FOR[command].event.TOPIC]
    can_say = {each.name for each in fields(command)} - {"code", "due"}
    body = {field: value for field, value in said.items() if field in can_say}
    return {**body, "actor": _OFFICER}


def cloud_event(topic: str) -> Payload:
    """Return a whole event of a type, as its source sends it."""
    kind, what, _ = topic.split(".")
    dossier = kind == "dossier"
    subject = {"subject": f"{CODE}{DOSSIER_CODE}"} if dossier else {}
    return {
        "specversion": "1.0",
        "id": f"{what}-0001" if dossier else f"{kind}-{what}-0001",
        "source": "vn.gov.motcua.example",
        "type": PREFIX + topic,
        "time": "2026-03-02T09:15:00+07:00",
        **subject,
        "datacontenttype": "application/json",
        "data": EXAMPLES[topic],
    }


EVENT: Final[Payload] = {
    **cloud_event("dossier.accepted.v1"),
    "timeprecision": "minute",
    "actor": _OFFICER,
    "actingunit": _DESK,
    "legalbasis": "NĐ 61/2018/NĐ-CP, Điều 17",
}
BATCH: Final = (
    EVENT,
    cloud_event("dossier.transfer-offered.v1"),
    cloud_event("dossier.transfer-accepted.v1"),
)
PREVIEW: Final[Payload] = {
    "procedure": _PROCEDURE,
    "received_at": "2026-03-02T09:15:00+07:00",
    "channel": "direct",
}

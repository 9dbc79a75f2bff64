"""The statuses of a dossier: the national portal's codes, and what people see of them."""

from enum import StrEnum
from typing import NamedTuple


class Status(StrEnum):
    """The national portal's codes (TrangThaiHoSo), and 5': a supplement before acceptance."""

    REGISTERED = "1"
    ACCEPTED = "2"
    NOT_ACCEPTED = "3"
    IN_PROCESS = "4"
    SUPPLEMENT = "5"
    INTAKE_SUPPLEMENT = "5'"
    OBLIGATION = "6"
    WITHDRAWN = "7"
    STOPPED = "8"
    FINISHED = "9"
    RETURNED = "10"

    @property
    def portal_code(self) -> int:
        """The number that the portal knows it by: 5 for 5' too."""
        return int(self.rstrip("'"))


class Shown(NamedTuple):
    """What people see: its name on the portal, and the completion level that anybody may ask for.

    The level is all that the public sees (TT 01/2018/TT-VPCP, Điều 16.2.d).
    """

    label: str
    completion: str


SHOWN: dict[Status, Shown] = {
    Status.REGISTERED: Shown("Mới đăng ký", "registered"),
    Status.ACCEPTED: Shown("Được tiếp nhận", "accepted"),
    Status.NOT_ACCEPTED: Shown("Không được tiếp nhận", "not-accepted"),
    Status.IN_PROCESS: Shown("Đang xử lý", "in-process"),
    Status.SUPPLEMENT: Shown("Yêu cầu bổ sung giấy tờ", "waiting-for-applicant"),
    Status.INTAKE_SUPPLEMENT: Shown(
        "Yêu cầu bổ sung giấy tờ trước tiếp nhận", "waiting-for-applicant"
    ),
    Status.OBLIGATION: Shown("Yêu cầu thực hiện nghĩa vụ tài chính", "waiting-for-applicant"),
    Status.WITHDRAWN: Shown("Công dân yêu cầu rút hồ sơ", "withdrawn"),
    Status.STOPPED: Shown("Dừng xử lý", "stopped"),
    Status.FINISHED: Shown("Đã xử lý xong", "finished"),
    Status.RETURNED: Shown("Đã trả kết quả", "returned"),
}
if missing := set(Status) - SHOWN.keys():
    raise TypeError(f"Nobody says what people see of {sorted(missing)}.")

BY_PORTAL_CODE: dict[int, Status] = {
    status.portal_code: status for status in Status if status is not Status.INTAKE_SUPPLEMENT
}
"""The status that a number of the portal stands for; 5 is shown for 5' too."""

BEFORE = frozenset({Status.REGISTERED, Status.INTAKE_SUPPLEMENT})
WORK = frozenset({Status.ACCEPTED, Status.IN_PROCESS})
OPEN = WORK | {Status.SUPPLEMENT, Status.OBLIGATION}
ENDED = frozenset({Status.WITHDRAWN, Status.STOPPED, Status.FINISHED, Status.RETURNED})

From = frozenset[Status | None]
"""Statuses that something may happen from; None: nothing is known of the dossier yet."""

UNOPENED: From = BEFORE | {None}
ANY: From = frozenset({None, *Status})

"""What payloads of several chapters are made of: persons, papers, fees.

Fields follow the forms of TT 01/2018/TT-VPCP (Điều 9) and the synchronisation record of the
national portal, so that no later report finds them missing. Moments are aware datetimes; amounts
are đồng.
"""

from dataclasses import dataclass
from enum import StrEnum

from domain.personal import Personal


class PartyKind(StrEnum):
    CITIZEN = "citizen"
    ENTERPRISE = "enterprise"
    HOUSEHOLD_BUSINESS = "household_business"
    ORGANISATION = "organisation"


class FeeMoment(StrEnum):
    """When a fee is collected (HinhThucThu 1, 2, 4)."""

    INTAKE = "intake"
    SUPPLEMENT = "supplement"
    RETURN = "return"


class PaymentChannel(StrEnum):
    """How it was paid (DuocThanhToanTrucTuyen: portal 1, gateway 2)."""

    AT_DESK = "at_desk"
    POST = "post"
    NATIONAL_PORTAL = "national_portal"
    LOCAL_GATEWAY = "local_gateway"


class ReturnChannel(StrEnum):
    """How a result is handed over (HinhThuc)."""

    DESK = "desk"
    POST = "post"
    ONLINE = "online"


@dataclass(frozen=True, kw_only=True)
class Party:
    """The owner (chủ hồ sơ), the submitter (người nộp) or the recipient of a result."""

    kind: PartyKind | None = None
    name: Personal[str] | None = None
    id_kind: str | None = None
    id_number: Personal[str] | None = None
    phone: Personal[str] | None = None
    email: Personal[str] | None = None
    address: Personal[str] | None = None
    account: Personal[str] | None = None


@dataclass(frozen=True, kw_only=True)
class Attachment:
    id: str
    name: str | None = None
    url: str | None = None


@dataclass(frozen=True, kw_only=True)
class Component:
    """One component of the dossier (thành phần hồ sơ), as counted on form 01."""

    name: str
    code: str | None = None
    originals: int = 0
    certified_copies: int = 0
    photocopies: int = 0
    electronic: bool = False
    digitised: bool = False
    reused: bool = False
    from_national_store: bool = False
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Fee:
    """A fee (phí) or charge (lệ phí), in đồng."""

    amount: int
    code: str | None = None
    name: str | None = None
    kind: str | None = None
    collected_at: FeeMoment = FeeMoment.INTAKE


@dataclass(frozen=True, kw_only=True)
class ResultDocument:
    """A result paper (giấy tờ kết quả): MaKetQua, link, number and day of issue."""

    code: str | None = None
    name: str | None = None
    url: str | None = None
    number: str | None = None
    issued_on: str | None = None
    component_code: str | None = None

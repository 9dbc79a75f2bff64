"""What is said about dates and duties to people, in Vietnamese and English."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from api.showing.refusals import TITLES
from domain.deadlines.wording import moment_text
from domain.dossier.chapters import ACT_OF
from domain.dossier.explanation.judging import DutyName
from domain.dossier.explanation.moves import Move
from domain.errors import DomainError
from domain.words import Language

Words = Mapping[Language, str]

DUTIES: Final[Mapping[DutyName, Words]] = {
    DutyName.ACCEPT_OR_REFUSE: {
        "vi": "Tiếp nhận, yêu cầu bổ sung hoặc từ chối hồ sơ trực tuyến",
        "en": "Accept the online dossier, ask for a supplement, or refuse it",
    },
    DutyName.TRANSFER: {
        "vi": "Chuyển hồ sơ đến cơ quan giải quyết",
        "en": "Hand the dossier over to the competent unit",
    },
    DutyName.ANSWER_TRANSFER: {
        "vi": "Nhận hoặc từ chối hồ sơ được chuyển đến",
        "en": "Take over or refuse the dossier that was handed over",
    },
    DutyName.ASK_FOR_SUPPLEMENT: {
        "vi": "Yêu cầu bổ sung, hoàn thiện hồ sơ (nếu cần)",
        "en": "Ask for a supplement, if one is needed",
    },
    DutyName.ANSWER_SUPPLEMENT: {
        "vi": "Người nộp bổ sung, hoàn thiện hồ sơ",
        "en": "The applicant answers the request for a supplement",
    },
    DutyName.REAPPOINT: {
        "vi": "Xin lỗi và hẹn lại ngày trả kết quả (nếu cần)",
        "en": "Apologise and agree on a new date of return, if one is needed",
    },
}

_STATES: Final[Mapping[str, Words]] = {
    "before-acceptance": {
        "vi": "Hồ sơ chưa được tiếp nhận nên thời hạn chưa bắt đầu"
        " (Nghị định 309/2026/NĐ-CP, Điều 8.3).",
        "en": "Not accepted yet, so no term has begun (Decree 309/2026/NĐ-CP, Article 8.3).",
    },
    "ended": {
        "vi": "Hồ sơ đã kết thúc; các ngày hẹn giữ nguyên như khi kết thúc.",
        "en": "The dossier has ended and keeps the dates that it ended with.",
    },
}
_RESUMED: Final[Words] = {
    "vi": "Nếu thời hạn được tính tiếp ngay, hẹn trả lúc {}.",
    "en": "If it went on now, it would be due at {}.",
}
_PROVISIONAL: Final[Words] = {
    "vi": "Ngày hẹn là tạm tính: thời hạn được tính từ khi {} nhận hồ sơ"
    " (Nghị định 309/2026/NĐ-CP, Điều 8.3).",
    "en": "The date is provisional: the term counts from when {} receives the dossier"
    " (Decree 309/2026/NĐ-CP, Article 8.3).",
}
_PROBLEM: Final[Words] = {
    "vi": "Không tính được ngày hẹn: {title}.",
    "en": "No due date can be computed: {detail}",
}
_DATES: Final[Words] = {
    "vi": "Hẹn in trên giấy tiếp nhận: {printed}; hẹn lần đầu: {first}; hẹn hiện nay: {due}.",
    "en": "Printed on the receipt: {printed}; first due: {first}; due now: {due}.",
}
_MOVED: Final[Words] = {
    "vi": "{at}: {cause}; hẹn trả đổi từ {before} thành {after}.",
    "en": "{at}: {cause}; the due date moves from {before} to {after}.",
}
_STOPPED: Final[Words] = {
    "vi": "{at}: {cause}; thời hạn tạm dừng.",
    "en": "{at}: {cause}; the term stands still.",
}
_SET: Final[Words] = {
    "vi": "{at}: {cause}; hẹn trả {after}.",
    "en": "{at}: {cause}; due {after}.",
}
_NO_DATE: Final[Words] = {"vi": "chưa có", "en": "no date"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Summary:
    """What the lines before the days of an account say."""

    state: str
    zone: ZoneInfo
    printed_due: datetime | None = None
    first_due: datetime | None = None
    due: datetime | None = None
    awaits: str | None = None
    resumed: datetime | None = None
    problem: DomainError | None = None
    moves: Sequence[Move] = ()


def cause_of(move: Move) -> str:
    """Return the kind of event that moved a date: `accepted`, `supplement-completed`."""
    return move.recorded.event.TOPIC.split(".")[1]


def summary_lines(said: Summary, lang: Language) -> list[str]:
    """Return how the dates stand and came to be, a sentence each."""
    lines = [_STATES[said.state][lang]] if said.state in _STATES else []
    if said.problem is not None:
        title = TITLES[said.problem.code]
        lines.append(_PROBLEM[lang].format(title=title, detail=said.problem))
    if said.awaits is not None:
        lines.append(_PROVISIONAL[lang].format(said.awaits))
    if said.resumed is not None:
        lines.append(_RESUMED[lang].format(_shown(said.resumed, said, lang)))
    if said.printed_due or said.first_due or said.due:
        shown = {
            "printed": _shown(said.printed_due, said, lang),
            "first": _shown(said.first_due, said, lang),
            "due": _shown(said.due, said, lang),
        }
        lines.append(_DATES[lang].format_map(shown))
    return [*lines, *(_moved(each, said, lang) for each in said.moves[1:])]


def _moved(move: Move, said: Summary, lang: Language) -> str:
    text = _MOVED
    if move.after.due is None:
        text = _STOPPED
    elif move.before.due is None:
        text = _SET
    return text[lang].format(
        at=_shown(move.recorded.event.timestamp, said, lang),
        cause=ACT_OF[type(move.recorded.event)].cause.by(lang),
        before=_shown(move.before.due, said, lang),
        after=_shown(move.after.due, said, lang),
    )


def _shown(moment: datetime | None, said: Summary, lang: Language) -> str:
    if moment is None:
        return _NO_DATE[lang]
    return moment_text(moment.astimezone(said.zone), lang)

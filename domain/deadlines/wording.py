"""The account of a due date in words, Vietnamese and English, with the articles it rests on."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from itertools import groupby
from typing import Final

from domain.deadlines.explaining import Day, Reason, Why
from domain.deadlines.law import Term, TermUnit
from domain.deadlines.running import Run
from domain.deadlines.terms import Counting
from domain.words import Language

_WEEKDAYS: Final[Mapping[Language, tuple[str, ...]]] = {
    "vi": ("thứ Hai", "thứ Ba", "thứ Tư", "thứ Năm", "thứ Sáu", "thứ Bảy", "Chủ nhật"),
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
}
_UNITS: Final[Mapping[Language, Mapping[TermUnit, str]]] = {
    "vi": {
        TermUnit.WORKING_DAY: "ngày làm việc",
        TermUnit.WORKING_HOUR: "giờ làm việc",
        TermUnit.CALENDAR_DAY: "ngày",
        TermUnit.MONTH: "tháng",
        TermUnit.ELAPSED_HOUR: "giờ",
    },
    "en": {
        TermUnit.WORKING_DAY: "working day",
        TermUnit.WORKING_HOUR: "working hour",
        TermUnit.CALENDAR_DAY: "calendar day",
        TermUnit.MONTH: "month",
        TermUnit.ELAPSED_HOUR: "hour",
    },
}

# {since} and {until} are moments, {from_to} the part of the day they leave, {by} the decision.
_TEXTS: Final[Mapping[Language, Mapping[Why, str]]] = {
    "vi": {
        Why.COUNTED: "tính vào thời hạn",
        Why.WORKED: "tính {length} làm việc",
        Why.ELAPSED: "tính {length}",
        Why.DAY_ZERO: "ngày bắt đầu (không tính), từ {since}{rest} (Bộ luật Dân sự 2015, Điều 147)",
        Why.BEGUN_AGAIN: "tính lại thời hạn từ đầu, từ {since}"
        " (Nghị định 61/2018/NĐ-CP, Điều 19.4)",
        Why.RESTARTED: "không còn tính, vì thời hạn được tính lại từ đầu"
        " (Nghị định 61/2018/NĐ-CP, Điều 19.4)",
        Why.REPLACED: "không còn tính, vì đã có ngày hẹn khác",
        Why.WEEKLY_REST: "nghỉ hằng tuần (Bộ luật Lao động 2019, Điều 111)",
        Why.DAY_OFF: "nghỉ lễ, tết (Bộ luật Lao động 2019, Điều 111, 112){by}",
        Why.CLOSED: "cơ quan không làm việc{by}",
        Why.MADE_UP: "làm việc bù{by}",
        Why.SHORT_DAY: "làm việc theo giờ riêng{by}",
        Why.OUTSIDE_HOURS: "nhận lúc {since}, ngoài giờ làm việc: tính từ {until}",
        Why.AFTER_CUTOFF: "nhận lúc {since}, sau giờ chốt: tính từ ngày làm việc tiếp theo,"
        " {until} (Nghị định 61/2018/NĐ-CP, Điều 18)",
        Why.PAUSED: "tạm dừng tính thời hạn{from_to}",
        Why.NOT_PAUSED: "chờ{from_to}, thời hạn vẫn tính (không tạm dừng;"
        " Nghị định 61/2018/NĐ-CP, Điều 19.5)",
        Why.PAUSED_TOO_LATE: "yêu cầu sau khi hết hạn, không làm thay đổi ngày hẹn",
        Why.ROLLED: "ngày cuối của thời hạn là ngày nghỉ nên thời hạn kết thúc vào ngày làm việc"
        " tiếp theo (Bộ luật Dân sự 2015, Điều 148.5)",
        Why.KEPT: "giữ ngày hẹn đã thông báo, vì ngày tính được sớm hơn",
        Why.STATED: "ngày hẹn do cơ quan ấn định, hệ thống không tính",
        Why.REAPPOINTED: "ngày hẹn lại theo Phiếu xin lỗi và hẹn lại ngày trả kết quả"
        " (Nghị định 61/2018/NĐ-CP, Điều 19.9)",
        Why.SAME_DAY: "trả kết quả trong ngày làm việc; nhận sau giờ chốt thì ngày làm việc tiếp"
        " theo (Luật Hộ tịch 2014, Điều 5.3; Nghị định 23/2015/NĐ-CP, Điều 7)",
        Why.DUE: "hẹn trả kết quả lúc {until}",
    },
    "en": {
        Why.COUNTED: "counts towards the term",
        Why.WORKED: "{length} of working time count",
        Why.ELAPSED: "{length} count",
        Why.DAY_ZERO: "first day, not counted, from {since}{rest} (Civil Code 2015, Article 147)",
        Why.BEGUN_AGAIN: "the term is counted again from the beginning, from {since}"
        " (Decree 61/2018/NĐ-CP, Article 19.4)",
        Why.RESTARTED: "no longer counts: the term was counted again from the beginning"
        " (Decree 61/2018/NĐ-CP, Article 19.4)",
        Why.REPLACED: "no longer counts: another due date was stated",
        Why.WEEKLY_REST: "weekly rest (Labour Code 2019, Article 111)",
        Why.DAY_OFF: "public holiday (Labour Code 2019, Articles 111, 112){by}",
        Why.CLOSED: "the office is closed{by}",
        Why.MADE_UP: "worked in exchange{by}",
        Why.SHORT_DAY: "worked at other hours{by}",
        Why.OUTSIDE_HOURS: "received at {since}, outside office hours: counted from {until}",
        Why.AFTER_CUTOFF: "received at {since}, after the cut-off: counted from the next working"
        " day, {until} (Decree 61/2018/NĐ-CP, Article 18)",
        Why.PAUSED: "the term stands still{from_to}",
        Why.NOT_PAUSED: "waiting{from_to} does not stop the term"
        " (Decree 61/2018/NĐ-CP, Article 19.5)",
        Why.PAUSED_TOO_LATE: "asked for after the due date, which it does not move",
        Why.ROLLED: "the last day of the term is a day off, so the term ends on the next working"
        " day (Civil Code 2015, Article 148.5)",
        Why.KEPT: "the promised date is kept: the computed one is earlier",
        Why.STATED: "the due date was stated by the agency, not computed",
        Why.REAPPOINTED: "the date of the re-appointment (Decree 61/2018/NĐ-CP, Article 19.9)",
        Why.SAME_DAY: "the result is due the same working day, or the next after the cut-off"
        " (Civil Status Law 2014, Article 5.3; Decree 23/2015/NĐ-CP, Article 7)",
        Why.DUE: "due at {until}",
    },
}
_HOURS: Final[Mapping[Language, tuple[str, str]]] = {
    "vi": ("{} giờ", "{} phút"),
    "en": ("{} h", "{} min"),
}
_NTH: Final[Mapping[Language, Mapping[Why, str]]] = {
    "vi": {Why.COUNTED: "ngày thứ {}", Why.WORKED: "ngày làm việc thứ {}"},
    "en": {Why.COUNTED: "day {}", Why.WORKED: "working day {}"},
}


_FROM_TO: Final[Mapping[Language, tuple[str, str, str, str]]] = {
    "vi": (" cả ngày", " đến {until}", " từ {since}", " từ {since} đến {until}"),
    "en": (" all day", " until {until}", " from {since}", " from {since} until {until}"),
}
_EACH: Final[Mapping[Language, str]] = {"vi": "mỗi ngày {}", "en": "{} each day"}
_TO: Final[Mapping[Language, str]] = {"vi": "{} đến {}", "en": "{} to {}"}
_BY: Final[Mapping[Language, str]] = {"vi": " theo quyết định {}", "en": " by decision {}"}
_REST: Final[Mapping[Language, str]] = {"vi": ", còn {} làm việc", "en": ", {} of work left"}
_HEADS: Final[Mapping[Language, str]] = {
    "vi": "Thời hạn giải quyết: {term}, tính từ {starts} (Nghị định 309/2026/NĐ-CP, Điều 8.3).",
    "en": "Term: {term}, counted from {starts} (Decree 309/2026/NĐ-CP, Article 8.3).",
}
_NO_TERM: Final[Mapping[Language, str]] = {"vi": "không có thời hạn ấn định", "en": "none"}
_ENDS: Final[Mapping[Language, str]] = {
    "vi": "Hẹn trả kết quả: {due}.",
    "en": "Due: {due}.",
}
_STANDING: Final[Mapping[Language, str]] = {
    "vi": "Thời hạn đang tạm dừng, nên chưa có ngày hẹn trả kết quả.",
    "en": "The term stands still, so there is no due date yet.",
}
_UNDATED: Final[Mapping[Language, str]] = {
    "vi": "Không có ngày hẹn trả kết quả.",
    "en": "There is no due date.",
}
_WHOLE: Final = frozenset({Why.COUNTED, Why.ELAPSED})
_NATURES: Final = frozenset({Why.WEEKLY_REST, Why.DAY_OFF, Why.CLOSED, Why.MADE_UP, Why.SHORT_DAY})


def day_text(day: Day, lang: Language = "vi") -> str:
    """Return why a day counts or does not, without its date."""
    return "; ".join(_reason_text(each, day, lang) for each in day.reasons)


def explanation_text(
    days: Sequence[Day], counting: Counting, ran: Run, lang: Language = "vi"
) -> list[str]:
    """Return the whole account, a line each: the term, its days, runs of equal ones together."""
    starts = moment_text(ran.clock_starts, lang)
    lines = [_HEADS[lang].format(term=term_text(counting.term, lang), starts=starts)]
    for run in _runs(days):
        span = date_text(run[0].date, lang)
        if len(run) > 1:
            span = _TO[lang].format(span, date_text(run[-1].date, lang))
        lines.append(f"{_capital(span)}: {_run_text(run, lang)}.")
    if ran.due is not None:
        lines.append(_ENDS[lang].format(due=moment_text(ran.due, lang)))
    else:
        lines.append((_STANDING if ran.open else _UNDATED)[lang])
    return lines


def term_text(term: Term | None, lang: Language) -> str:
    if term is None:
        return _NO_TERM[lang]
    plural = "s" if lang == "en" and term.amount > 1 else ""
    return f"{term.amount} {_UNITS[lang][term.unit]}{plural}"


def date_text(day: date, lang: Language) -> str:
    return f"{_WEEKDAYS[lang][day.weekday()]} {day.day:02}/{day.month:02}/{day.year}"


def moment_text(moment: datetime, lang: Language) -> str:
    return f"{_hour(moment)} {date_text(moment, lang)}"


def length_text(minutes: int, lang: Language) -> str:
    hours, rest = divmod(minutes, 60)
    in_hours, in_minutes = _HOURS[lang]
    parts = [in_hours.format(hours)] if hours else []
    if rest or not hours:
        parts.append(in_minutes.format(rest))
    return " ".join(parts)


def _runs(days: Sequence[Day]) -> Iterator[list[Day]]:
    """Yield days that follow each other and are explained alike."""
    last = max((place for place, day in enumerate(days) if day.minutes), default=0)
    told = [day if place == last else _plain(day) for place, day in enumerate(days)]
    for _, run in groupby(told, _likeness):
        yield list(run)


def _plain(day: Day) -> Day:
    """Return a day that counts whole without what else it is: that matters of the last one only."""
    if not any(each.why in _WHOLE for each in day.reasons):
        return day
    reasons = tuple(each for each in day.reasons if each.why not in _NATURES)
    return replace(day, reasons=reasons)


def _likeness(day: Day) -> tuple[object, ...]:
    numbered = day.nth is not None
    return (numbered, None if numbered else day.minutes, day.reasons)


def _run_text(run: Sequence[Day], lang: Language) -> str:
    first, last = run[0], run[-1]
    if first is last:
        return day_text(first, lang)
    return "; ".join(
        _numbers(_NTH[lang][each.why], first.nth, last.nth, lang)
        if first.nth is not None and last.nth is not None and each.why in _NTH[lang]
        else _reason_text(each, first, lang, each_day=True)
        for each in first.reasons
    )


def _numbers(text: str, first: int, last: int, lang: Language) -> str:
    return text.format(_TO[lang].format(first, last))


def _reason_text(reason: Reason, day: Day, lang: Language, *, each_day: bool = False) -> str:
    if day.nth is not None and reason.why in _NTH[lang]:
        return _NTH[lang][reason.why].format(day.nth)
    text = _TEXTS[lang][reason.why]
    if "{" not in text:
        return text
    if "{length}" in text:
        said = text.format(length=length_text(day.minutes, lang))
        return _EACH[lang].format(said) if each_day else said
    if "{by}" in text:
        return text.format(by=_by(reason, lang))
    since, until = _on(reason.since, day, lang), _on(reason.until, day, lang)
    if "{from_to}" in text:
        part = _FROM_TO[lang][2 * bool(since) + bool(until)].format(since=since, until=until)
        return text.format(from_to=part)
    rest = _REST[lang].format(length_text(day.minutes, lang)) if day.minutes else ""
    return text.format(since=since, until=until, rest=rest)


def _by(reason: Reason, lang: Language) -> str:
    if reason.decision is None:
        return ""
    by = _BY[lang].format(reason.decision)
    return f"{by}: {reason.title}" if reason.title else by


def _on(moment: datetime | None, day: Day, lang: Language) -> str:
    """Return a moment as it is told on a day: with its own date only if that is another."""
    if moment is None:
        return ""
    return _hour(moment) if moment.date() == day.date else moment_text(moment, lang)


def _hour(moment: datetime) -> str:
    return f"{moment.hour:02}:{moment.minute:02}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]

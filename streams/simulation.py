"""A made-up week of a commune's one-stop desk: stories of dossiers, told as CloudEvents.

The same seed and week give the same events. Nobody in it exists.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from random import Random
from typing import Any
from uuid import UUID, uuid5

from domain.envelope import VIETNAM, event_id
from streams.wire.cloudevents import PREFIX

SOURCE = "urn:motcua:demo:commune"
_WEEK = UUID("5a5f7e5c-64a8-5c1c-9d2b-0d5c1e7a4c04")
_FAMILY = ("Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Vũ", "Đặng", "Bùi", "Đỗ", "Hồ")
_MIDDLE = ("Văn", "Thị", "Minh", "Thu", "Đức", "Ngọc")
_GIVEN = ("An", "Bình", "Chi", "Dũng", "Giang", "Hà", "Khánh", "Lan", "Nam", "Oanh", "Phúc", "Yến")
_OFFICERS = ("Trần Thu Hà", "Lê Quang Minh", "Phạm Ngọc Bích")

Event = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Commune:
    """Who takes part: the desk, the units behind it, and procedures with their working days."""

    desk: str
    agencies: Sequence[str]
    procedures: Mapping[str, int]


@dataclass(slots=True)
class _Story:
    commune: Commune
    chance: Random
    dossier: UUID
    term: int
    at: datetime
    events: list[Event] = field(default_factory=list)

    def tell(self, what: str, data: dict[str, Any], *, after: float = 0) -> None:
        """Tell the next event, some working hours after the last one."""
        self.at = _later(self.at, after)
        self.events.append(
            {
                "specversion": "1.0",
                "id": f"{self.dossier}/{len(self.events) + 1}",
                "source": SOURCE,
                "type": f"{PREFIX}dossier.{what}.v1",
                "subject": str(self.dossier),
                "time": self.at.isoformat(),
                "datacontenttype": "application/json",
                "actor": self.chance.choice(_OFFICERS),
                "actingunit": data.get("unit", self.commune.desk),
                "data": data,
            }
        )


def week(monday: datetime, commune: Commune, dossiers: int = 60, seed: int = 1) -> list[Event]:
    """Return the events of a week in the order in which they happened."""
    chance = Random(seed)  # noqa: S311  # a story, not a secret
    events = [
        event for number in range(dossiers) for event in _story(monday, commune, chance, number)
    ]
    return sorted(events, key=lambda event: datetime.fromisoformat(event["time"]))


def as_sent(events: Sequence[Event], seed: int = 1) -> Iterator[list[Event]]:
    """Yield what a bad network makes of it: batches with repeats, strays and late arrivals."""
    chance = Random(seed)  # noqa: S311  # a story, not a secret
    late = [event for event in events if chance.random() < 0.08]  # noqa: PLR2004
    kept = {event["id"] for event in late}
    in_time = [event for event in events if event["id"] not in kept]
    for start in range(0, len(in_time), 40):
        batch = in_time[start : start + 40]
        if start and chance.random() < 0.5:  # noqa: PLR2004
            batch = [*batch, *chance.sample(in_time[:start], min(5, start))]  # Sent twice.
        chance.shuffle(batch)
        yield batch
    yield late


def _story(monday: datetime, commune: Commune, chance: Random, number: int) -> list[Event]:
    start = datetime.combine(
        monday.date() + timedelta(days=chance.randrange(4)),
        time(chance.choice((7, 8, 9, 10, 14, 15)), chance.randrange(60)),
        VIETNAM,
    )
    dossier = uuid5(_WEEK, f"{monday:%Y-%m-%d}/{number}")
    person = _person(chance)
    online = chance.random() < 0.4  # noqa: PLR2004
    procedure = chance.choice(list(commune.procedures))
    story = _Story(commune, chance, dossier, commune.procedures[procedure], start)
    if online:
        submitted = {"procedure": procedure, "receiving_unit": commune.desk, "owner": person}
        story.tell("submitted", submitted)
    if online and chance.random() < 0.1:  # noqa: PLR2004
        reason = "Thành phần hồ sơ không đúng quy định."
        story.tell("intake-refused", {"reason": reason}, after=2)
        return story.events
    agency = chance.choice(commune.agencies)
    _intake(story, procedure, agency, person, online=online)
    _ENDINGS[number % len(_ENDINGS)](story, agency)
    return story.events


def _intake(
    story: _Story, procedure: str, agency: str, person: dict[str, str], *, online: bool
) -> None:
    desk = story.commune.desk
    accepted = {
        "procedure": procedure,
        "channel": "online" if online else "direct",
        "receiving_unit": desk,
        "competent_unit": agency,
        "returning_unit": desk,
        "owner": person,
        "components": [{"name": "Tờ khai", "originals": 1, "digitised": True}],
        "vneid_authenticated": online,
    }
    story.tell("accepted", accepted, after=1)
    story.tell("transfer-offered", {"to_unit": agency, "from_unit": desk}, after=0.5)
    story.tell("transfer-accepted", {"unit": agency}, after=0.7)


def _processed(story: _Story, agency: str) -> None:
    story.tell("step-completed", {"step": "Thẩm định hồ sơ", "unit": agency}, after=3)
    story.tell("result-approved", {"approver": "Chủ tịch UBND xã"}, after=2)
    story.tell("result-at-desk", {"unit": story.commune.desk}, after=1)
    story.tell("result-returned", {"channel": "desk", "contacts": 0}, after=2)


def _supplemented(story: _Story, agency: str) -> None:
    reason = "Thiếu bản sao giấy tờ tùy thân."
    story.tell("supplement-requested", {"reason": reason, "items": ["Bản sao"]}, after=2)
    if story.chance.random() < 0.7:  # noqa: PLR2004
        story.tell("supplement-completed", {"items": ["Bản sao"]}, after=6)
        _processed(story, agency)


def _withdrawn(story: _Story, _: str) -> None:
    story.tell("withdrawn", {"reason": "Công dân đề nghị rút hồ sơ."}, after=4)


def _reappointed_twice(story: _Story, agency: str) -> None:
    for days in (5, 10):  # After the first due date: the term has begun already.
        due = _working_day(story.at, story.term + days)
        reason = "Chờ ý kiến cơ quan phối hợp."
        story.tell("reappointment-issued", {"new_due": due.isoformat(), "reason": reason}, after=2)
    story.tell("step-completed", {"step": "Lấy ý kiến", "unit": agency}, after=2)


def _told_after_the_end(story: _Story, agency: str) -> None:
    _processed(story, agency)
    story.tell("step-completed", {"step": "Lưu hồ sơ", "unit": agency}, after=1)


def _corrected(story: _Story, agency: str) -> None:
    story.tell("step-completed", {"step": "Thẩm định (ghi nhầm hồ sơ)", "unit": agency}, after=2)
    wrong = event_id(SOURCE, story.events[-1]["id"])
    correction = {"corrects": str(wrong), "reason": "Ghi nhầm hồ sơ."}
    story.tell("event-corrected", correction, after=1)
    _processed(story, agency)


_ENDINGS = (
    _processed,
    _processed,
    _supplemented,
    _processed,
    _corrected,
    _processed,
    _withdrawn,
    _processed,
    _told_after_the_end,
    _processed,
    _reappointed_twice,
    _processed,
)


def _person(chance: Random) -> dict[str, str]:
    words = (chance.choice(_FAMILY), chance.choice(_MIDDLE), chance.choice(_GIVEN))
    return {
        "name": " ".join(words),
        "id_kind": "cccd",
        "id_number": f"0{chance.randrange(10**10, 10**11)}",
        "phone": f"09{chance.randrange(10**7, 10**8)}",
    }


def _later(at: datetime, hours: float) -> datetime:
    """Add office hours, roughly: 07:00 to 17:00, Monday to Friday."""
    at += timedelta(hours=hours)
    if at.time() >= time(17):
        at = datetime.combine(at.date() + timedelta(days=1), time(7, at.minute), at.tzinfo)
    while at.weekday() >= 5:  # noqa: PLR2004  # Saturday
        at += timedelta(days=1)
    return at


def _working_day(at: datetime, days: int) -> datetime:
    """Return the late afternoon of a day so many working days later."""
    day = at.date()
    while days > 0:
        day += timedelta(days=1)
        days -= day.weekday() < 5  # noqa: PLR2004  # Saturday
    return datetime.combine(day, time(16), at.tzinfo)

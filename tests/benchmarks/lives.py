"""Lives of dossiers in a made-up province, seeded: the same seed tells the same lives.

Two in five are interrupted by supplements, so that clocks pause; one in fifteen is withdrawn. A
life is told in steps, each a command and the fact that it records: what is measured through HTTP,
from files and in bulk is the same.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from random import Random
from typing import Final

from domain.dossier.chapters import ACT_FOR, COMMANDS

PROVINCE: Final = "H44"
_PROCEDURES: Final = {
    "2.000815": 35,  # Eight working hours, and no pause counts.
    "1.001193": 20,  # Eight working hours.
    "1.004873": 20,  # Three working days.
    "1.001776": 10,  # Ten working days.
    "1.009994": 10,  # Fifteen, from the next day on.
    "1.003554": 5,  # Thirty calendar days.
}
_OFFICERS: Final = ("Trần Thu Hà", "Lê Quang Minh", "Phạm Ngọc Bích", "Vũ Đức Nam")
_STEPS: Final = ("Thẩm định hồ sơ", "Lấy ý kiến phối hợp", "Trình ký")
_TOPICS: Final[Mapping[str, str]] = {
    name: ACT_FOR[command].event.TOPIC for name, command in COMMANDS.items()
}


@dataclass(frozen=True, slots=True)
class Commune:
    """Where dossiers live: a desk takes them in, an agency works on them."""

    code: str

    @property
    def desk(self) -> str:
        return f"{self.code}.01"

    @property
    def agency(self) -> str:
        return f"{self.code}.02"


COMMUNES: Final = tuple(Commune(f"{PROVINCE}.{number}") for number in range(200, 400))
SKEWED: Final = tuple(accumulate(1 / rank for rank in range(1, len(COMMUNES) + 1)))
_KINDS: Final = {"0": 45, "1": 28, "2": 10, "3": 2, "at once": 8, "withdrawn": 7}


@dataclass(frozen=True, slots=True)
class Step:
    """A command and what it says; `after` are the hours since the step before."""

    command: str
    unit: str
    officer: str
    said: Mapping[str, object]
    after: float

    @property
    def topic(self) -> str:
        """The stored name of the event that it records."""
        return _TOPICS[self.command]


@dataclass(frozen=True, slots=True)
class Life:
    commune: Commune
    steps: tuple[Step, ...]


def lives(seed: int, *, personal: bool = False) -> Iterator[Life]:
    """Yield lives without end; communes by Zipf. `personal`: with the owner's personal values."""
    chance = Random(seed)
    while True:
        (commune,) = chance.choices(COMMUNES, cum_weights=SKEWED)
        yield _Telling(commune, chance, personal=personal).life()


def long_life(events: int) -> Life:
    """Return a life of so many events; it comes to no end."""
    return _Telling(COMMUNES[0], Random(1), personal=False).going_on(events)


def open_life(procedure: str) -> Life:
    """Return a dossier of a procedure that was taken in, and begun."""
    return _Telling(COMMUNES[0], Random(1), personal=False).begun(procedure)


class _Telling:
    def __init__(self, commune: Commune, chance: Random, *, personal: bool) -> None:
        self._commune = commune
        self._chance = chance
        self._owner = {"owner": _person(chance)} if personal else {}
        self._officer = chance.choice(_OFFICERS)
        self._steps: list[Step] = []

    def life(self) -> Life:
        (kind,) = self._chance.choices(tuple(_KINDS), tuple(_KINDS.values()))
        self._accepted(self._procedure())
        if kind == "at once":
            self._step(_STEPS[0], self._commune.desk)
            self._ended()
            return self._told()
        self._handed_over()
        if kind == "withdrawn":
            reason = "Công dân đề nghị rút hồ sơ."
            self._tell("withdraw", self._commune.desk, {"reason": reason})
            return self._told()
        self._worked_on(int(kind))
        self._tell("approve-result", self._commune.agency, {"approver": "Chủ tịch UBND xã"})
        self._ended()
        return self._told()

    def going_on(self, events: int) -> Life:
        self._accepted(self._procedure())
        self._handed_over()
        while len(self._steps) < events:
            self._worked_on(2)
        return Life(self._commune, tuple(self._steps[:events]))

    def begun(self, procedure: str) -> Life:
        self._accepted(procedure)
        self._step(_STEPS[0], self._commune.desk)
        return self._told()

    def _told(self) -> Life:
        return Life(self._commune, tuple(self._steps))

    def _tell(self, command: str, unit: str, said: Mapping[str, object], longest: int = 6) -> None:
        after = self._chance.uniform(0.2, longest) if self._steps else 0.0
        self._steps.append(Step(command, unit, self._officer, said, after))

    def _procedure(self) -> str:
        (procedure,) = self._chance.choices(tuple(_PROCEDURES), tuple(_PROCEDURES.values()))
        return procedure

    def _accepted(self, procedure: str) -> None:
        desk = self._commune.desk
        said = {
            "procedure": procedure,
            "channel": self._chance.choice(("online", "direct", "post")),
            "receiving_unit": desk,
            "competent_unit": self._commune.agency,
            "returning_unit": desk,
            "components": [{"name": "Tờ khai", "originals": 1, "digitised": True}],
            **self._owner,
        }
        self._tell("accept", desk, said)

    def _handed_over(self) -> None:
        desk, agency = self._commune.desk, self._commune.agency
        self._tell("offer-transfer", desk, {"to_unit": agency, "from_unit": desk})
        self._tell("accept-transfer", agency, {"unit": agency})
        self._tell("assign", agency, {"officer": self._officer, "unit": agency})

    def _worked_on(self, supplements: int) -> None:
        """Tell the steps of the work, and the supplements asked for between them."""
        waits: Sequence[int] = sorted(self._chance.sample(range(3), supplements))
        for place, step in enumerate(_STEPS):
            if place in waits:
                self._supplemented()
            self._step(step, self._commune.agency)

    def _step(self, step: str, unit: str) -> None:
        self._tell("complete-step", unit, {"step": step, "officer": self._officer, "unit": unit})

    def _supplemented(self) -> None:
        items = ["Bản sao giấy tờ tùy thân"]
        reason = "Thiếu bản sao giấy tờ tùy thân."
        self._tell("request-supplement", self._commune.agency, {"reason": reason, "items": items})
        self._tell("complete-supplement", self._commune.desk, {"items": items}, longest=72)

    def _ended(self) -> None:
        desk = self._commune.desk
        self._tell("deliver-result", desk, {"unit": desk, "officer": self._officer})
        handed = {"channel": "desk", "contacts": self._chance.randrange(3)}
        recipient = {"recipient": self._owner["owner"]} if self._owner else {}
        self._tell("return-result", desk, {**handed, **recipient}, longest=24)


def _person(chance: Random) -> dict[str, str]:
    return {
        "name": f"Nguyễn Văn {chance.choice(('An', 'Bình', 'Chi', 'Dũng', 'Giang', 'Hà'))}",
        "id_kind": "CCCD",
        "id_number": f"0{chance.randrange(10**10, 10**11)}",
        "phone": f"09{chance.randrange(10**7, 10**8)}",
        "address": f"Thôn {chance.randrange(1, 20)}",
    }

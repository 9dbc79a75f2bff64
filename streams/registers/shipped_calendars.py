"""The calendar decisions that ship with the ledger, as data: read, never computed."""

from contextlib import suppress
from pathlib import Path
from typing import Final

from domain.errors import CalendarContradicts, RulesChanged
from domain.ledger.access import Sender
from domain.ledger.appends import Now, Store
from domain.ledger.messages import Entry
from domain.ledger.registering import Registers
from domain.ledger.sameness import Identity
from domain.rules.calendars import CalendarDecided
from domain.rules.rule_book import RuleBook
from domain.rules.tokens import Role
from streams.registers.catalogue_files import load_catalogue

SHIPPED: Final = Path(__file__).parent / "calendars" / "vietnam.toml"
SOURCE: Final = "urn:hoso:shipped-calendar"


def shipped_calendars() -> list[CalendarDecided]:
    """Return the shipped decisions, in the file's order; proposals apply only once confirmed."""
    return [entry for entry in load_catalogue(SHIPPED) if isinstance(entry, CalendarDecided)]


async def ship_calendars(store: Store, now: Now) -> int:
    """Record each shipped decision that the ledger has in no form, once for ever; count these.

    What an operator decided stays, also where a shipped decision would contradict it.
    """
    registers = Registers(store, now)
    lacking = [each for each in shipped_calendars() if not _is_held(each, store.rules)]
    recorded = 0
    for entry in lacking:
        with suppress(CalendarContradicts, RulesChanged):  # Whoever opens it next looks again.
            became = await registers.record(_told(entry, store.rules, now))
            recorded += not became.repeated
    if lacking:
        await store.read()
    return recorded


def _is_held(decision: CalendarDecided, rules: RuleBook) -> bool:
    return any(each.id == decision.id for each in rules.calendars.get(decision.calendar, ()))


def _told(entry: CalendarDecided, rules: RuleBook, now: Now) -> Entry:
    """Tell a decision under an identity: beaten by another process, it is not applied again."""
    name = f"{entry.calendar}/{entry.id}"
    return Entry(
        event=entry,
        source=SOURCE,
        source_id=name,
        stated=now(),
        sender=Sender.machine("machine", Role.ADMINISTRATOR, rules),
        key=Identity(scope=f"source:{SOURCE}", key=name, digest=lambda _: b""),
    )

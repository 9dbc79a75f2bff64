"""Every event that the ledger keeps, by its stored name."""

from collections.abc import Mapping
from typing import Final

from domain.dossier.chapters import DOSSIER_EVENTS
from domain.envelope import LedgerEvent
from domain.rules.registers import REGISTER_EVENTS

EVENTS: Final[Mapping[str, type[LedgerEvent]]] = {
    event.TOPIC: event for event in (*DOSSIER_EVENTS, *REGISTER_EVENTS)
}
"""Every stored name that is released, and its newest class."""

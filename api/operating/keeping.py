"""In whose name the machine keeps the registers: no token is asked."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from domain.envelope import Meta
from domain.ledger.registering import Keeper

KEEPER = Keeper(principal="machine", source="urn:hoso:command-line")


_UNSAID = Meta(event_id=UUID(int=0), source="", source_id="", principal="")


SAID_NOTHING: dict[str, Any] = {
    "originator_id": _UNSAID.event_id,
    "originator_version": 0,
    "timestamp": datetime.fromtimestamp(0, UTC),
    "meta": _UNSAID,
}

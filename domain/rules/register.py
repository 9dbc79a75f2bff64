"""The streams of the registers: one for each entry, in the one ledger.

So the rules' own history is audited too.
"""

from uuid import UUID, uuid5

_VERSION_BITS = 76
_OURS = 8
_STREAMS = UUID("5a5f7e5c-64a8-5c1c-9d2b-0d5c1e7a4c02")


def stream_of(category: str, name: str) -> UUID:
    """Return the stream of a register's entry. The same on every ledger.

    It is a UUID of version 8 (RFC 9562), which no dossier may have: nobody can name a register's
    stream as a dossier.
    """
    named = uuid5(_STREAMS, f"{category}/{name}").int
    return UUID(int=named & ~(0xF << _VERSION_BITS) | _OURS << _VERSION_BITS)


def is_register(stream: UUID) -> bool:
    """Say whether a stream's id is one of those that only registers have."""
    return stream.version == _OURS

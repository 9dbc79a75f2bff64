"""The leaf of an event: the hash that binds it to its stream and to its ledger.

`leaf = SHA-256(0x00 ‖ entry)`: RFC 6962, so that leaf index `seq - 1` of one Merkle tree is the
event `seq`. Test vectors: docs/leaf-vectors.json.
"""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from struct import Struct, pack
from uuid import UUID

FORMAT_VERSION = 1
NO_LEAF = bytes(32)
"""What stands for the previous leaf before the first event of a stream."""

_STREAM = Struct(">BI16sI16s")
_VERSION = Struct(">qI")
_CONTENT = Struct(">qqI32s")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@lru_cache(maxsize=1024)  # The events of a batch share most of their times.
def micros(moment: datetime) -> int:
    """Return microseconds since 1970-01-01T00:00Z, exactly."""
    return (moment - _EPOCH) // _MICROSECOND


def entry(
    ledger_id: UUID,
    stream_id: UUID,
    version: int,
    previous: bytes,
    topic: str,
    occurred_at: datetime,
    recorded_at: datetime,
    data: bytes,
) -> bytes:
    """Return the bytes that a leaf hashes.

    format version (1 byte) ‖ ledger id ‖ stream id (length-prefixed, 16 bytes each) ‖ version
    (int64) ‖ previous leaf (length-prefixed) ‖ type (length-prefixed UTF-8) ‖ occurred_at ‖
    recorded_at (int64 µs UTC) ‖ SHA-256(data) (length-prefixed). Length prefixes are uint32; every
    integer is big-endian.
    """
    return b"".join(
        (
            _STREAM.pack(FORMAT_VERSION, 16, ledger_id.bytes, 16, stream_id.bytes),
            _VERSION.pack(version, len(previous)),
            previous,
            _prefixed(topic),
            _CONTENT.pack(micros(occurred_at), micros(recorded_at), 32, sha256(data).digest()),
        )
    )


@lru_cache(maxsize=256)
def _prefixed(text: str) -> bytes:
    encoded = text.encode()
    return pack(">I", len(encoded)) + encoded


def leaf_hash(entry_bytes: bytes) -> bytes:
    return sha256(b"\x00" + entry_bytes).digest()

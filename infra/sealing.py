"""Sealing of personal values: AES-256-GCM that commits to its key."""

from base64 import b64decode, b64encode
from hashlib import sha256
from hmac import compare_digest
from hmac import digest as hmac
from os import urandom
from struct import pack
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE = 12
_COMMITMENT = 32


class SealBroken(Exception):
    """The sealed bytes do not open under this key at this place."""

    def __init__(self) -> None:
        super().__init__(
            "What is sealed does not open: another key sealed it, or its bytes were changed."
        )


def place(ledger_id: UUID, stream_id: UUID, topic: str, field: str) -> bytes:
    """Return the additional data that ties a sealed value to where it stands."""
    parts = (ledger_id.bytes, stream_id.bytes, topic.encode(), field.encode())
    return b"".join(pack(">I", len(part)) + part for part in parts)


def seal(value: str, key: bytes, where: bytes) -> bytes:
    """Return key commitment ‖ nonce ‖ ciphertext.

    AES-GCM alone does not commit to its key: without the commitment an operator could open the same
    proven bytes as different texts.
    """
    nonce = urandom(_NONCE)
    encrypted = AESGCM(_derived(key, b"encryption")).encrypt(nonce, value.encode(), where)
    return _commitment(key, nonce) + nonce + encrypted


def unseal(sealed: bytes, key: bytes, where: bytes) -> str:
    """Return the value, or raise SealBroken."""
    commitment = sealed[:_COMMITMENT]
    nonce, encrypted = sealed[_COMMITMENT : _COMMITMENT + _NONCE], sealed[_COMMITMENT + _NONCE :]
    if not compare_digest(commitment, _commitment(key, nonce)):
        raise SealBroken
    try:
        return AESGCM(_derived(key, b"encryption")).decrypt(nonce, encrypted, where).decode()
    except InvalidTag as error:
        raise SealBroken from error


def _derived(key: bytes, purpose: bytes) -> bytes:
    return hmac(key, purpose, sha256)


def _commitment(key: bytes, nonce: bytes) -> bytes:
    return hmac(key, b"commitment" + nonce, sha256)


class MasterKey:
    """The one secret that is not in the database. What it derives never leaves this object."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) != 32:  # noqa: PLR2004  # AES-256
            raise ValueError("The master key must have 32 bytes.")
        self._wrapping = AESGCM(_derived(secret, b"hoso wrapping"))
        self._lookup = _derived(secret, b"hoso lookup")
        self._digest = _derived(secret, b"hoso digest")

    @classmethod
    def from_text(cls, text: str) -> "MasterKey":
        return cls(b64decode(text, validate=True))

    @staticmethod
    def new_text() -> str:
        return b64encode(urandom(32)).decode()

    def wrap(self, key: bytes, subject: UUID, stream_id: UUID) -> bytes:
        nonce = urandom(_NONCE)
        return nonce + self._wrapping.encrypt(nonce, key, subject.bytes + stream_id.bytes)

    def unwrap(self, wrapped: bytes, subject: UUID, stream_id: UUID) -> bytes:
        """Return the key, or raise SealBroken (another master key wrapped it)."""
        try:
            return self._wrapping.decrypt(
                wrapped[:_NONCE], wrapped[_NONCE:], subject.bytes + stream_id.bytes
            )
        except (InvalidTag, ValueError) as error:
            raise SealBroken from error

    def lookup_hash(self, kind: str, value: str) -> bytes:
        """Return the keyed hash by which a person is found, beside the ledger."""
        return hmac(self._lookup, kind.encode() + b"\0" + value.encode(), sha256)

    def content_digest(self, content: bytes) -> bytes:
        """Return the keyed digest of a request, so that stored digests tell nobody its content."""
        return hmac(self._digest, content, sha256)

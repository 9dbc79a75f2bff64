"""A sealed value opens under one key at one place, or not at all."""

from base64 import b64encode
from hashlib import sha256
from hmac import digest as hmac
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from infra.sealing import MasterKey, SealBroken, place, seal, unseal
from tests.examples import DOSSIER, LAN, LEDGER

KEY = bytes(range(32))
OTHER_KEY = bytes(range(1, 33))
WHERE = place(LEDGER, DOSSIER, "dossier.accepted.v1", "owner.name")
NAME = "Nguyễn Thị Ánh"
NOBODY = UUID(int=0)
NONCE_AT = 32
CIPHERTEXT_AT = 44


@pytest.mark.parametrize("value", ["", NAME, "0" * 10_000, "\x00\u200b😀"])
def test_what_was_sealed_opens_under_its_key_at_its_place(value: str) -> None:
    sealed = seal(value, KEY, WHERE)
    assert unseal(sealed, KEY, WHERE) == value


def test_the_same_value_is_never_sealed_alike() -> None:
    first, second = seal(NAME, KEY, WHERE), seal(NAME, KEY, WHERE)
    assert first[:NONCE_AT] != second[:NONCE_AT]
    assert first[NONCE_AT:CIPHERTEXT_AT] != second[NONCE_AT:CIPHERTEXT_AT]
    assert first[CIPHERTEXT_AT:] != second[CIPHERTEXT_AT:]


@pytest.mark.parametrize(
    "elsewhere",
    [
        place(NOBODY, DOSSIER, "dossier.accepted.v1", "owner.name"),
        place(LEDGER, NOBODY, "dossier.accepted.v1", "owner.name"),
        place(LEDGER, DOSSIER, "dossier.submitted.v1", "owner.name"),
        place(LEDGER, DOSSIER, "dossier.accepted.v1", "owner.phone"),
        b"",
    ],
    ids=["another ledger", "another stream", "another event", "another field", "nowhere"],
)
def test_a_value_that_was_moved_does_not_open(elsewhere: bytes) -> None:
    with pytest.raises(SealBroken):
        unseal(seal(NAME, KEY, WHERE), KEY, elsewhere)


def test_places_are_told_apart_wherever_a_name_ends() -> None:
    assert place(LEDGER, DOSSIER, "ab", "c") != place(LEDGER, DOSSIER, "a", "bc")


def test_another_key_does_not_open() -> None:
    with pytest.raises(SealBroken):
        unseal(seal(NAME, KEY, WHERE), OTHER_KEY, WHERE)


def test_a_flipped_bit_anywhere_is_refused() -> None:
    sealed = seal(NAME, KEY, WHERE)
    for byte in range(len(sealed)):
        for bit in range(8):
            changed = bytearray(sealed)
            changed[byte] ^= 1 << bit
            with pytest.raises(SealBroken):
                unseal(bytes(changed), KEY, WHERE)


def test_bytes_that_are_missing_or_too_many_are_refused() -> None:
    sealed = seal(NAME, KEY, WHERE)
    for damaged in (*(sealed[:length] for length in range(len(sealed))), sealed + b"\x00"):
        with pytest.raises(SealBroken):
            unseal(damaged, KEY, WHERE)


def test_a_ciphertext_that_opens_under_a_second_key_is_refused_by_its_commitment() -> None:
    # AES-GCM itself opens these bytes under the second key; the commitment names the first.
    sealed = seal(NAME, KEY, WHERE)
    nonce = sealed[NONCE_AT:CIPHERTEXT_AT]
    under_the_second = AESGCM(_encryption_key(OTHER_KEY)).encrypt(nonce, b"another name", WHERE)
    crafted = sealed[:CIPHERTEXT_AT] + under_the_second
    assert AESGCM(_encryption_key(OTHER_KEY)).decrypt(nonce, under_the_second, WHERE)
    for key in (KEY, OTHER_KEY):
        with pytest.raises(SealBroken):
            unseal(crafted, key, WHERE)


def test_the_commitment_of_another_key_does_not_make_a_ciphertext_its_own() -> None:
    sealed, other = seal(NAME, KEY, WHERE), seal(NAME, OTHER_KEY, WHERE)
    nonce = sealed[NONCE_AT:CIPHERTEXT_AT]
    for commitment in (other[:NONCE_AT], hmac(OTHER_KEY, b"commitment" + nonce, sha256)):
        crafted = commitment + sealed[NONCE_AT:]
        for key in (KEY, OTHER_KEY):
            with pytest.raises(SealBroken):
                unseal(crafted, key, WHERE)


def test_the_commitment_is_what_stands_between_two_openings() -> None:
    # Only who names the key in the commitment opens: the same bytes never open under both.
    nonce = bytes(12)
    under_the_second = AESGCM(_encryption_key(OTHER_KEY)).encrypt(nonce, b"another name", WHERE)
    honest = hmac(OTHER_KEY, b"commitment" + nonce, sha256) + nonce + under_the_second
    assert unseal(honest, OTHER_KEY, WHERE) == "another name"
    with pytest.raises(SealBroken):
        unseal(honest, KEY, WHERE)


def _encryption_key(key: bytes) -> bytes:
    return hmac(key, b"encryption", sha256)


def test_a_wrapped_key_opens_for_its_subject_in_its_stream_only() -> None:
    master = MasterKey(KEY)
    wrapped = master.wrap(OTHER_KEY, LAN, DOSSIER)
    assert master.unwrap(wrapped, LAN, DOSSIER) == OTHER_KEY
    for subject, stream in ((NOBODY, DOSSIER), (LAN, NOBODY), (DOSSIER, LAN)):
        with pytest.raises(SealBroken):
            master.unwrap(wrapped, subject, stream)


def test_another_master_key_unwraps_nothing() -> None:
    with pytest.raises(SealBroken):
        MasterKey(OTHER_KEY).unwrap(MasterKey(KEY).wrap(KEY, LAN, DOSSIER), LAN, DOSSIER)


def test_a_flipped_bit_of_a_wrapped_key_is_refused() -> None:
    master = MasterKey(KEY)
    wrapped = master.wrap(OTHER_KEY, LAN, DOSSIER)
    for byte in range(len(wrapped)):
        changed = bytearray(wrapped)
        changed[byte] ^= 1
        with pytest.raises(SealBroken):
            master.unwrap(bytes(changed), LAN, DOSSIER)


def test_a_master_key_is_read_as_it_was_written() -> None:
    text = MasterKey.new_text()
    wrapped = MasterKey.from_text(text).wrap(KEY, LAN, DOSSIER)
    assert MasterKey.from_text(text).unwrap(wrapped, LAN, DOSSIER) == KEY
    assert MasterKey.new_text() != text


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_a_master_key_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        MasterKey.from_text(b64encode(bytes(length)).decode())


def test_a_master_key_that_is_not_base64_is_refused() -> None:
    with pytest.raises(ValueError, match=r"(?i)base64|padding|characters"):
        MasterKey.from_text("this is no key!")


def test_people_are_found_by_a_keyed_hash_of_kind_and_value() -> None:
    master = MasterKey(KEY)
    found = master.lookup_hash("phone", "0900000001")
    assert found == MasterKey(KEY).lookup_hash("phone", "0900000001")
    others = {
        master.lookup_hash("phone", "0900000002"),
        master.lookup_hash("id_number", "0900000001"),
        MasterKey(OTHER_KEY).lookup_hash("phone", "0900000001"),
        master.content_digest(b"phone\x000900000001"),
    }
    assert len(others - {found}) == 4

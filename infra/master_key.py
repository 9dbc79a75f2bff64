"""The file of the master key, and the check value by which the ledger knows its own key."""

import os
import stat
from contextlib import suppress
from hmac import compare_digest
from pathlib import Path
from tempfile import mkstemp
from typing import Final
from uuid import UUID

import asyncpg

from infra.sealing import MasterKey, SealBroken
from infra.settings import SettingsError

_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_CHECKED: Final = b"hoso master key"


class WrongMasterKey(SettingsError):
    """The file holds a key, but not the one that sealed what the ledger holds."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"The master key in {path} is not the one this ledger was sealed with. "
            "Put the right one back."
        )


async def known_master_key(pool: asyncpg.Pool, path: Path, *, make: bool = False) -> MasterKey:
    """Return the key of a file, which is this ledger's; raise SettingsError for any other.

    Like ssh it refuses a file that others may read or write.

    `make`: where nothing was ever sealed, a missing file is made, for its owner only. Of processes
    that start at once, all get the same key.
    """
    stored = await _check_value(pool)
    sealed = await pool.fetchrow(
        "SELECT wrapped, subject, stream_id FROM ledger.subject_key LIMIT 1"
    )
    key = _read(path)
    if key is None:
        if stored is not None or sealed is not None:
            raise SettingsError(
                f"The master key file {path} is gone; this ledger was sealed with it. Put it back."
            )
        if not make:
            raise SettingsError(f"The master key file {path} does not exist.")
        key = _made(path)
    if stored is None:
        if sealed is not None:  # Sealed before check values were kept.
            _refuse_other(key, sealed, path)
        await pool.execute(
            "INSERT INTO ledger.master_key (digest) VALUES ($1) ON CONFLICT DO NOTHING",
            key.content_digest(_CHECKED),
        )
        stored = await _check_value(pool)
    if stored is None or not compare_digest(stored, key.content_digest(_CHECKED)):
        raise WrongMasterKey(path)
    return key


async def _check_value(pool: asyncpg.Pool) -> bytes | None:
    value: bytes | None = await pool.fetchval("SELECT digest FROM ledger.master_key")
    return value


def _refuse_other(key: MasterKey, sealed: asyncpg.Record, path: Path) -> None:
    owner = UUID(bytes=sealed["subject"].bytes), UUID(bytes=sealed["stream_id"].bytes)
    try:
        key.unwrap(sealed["wrapped"], *owner)
    except SealBroken as error:
        raise WrongMasterKey(path) from error


def _read(path: Path) -> MasterKey | None:
    try:
        with path.open() as file:
            if os.fstat(file.fileno()).st_mode & _OTHERS:
                raise SettingsError(
                    f"Others may use the master key file {path}. Run chmod 600 on it; who could "
                    "read it until now can open what is sealed."
                )
            return MasterKey.from_text(file.read().strip())
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise SettingsError(f"The master key file {path} holds no key.") from error


def _made(path: Path) -> MasterKey:
    """Make the file whole and on disk, or find that another process was faster."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, draft = mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(MasterKey.new_text())
            file.flush()
            os.fsync(descriptor)
        with suppress(FileExistsError):
            os.link(draft, path)  # Unlike a renaming, it never takes another's place.
    finally:
        Path(draft).unlink()
    _sync_folder(path.parent)
    key = _read(path)
    if key is None:
        raise SettingsError(f"The master key file {path} was taken away while hoso started.")
    return key


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

"""What the surroundings decide, read once by the composition root."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from platformdirs import user_data_path


class SettingsError(Exception):
    """The settings do not allow a start; the message says which and why."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    data: Path
    database_url: str | None = field(repr=False)  # It may hold a password. None: the embedded one.
    master_key_file: Path | None  # None: a server's, which must be named to seal or read.

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Self:
        """Read the settings, an empty variable being one that is not set."""
        folder = environ.get("HOSO_DATA") or user_data_path("hoso", appauthor=False)
        data = Path(folder).expanduser().absolute()
        url = environ.get("HOSO_DATABASE_URL") or None
        key_file = environ.get("HOSO_MASTER_KEY_FILE")
        if url is not None and not url.startswith(("postgresql://", "postgres://")):
            raise SettingsError("HOSO_DATABASE_URL must begin with postgresql://")
        key_path = Path(key_file).expanduser().absolute() if key_file else None
        if url is None and key_path is None:
            key_path = data / "master.key"
        return cls(data=data, database_url=url, master_key_file=key_path)

    def needed_master_key_file(self) -> Path:
        """Return the file of the master key, or raise SettingsError."""
        if self.master_key_file is None:
            raise SettingsError(
                "HOSO_DATABASE_URL names a database, so HOSO_MASTER_KEY_FILE must name the file "
                "of its master key: without it personal data could be neither sealed nor read."
            )
        return self.master_key_file

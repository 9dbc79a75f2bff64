"""Tables made from row types: their columns, how rows get in, and how two of them compare."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Final, Generic, NamedTuple, TypeVar, get_args, get_type_hints
from uuid import UUID

from asyncpg import Connection, Pool, Record, UndefinedColumnError, UndefinedTableError
from asyncpg.pool import PoolConnectionProxy

from domain.errors import Busy

Session = Connection | PoolConnectionProxy
R = TypeVar("R", bound=NamedTuple)

_MANY: Final = tuple[str, ...]
_SQL: Final[Mapping[object, str]] = {
    UUID: "uuid",
    int: "bigint",
    str: "text",
    bool: "boolean",
    bytes: "bytea",
    datetime: "timestamptz",
    _MANY: "text[]",
}


class _Column(NamedTuple):
    name: str
    sql: str
    required: bool


@dataclass(frozen=True, kw_only=True)
class Table(Generic[R]):
    """A table whose columns are the fields of a named tuple; `key` tells its rows apart.

    `beside_key` are columns that the key's index holds, too. `indexes` say what follows `CREATE
    INDEX ON table`. `fillfactor` leaves room on a page for what changes: a row whose indexed
    columns stay is then changed in place.
    """

    name: str
    version: int
    row: type[R]
    key: tuple[str, ...]
    beside_key: tuple[str, ...] = ()
    indexes: tuple[str, ...] = ()
    fillfactor: int = 80

    @property
    def versioned(self) -> str:
        """The name of this version's own table in the schema `views`."""
        return f"{self.name}_v{self.version}"

    @cached_property
    def _columns(self) -> tuple[_Column, ...]:
        hints = get_type_hints(self.row)
        return tuple(_column(name, hints[name]) for name in self.row._fields)

    @cached_property
    def columns(self) -> str:
        return ", ".join(self.row._fields)

    def ddl(self, table: str) -> str:
        """Return the statement that makes a table without its indexes."""
        columns = [f"{each.name} {each.sql}{' NOT NULL' * each.required}" for each in self._columns]
        return (
            f"CREATE TABLE views.{table} ({', '.join(columns)})"
            f" WITH (fillfactor = {self.fillfactor})"
        )

    def index_ddl(self, table: str) -> list[str]:
        """Return the statements that make the indexes: of the key first."""
        key = f"ALTER TABLE views.{table} ADD PRIMARY KEY ({', '.join(self.key)})"
        if self.beside_key:
            key += f" INCLUDE ({', '.join(self.beside_key)})"
        return [key, *(f"CREATE INDEX ON views.{table} {each}" for each in self.indexes)]

    async def store(self, connection: Session, table: str, rows: Sequence[R]) -> None:
        """Write rows that are new or changed, in one statement."""
        if not rows:
            return
        arrays: list[Sequence[object]] = list(zip(*rows, strict=True))
        for place, each in enumerate(self._columns):
            if each.sql == _SQL[_MANY]:  # unnest flattens an array of arrays; no code has a comma.
                arrays[place] = [",".join(many) for many in _texts(arrays[place])]
        await connection.execute(self._upsert(table), *arrays)

    def _upsert(self, table: str) -> str:
        asked = ", ".join(
            f"${number}::{each.sql.removesuffix('[]')}[]"
            for number, each in enumerate(self._columns, 1)
        )
        selected = ", ".join(
            f"string_to_array({each.name}, ',')" if each.sql == _SQL[_MANY] else each.name
            for each in self._columns
        )
        changes = ", ".join(
            f"{each.name} = excluded.{each.name}"
            for each in self._columns
            if each.name not in self.key
        )
        return (
            f"INSERT INTO views.{table} ({self.columns}) SELECT {selected}"  # noqa: S608  # our own names
            f" FROM unnest({asked}) AS new ({self.columns})"
            f" ON CONFLICT ({', '.join(self.key)}) DO UPDATE SET {changes}"
        )

    async def remove(
        self, connection: Session, table: str, keys: Sequence[tuple[object, ...]]
    ) -> None:
        """Remove the rows with these keys."""
        if not keys:
            return
        kinds = {each.name: each.sql for each in self._columns}
        asked = ", ".join(f"${n}::{kinds[name]}[]" for n, name in enumerate(self.key, 1))
        await connection.execute(
            f"DELETE FROM views.{table} WHERE ({', '.join(self.key)})"  # noqa: S608  # our own names
            f" IN (SELECT * FROM unnest({asked}))",
            *zip(*keys, strict=True),
        )

    async def copy(self, connection: Session, table: str, rows: Iterable[R]) -> None:
        """Write rows that are all new."""
        await connection.copy_records_to_table(
            table, schema_name="views", columns=self.row._fields, records=rows
        )

    async def different(self, connection: Session, one: str, other: str) -> int:
        """Count the keys under which two tables do not have the same row."""
        count = await connection.fetchval(
            f"SELECT count(*) FROM views.{one} AS a FULL JOIN views.{other} AS b"  # noqa: S608  # our own names
            f" USING ({', '.join(self.key)}) WHERE a IS DISTINCT FROM b"
        )
        return int(count)


async def fetch(pool: Pool, query: str, arguments: Sequence[object] = ()) -> list[Record]:
    """Ask the tables of views. Busy where they are not built yet, or are of another version."""
    try:
        return await pool.fetch(query, *arguments)
    except (UndefinedTableError, UndefinedColumnError) as error:
        raise Busy("The lists are being built.") from error


def _texts(values: Sequence[Any]) -> Sequence[tuple[str, ...]]:
    return values


def _column(name: str, declared: Any) -> _Column:  # noqa: ANN401  # any declared type
    options = get_args(declared) if declared != _MANY else ()
    kinds = [each for each in (*options, declared) if each in _SQL]
    return _Column(name, _SQL[kinds[0]], type(None) not in options)

"""Keys of subjects: made before they seal, cached for a minute, destroyed to erase a person."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from os import urandom
from time import monotonic
from typing import Any, Final
from uuid import UUID, uuid4, uuid5

import asyncpg

from domain.dossier.parts import Party
from domain.envelope import LedgerEvent, changed
from domain.errors import RulesChanged
from domain.ledger.locks import Lock
from domain.personal import Personal, Withheld
from infra.batching import Batcher
from infra.codec import personal_places
from infra.sealing import MasterKey, SealBroken, place, seal, unseal

LIFETIME: Final = 60.0

_Owner = tuple[UUID, UUID]


_NAMED = """
SELECT EXISTS (SELECT FROM ledger.subject_key WHERE subject = $1)
    OR EXISTS (SELECT FROM ledger.lookup WHERE subject = $1)
"""


class KeyRing:
    """One key for each (subject, stream). Loss of the master key loses every personal value.

    `is_erased` says whether the ledger holds the erasure of a subject; what it names is never
    opened again and never gets a new key, even while the rows are still being deleted.
    """

    def __init__(
        self, pool: asyncpg.Pool, master: MasterKey, is_erased: Callable[[UUID], bool]
    ) -> None:
        self._pool = pool
        self._master = master
        self._is_erased = is_erased
        self._cache: dict[_Owner, tuple[float, bytes | None]] = {}
        self._swept = monotonic()
        self._making = Batcher(self._make, limit=500)
        self._reading = Batcher(self._read, limit=500)
        self._finding = Batcher(self._find_or_name, limit=200)

    async def close(self) -> None:
        for batcher in (self._making, self._reading, self._finding):
            await batcher.close()

    async def seal(self, ledger_id: UUID, event: LedgerEvent) -> LedgerEvent:
        """Return the event with every personal value sealed under its subject's key."""
        places = _filled(event)
        if not places:
            return event
        subjects = await self._subjects(event)
        keys: dict[str, bytes] = {}
        for role, subject in subjects.items():
            key = await self._making.ask((subject, event.originator_id))
            if key is None:
                raise RulesChanged  # The person was erased just now, and is to be named anew.
            keys[role] = key

        def sealed(role: str, path: str, value: Personal[str]) -> Personal[str]:
            where = place(ledger_id, event.originator_id, event.TOPIC, path)
            content = seal(str(value.value), keys[role], where)
            return Personal(value.value, subjects[role], content)

        return _changed(event, places, sealed)

    async def open(
        self, ledger_id: UUID, events: Sequence[LedgerEvent], *, clear: bool
    ) -> list[LedgerEvent]:
        """Return the events with personal values opened, erased or, if not `clear`, sealed."""
        owners = {
            (value.subject, event.originator_id)
            for event in events
            for _, _, value in _filled(event)
            if value.subject is not None
        }
        ordered = list(owners)
        found = await asyncio.gather(*(self._reading.ask(owner) for owner in ordered))
        keys: dict[tuple[UUID | None, UUID], bytes | None] = dict(zip(ordered, found, strict=True))
        return [self._opened(ledger_id, event, keys, clear=clear) for event in events]

    def _opened(
        self,
        ledger_id: UUID,
        event: LedgerEvent,
        keys: dict[tuple[UUID | None, UUID], bytes | None],
        *,
        clear: bool,
    ) -> LedgerEvent:
        def opened(_: str, path: str, value: Personal[str]) -> Personal[str]:
            key = keys.get((value.subject, event.originator_id))
            if key is None or value.sealed is None:
                return value.withheld(Withheld.ERASED)
            if not clear:
                return value.withheld(Withheld.SEALED)
            where = place(ledger_id, event.originator_id, event.TOPIC, path)
            try:
                return Personal(unseal(value.sealed, key, where), value.subject, value.sealed)
            except SealBroken:
                return value.withheld(Withheld.SEALED)

        return _changed(event, _filled(event), opened)

    async def find(self, kind: str, value: str) -> list[UUID]:
        """Return the streams in which a person is found by exact identity number or phone."""
        rows = await self._pool.fetch(
            "SELECT DISTINCT k.stream_id FROM ledger.lookup l JOIN ledger.subject_key k"
            " USING (subject) WHERE l.kind = $1 AND l.hash = $2",
            kind,
            self._master.lookup_hash(kind, value),
        )
        return [UUID(bytes=row["stream_id"].bytes) for row in rows]

    async def subjects_of(self, kind: str, value: str) -> list[UUID]:
        rows = await self._pool.fetch(
            "SELECT subject FROM ledger.lookup WHERE kind = $1 AND hash = $2",
            kind,
            self._master.lookup_hash(kind, value),
        )
        return [UUID(bytes=row["subject"].bytes) for row in rows]

    async def has_named(self, subject: UUID) -> bool:
        """Say whether the ledger names a person so who is not erased."""
        return bool(await self._pool.fetchval(_NAMED, subject))

    async def destroy(self, subjects: Iterable[UUID]) -> int:
        """Delete the keys and look-ups of erased subjects. Safe to repeat."""
        gone = list(subjects)
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute("DELETE FROM ledger.lookup WHERE subject = ANY($1)", gone)
            done = await connection.execute(
                "DELETE FROM ledger.subject_key WHERE subject = ANY($1)", gone
            )
        self._cache = {owner: kept for owner, kept in self._cache.items() if owner[0] not in gone}
        return int(done.split()[-1])

    async def _subjects(self, event: LedgerEvent) -> dict[str, UUID]:
        """Name the person behind each role. Whoever has an identity number is found again by it."""
        roles = sorted({role for role, _, _ in _filled(event)})
        parties = {role: getattr(event, role, None) for role in roles}
        named = {}
        for role in roles:
            party = parties[role]
            party = party if isinstance(party, Party) else getattr(event, "owner", None)
            named[role] = await self._subject(event.originator_id, _person(role), party)
        return named

    async def _subject(self, stream: UUID, role: str, party: Party | None) -> UUID:
        nameless = self._nameless(stream, role)
        if party is None or (party.id_number is None and party.phone is None):
            return nameless
        return await self._finding.ask((party, nameless))

    def _nameless(self, stream: UUID, role: str) -> UUID:
        for number in range(1, 1_000):
            subject = uuid5(stream, f"{role}/{number}")
            if not self._is_erased(subject):
                return subject
        raise RuntimeError("This person was erased a thousand times in one dossier.")

    async def _find_or_name(self, asked: Sequence[tuple[Party, UUID]]) -> list[UUID]:
        """Return whose values they are; whoever has an identity number is found again by it."""
        hashes = [self._hash("id_number", party.id_number) for party, _ in asked]
        named: list[UUID] = []
        async with self._pool.acquire() as connection, connection.transaction():
            # One at a time names a person: two desks that meet somebody new agree on one subject.
            await connection.execute("SELECT pg_advisory_xact_lock($1)", Lock.NAME_A_PERSON)
            rows = await connection.fetch(
                "SELECT hash, subject FROM ledger.lookup"
                " WHERE kind = 'id_number' AND hash = ANY($1)",
                [digest for digest in hashes if digest is not None],
            )
            found = [(row["hash"], UUID(bytes=row["subject"].bytes)) for row in rows]
            known = {digest: who for digest, who in found if not self._is_erased(who)}
            new: dict[tuple[str, bytes, UUID], None] = {}
            for digest, (party, nameless) in zip(hashes, asked, strict=True):
                subject = nameless if digest is None else known.setdefault(digest, uuid4())
                for kind, value in (("id_number", party.id_number), ("phone", party.phone)):
                    hashed = self._hash(kind, value)
                    if hashed is not None:
                        new[kind, hashed, subject] = None
                named.append(subject)
            await connection.executemany(
                "INSERT INTO ledger.lookup (kind, hash, subject) VALUES ($1, $2, $3)"
                " ON CONFLICT DO NOTHING",
                list(new),
            )
        return named

    def _hash(self, kind: str, value: Personal[str] | None) -> bytes | None:
        return None if value is None else self._master.lookup_hash(kind, str(value.value))

    async def _make(self, owners: Sequence[_Owner]) -> list[bytes | None]:
        """Return the keys, new ones committed before they seal anything; None for the erased."""
        missing = self._without_key(owners)
        if missing:
            wrapped = [self._master.wrap(urandom(32), *owner) for owner in missing]
            columns = [list(column) for column in zip(*missing, strict=True)]
            rows = await self._pool.fetch(
                "WITH new AS (INSERT INTO ledger.subject_key (subject, stream_id, wrapped)"
                " SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bytea[])"
                " ON CONFLICT DO NOTHING RETURNING subject, stream_id, wrapped)"
                " SELECT * FROM new UNION ALL SELECT k.subject, k.stream_id, k.wrapped"
                " FROM unnest($1::uuid[], $2::uuid[]) AS asked (subject, stream_id)"
                " JOIN ledger.subject_key k USING (subject, stream_id)",
                *columns,
                wrapped,
            )
            self._remember(missing, rows)
        if self._without_key(owners):  # Another process made it between our insert and our look.
            self._forget(missing)
            return await self._make(owners)
        return [self._cached(owner) for owner in owners]

    def _without_key(self, owners: Sequence[_Owner]) -> list[_Owner]:
        living = [owner for owner in dict.fromkeys(owners) if not self._is_erased(owner[0])]
        return [owner for owner in living if self._cached(owner) is None]

    async def _read(self, owners: Sequence[_Owner]) -> list[bytes | None]:
        missing = [owner for owner in dict.fromkeys(owners) if not self._is_fresh(owner)]
        if missing:
            columns = [list(column) for column in zip(*missing, strict=True)]
            rows = await self._pool.fetch(
                "SELECT k.subject, k.stream_id, k.wrapped"
                " FROM unnest($1::uuid[], $2::uuid[]) AS asked (subject, stream_id)"
                " JOIN ledger.subject_key k USING (subject, stream_id)",
                *columns,
            )
            self._remember(missing, rows)
        return [self._cached(owner) for owner in owners]

    def _remember(self, asked: Sequence[_Owner], rows: Sequence[asyncpg.Record]) -> None:
        now = monotonic()
        if now - self._swept > LIFETIME:
            self._cache = {o: kept for o, kept in self._cache.items() if now - kept[0] < LIFETIME}
            self._swept = now
        self._cache.update((owner, (now, None)) for owner in asked)
        for row in rows:
            owner = UUID(bytes=row["subject"].bytes), UUID(bytes=row["stream_id"].bytes)
            self._cache[owner] = now, self._master.unwrap(row["wrapped"], *owner)

    def _forget(self, owners: Sequence[_Owner]) -> None:
        for owner in owners:
            self._cache.pop(owner, None)

    def _is_fresh(self, owner: _Owner) -> bool:
        kept = self._cache.get(owner)
        return kept is not None and monotonic() - kept[0] < LIFETIME

    def _cached(self, owner: _Owner) -> bytes | None:
        if self._is_erased(owner[0]) or not self._is_fresh(owner):
            return None
        return self._cache[owner][1]


def _person(role: str) -> str:
    """Return whose value it is: one beside the parties (the contents) is the owner's."""
    return role if role in ("submitter", "recipient") else "owner"


def has_personal_values(event: LedgerEvent) -> bool:
    """Say whether an event holds values that are sealed before they are stored."""
    return bool(_filled(event))


_Place = tuple[str, str, Personal[str]]


def _filled(event: LedgerEvent) -> list[_Place]:
    """Return (field, path, value) of the personal values that an event holds."""
    found: list[_Place] = []
    for name, inner in personal_places(event):
        holder = getattr(event, name)
        value = holder if inner is None or holder is None else getattr(holder, inner)
        if value is not None:
            found.append((name, name if inner is None else f"{name}.{inner}", value))
    return found


def _changed(
    event: LedgerEvent,
    places: Sequence[_Place],
    change: Callable[[str, str, Personal[str]], Personal[str]],
) -> LedgerEvent:
    if not places:
        return event
    changes: dict[str, Any] = {}
    for name, path, value in places:
        inner = path.partition(".")[2]
        if inner:
            holder = changes.get(name, getattr(event, name))
            changes[name] = replace(holder, **{inner: change(name, path, value)})
        else:
            changes[name] = change(name, path, value)
    return changed(event, **changes)

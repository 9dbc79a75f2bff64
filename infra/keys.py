"""Keys of subjects: they come with what they seal, and are destroyed to erase a person."""

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
from domain.ledger.appends import Write
from domain.personal import Personal, Withheld
from infra.batching import Batcher
from infra.codec import personal_places
from infra.new_keys import BY_NUMBER, KeyRow, LookupRow, NewKeys
from infra.sealing import MasterKey, SealBroken, place, seal, unseal

LIFETIME: Final = 60.0

_Owner = tuple[UUID, UUID]  # A subject, and a stream.
_Name = tuple[str, bytes]  # The kind of a look-up, and its hash.


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
        self._reading = Batcher(self._read, limit=500)
        self._finding = Batcher(self._find, limit=500)
        # What appends bring along that are under way: others of this process may bring the same.
        self._coming: dict[_Owner, tuple[bytes, KeyRow]] = {}
        self._named: dict[bytes, UUID] = {}

    async def close(self) -> None:
        for batcher in (self._reading, self._finding):
            await batcher.close()

    async def seal(
        self, ledger_id: UUID, writes: Sequence[Write]
    ) -> tuple[list[list[LedgerEvent]], NewKeys | None]:
        """Return the events of each write with every personal value sealed, and what is new by it.

        What becomes of the append is told by `settle`.
        """
        new = NewKeys()
        try:
            sealed = [
                [await self._sealed(ledger_id, event, new, write) for event in write.events]
                for write in writes
            ]
        except BaseException:
            self.settle(new, is_recorded=False)
            raise
        return sealed, new if new.subjects else None

    async def _sealed(
        self, ledger_id: UUID, event: LedgerEvent, new: NewKeys, write: Write
    ) -> LedgerEvent:
        places = _filled(event)
        if not places:
            return event
        subjects = await self._subjects(event, new)
        keys = {
            role: await self._key((subject, write.stream), new, is_opening=write.expected == 0)
            for role, subject in subjects.items()
        }

        def sealed(role: str, path: str, value: Personal[str]) -> Personal[str]:
            where = place(ledger_id, event.originator_id, event.TOPIC, path)
            content = seal(str(value.value), keys[role], where)
            return Personal(value.value, subjects[role], content)

        return _changed(event, places, sealed)

    def settle(self, new: NewKeys, *, is_recorded: bool) -> None:
        """Keep the keys that were recorded; look again for those that were not."""
        now = monotonic()
        for owner, row in new.keys.items():
            key, coming = self._coming.get(owner, (None, None))
            if coming is row:
                del self._coming[owner]
            if not is_recorded:
                self._cache.pop(owner, None)
            elif key is not None:
                self._cache[owner] = now, key
        for name in new.lookups:
            if self._named.get(name.hash) == name.subject:
                del self._named[name.hash]

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

    async def _subjects(self, event: LedgerEvent, new: NewKeys) -> dict[str, UUID]:
        """Name the person behind each role. Whoever has an identity number is found again by it."""
        roles = sorted({role for role, _, _ in _filled(event)})
        parties = {role: getattr(event, role, None) for role in roles}
        named = {}
        for role in roles:
            party = parties[role]
            party = party if isinstance(party, Party) else getattr(event, "owner", None)
            named[role] = await self._subject(event.originator_id, _person(role), party, new)
        new.subjects.update(named.values())
        return named

    async def _subject(self, stream: UUID, role: str, party: Party | None, new: NewKeys) -> UUID:
        names = self._names(party) if party is not None else ()
        if not names:
            return self._nameless(stream, role)
        standing = await self._finding.ask(names)
        new.known.update(standing)
        kind, number = names[0]
        subject = self._found(number, standing) if kind == BY_NUMBER else None
        subject = subject or self._nameless(stream, role)
        new.lookups.update(LookupRow(*name, subject) for name in names)
        new.lookups.difference_update(standing)
        return subject

    def _names(self, party: Party) -> tuple[_Name, ...]:
        """Return by what a person is found: kind and hash, the identity number first."""
        said = ((BY_NUMBER, party.id_number), ("phone", party.phone))
        return tuple(
            (kind, self._master.lookup_hash(kind, str(value.value)))
            for kind, value in said
            if value is not None
        )

    def _found(self, number: bytes, standing: Sequence[LookupRow]) -> UUID:
        """Return who has an identity number: as the ledger names him, or is just about to."""
        living = (row.subject for row in standing if row.hash == number)
        coming = self._named.get(number)
        known = next((who for who in living if not self._is_erased(who)), coming)
        if known is None or self._is_erased(known):
            known = self._named[number] = uuid4()
        return known

    def _nameless(self, stream: UUID, role: str) -> UUID:
        for number in range(1, 1_000):
            subject = uuid5(stream, f"{role}/{number}")
            if not self._is_erased(subject):
                return subject
        raise RuntimeError("This person was erased a thousand times in one dossier.")

    async def _find(self, asked: Sequence[tuple[_Name, ...]]) -> list[list[LookupRow]]:
        """Return the look-ups that stand by each name that is asked."""
        names = list(dict.fromkeys(name for names in asked for name in names))
        rows = await self._pool.fetch(
            "SELECT l.kind, l.hash, l.subject FROM unnest($1::text[], $2::bytea[])"
            " AS asked (kind, hash) JOIN ledger.lookup l USING (kind, hash)",
            [kind for kind, _ in names],
            [digest for _, digest in names],
        )
        found: dict[_Name, list[LookupRow]] = {}
        for kind, digest, subject in rows:
            row = LookupRow(kind, digest, UUID(bytes=subject.bytes))
            found.setdefault((kind, digest), []).append(row)
        return [[row for name in names for row in found.get(name, ())] for names in asked]

    async def _key(self, owner: _Owner, new: NewKeys, *, is_opening: bool) -> bytes:
        """Return the key of a subject in a stream; a new one comes with the append.

        One that the opening of a stream needs cannot be there already.
        """
        key = self._cached(owner)
        if key is None and owner not in self._coming and not is_opening:
            key = await self._reading.ask(owner)
        if key is not None:
            return key
        if owner not in self._coming:
            fresh = urandom(32)
            self._coming[owner] = fresh, KeyRow(*owner, self._master.wrap(fresh, *owner))
        key, new.keys[owner] = self._coming[owner]
        return key

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

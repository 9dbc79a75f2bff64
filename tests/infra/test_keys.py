"""Personal values: sealed under one key for each person and dossier, and gone when it is."""

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import cast
from uuid import UUID, uuid4

import asyncpg
import pytest

from domain.dossier.intake import DossierAccepted
from domain.dossier.parts import Party
from domain.envelope import LedgerEvent
from domain.errors import RulesChanged, StaleVersion
from domain.ledger.appends import Answer, Append, Outcome, Problem, Question
from domain.personal import Personal, Withheld
from domain.rules.register import stream_of
from domain.rules.subjects import SubjectErased
from infra.keys import KeyRing
from tests.conftest import OpenStore
from tests.stores import MASTER, MORNING, Opened, accepted, appending, key, meta, queued, until

NUMBER = "012345678901"
PHONE = "0912345678"


@pytest.fixture
async def process(open_store: OpenStore) -> AsyncIterator[Opened]:
    async with open_store() as opened:
        yield opened


def person(number: str = NUMBER, name: str = "Nguyễn Văn A") -> Party:
    return Party(
        id_kind="cccd",
        id_number=Personal(number),
        name=Personal(name),
        phone=Personal(PHONE),
        email=Personal("a.nguyen@example.vn"),
        address=Personal("12 ngõ Hàng Bông"),
        account=Personal("0451000123456"),
    )


async def record(process: Opened, owner: Party) -> UUID:
    dossier = uuid4()
    await process.store.append(appending(accepted(dossier, owner)))
    return dossier


async def stored(process: Opened, dossier: UUID) -> list[LedgerEvent]:
    return [each.event for each in (await process.store.read(Question(stream=dossier))).events]


def owner_in(event: LedgerEvent) -> Party:
    owner = cast("DossierAccepted", event).owner
    assert owner is not None
    return owner


def name_in(party: Party) -> Personal[str]:
    assert party.name is not None
    return party.name


async def owner_of(process: Opened, dossier: UUID, *, clear: bool = True) -> Party:
    """Return what a reader sees of the owner."""
    events = await stored(process, dossier)
    (event,) = await process.keys.open(process.ledger_id, events, clear=clear)
    return owner_in(event)


async def subject_of(process: Opened, dossier: UUID) -> UUID:
    subject = name_in(await owner_of(process, dossier, clear=False)).subject
    assert subject is not None
    return subject


async def announce_erasure(process: Opened, subject: UUID) -> None:
    erased = SubjectErased(
        originator_id=stream_of("subject", str(subject)),
        originator_version=0,
        timestamp=MORNING,
        meta=meta(),
        subject=subject,
        ground="Luật 91/2025/QH15",
    )
    await process.store.append(appending(erased))
    await process.store.read()


async def test_a_reader_with_the_right_reads_every_value(process: Opened) -> None:
    read = await owner_of(process, await record(process, person()))
    for field in ("id_number", "name", "phone", "email", "address", "account"):
        assert getattr(read, field).value == getattr(person(), field).value
    assert read.id_kind == "cccd"


async def test_a_reader_without_the_right_sees_that_something_is_sealed(process: Opened) -> None:
    read = await owner_of(process, await record(process, person()), clear=False)
    assert name_in(read).value is Withheld.SEALED
    assert isinstance(name_in(read).value, Withheld)


async def test_a_person_is_one_subject_with_a_key_for_each_dossier(process: Opened) -> None:
    dossiers = [await record(process, person()) for _ in range(2)]
    subjects = {await subject_of(process, dossier) for dossier in dossiers}
    assert len(subjects) == 1
    rows = await process.pool.fetch("SELECT subject, stream_id, wrapped FROM ledger.subject_key")
    assert {(str(row["subject"]), str(row["stream_id"])) for row in rows} == {
        (str(subject), str(dossier)) for subject in subjects for dossier in dossiers
    }
    assert len({row["wrapped"] for row in rows}) == 2


async def test_persons_and_roles_are_told_apart(process: Opened) -> None:
    dossier = uuid4()
    event = replace(accepted(dossier, person()), submitter=person("098765432109", "Trần Thị B"))
    await process.store.append(appending(event))
    (read,) = await process.keys.open(process.ledger_id, await stored(process, dossier), clear=True)
    owner, submitter = (getattr(read, role).name for role in ("owner", "submitter"))
    assert (owner.value, submitter.value) == ("Nguyễn Văn A", "Trần Thị B")
    assert owner.subject != submitter.subject


async def test_who_has_no_number_is_a_person_of_the_dossier_alone(process: Opened) -> None:
    nameless = Party(name=Personal("Nguyễn Văn A"))
    first, second = await record(process, nameless), await record(process, nameless)
    assert await subject_of(process, first) != await subject_of(process, second)
    assert await process.pool.fetchval("SELECT count(*) FROM ledger.lookup") == 0


async def test_a_person_is_found_by_number_and_by_phone_exactly(process: Opened) -> None:
    dossiers = {await record(process, person()) for _ in range(2)}
    await record(process, replace(person("098765432109"), phone=None))
    for kind, value in (("id_number", NUMBER), ("phone", PHONE)):
        assert set(await process.keys.find(kind, value)) == dossiers
    assert await process.keys.find("id_number", NUMBER[:-1]) == []
    assert await process.keys.find("phone", NUMBER) == []


async def test_erasing_a_person_erases_every_event_and_nothing_else(process: Opened) -> None:
    dossiers = [await record(process, person()) for _ in range(2)]
    other = await record(process, person("098765432109", "Trần Thị B"))
    subject = await subject_of(process, dossiers[0])
    await announce_erasure(process, subject)
    assert await process.keys.destroy([subject]) == 2
    assert await process.keys.destroy([subject]) == 0
    for dossier in dossiers:
        for clear in (True, False):
            read = await owner_of(process, dossier, clear=clear)
            assert name_in(read).value is Withheld.ERASED
    assert (await owner_of(process, other)).name == Personal(
        "Trần Thị B", await subject_of(process, other)
    )
    assert await process.keys.find("id_number", NUMBER) == []
    assert await process.keys.find("phone", PHONE) == [other]


async def test_the_announced_erasure_counts_before_the_keys_are_destroyed(
    process: Opened, open_store: OpenStore
) -> None:
    """In every process: also in one that still holds the key in its cache."""
    dossier = await record(process, person())
    async with open_store() as second:
        read = await owner_of(second, dossier)
        assert not isinstance(name_in(read).value, Withheld)
        await announce_erasure(process, await subject_of(process, dossier))
        await second.store.read()
        for each in (process, second):
            read = await owner_of(each, dossier)
            assert name_in(read).value is Withheld.ERASED


async def test_destroyed_keys_are_gone_for_a_key_ring_that_never_had_them(
    process: Opened,
) -> None:
    dossier = await record(process, person())
    await process.keys.destroy([await subject_of(process, dossier)])
    fresh = KeyRing(process.pool, MASTER, lambda _: False)
    (event,) = await fresh.open(process.ledger_id, await stored(process, dossier), clear=True)
    assert name_in(owner_in(event)).value is Withheld.ERASED


@pytest.mark.parametrize("destroyed", [False, True])
async def test_after_an_erasure_the_same_person_is_one_new_subject(
    open_store: OpenStore, owner: asyncpg.Connection, *, destroyed: bool
) -> None:
    """Also if the rows come in the order of an index, where the erased subject may be the last."""
    name = await owner.fetchval("SELECT quote_ident(current_database())")
    for way in ("enable_seqscan", "enable_bitmapscan"):
        await owner.execute(f"ALTER DATABASE {name} SET {way} = off")
    async with open_store() as process:
        for number in ("1" * 12, "2" * 12, "3" * 12, "4" * 12):
            before = await subject_of(process, await record(process, person(number)))
            await announce_erasure(process, before)
            if destroyed:
                await process.keys.destroy([before])
            dossiers = [await record(process, person(number)) for _ in range(4)]
            after = {await subject_of(process, dossier) for dossier in dossiers}
            assert len(after) == 1
            assert before not in after
            read = await owner_of(process, dossiers[0])
            assert name_in(read) == Personal("Nguyễn Văn A", after.pop())


async def test_after_an_erasure_a_person_without_a_number_is_a_new_subject_too(
    process: Opened,
) -> None:
    nameless = Party(name=Personal("Nguyễn Văn A"))
    dossier = await record(process, nameless)
    before = await subject_of(process, dossier)
    await announce_erasure(process, before)
    await process.store.append(appending(accepted(dossier, nameless)))
    events = await stored(process, dossier)
    read = await process.keys.open(process.ledger_id, events, clear=True)
    names = [name_in(owner_in(event)) for event in read]
    assert [name.value for name in names] == [Withheld.ERASED, "Nguyễn Văn A"]
    assert (names[0].subject == before) != (names[1].subject == before)


@pytest.mark.parametrize("number", [NUMBER, None])
async def test_an_erasure_between_sealing_and_appending_asks_for_another_try(
    open_store: OpenStore, number: str | None
) -> None:
    """What was sealed for somebody who is erased by now is never written, nor is a key for it."""
    said = replace(person(), id_number=Personal(number) if number else None)
    dossier = uuid4()
    async with open_store() as elsewhere, open_store(started=False) as process:
        await elsewhere.store.append(appending(accepted(dossier, said)))
        subject = await subject_of(elsewhere, dossier)
        late = asyncio.ensure_future(process.store.append(appending(accepted(dossier, said))))
        await until(lambda: queued(process, 1))
        await announce_erasure(elsewhere, subject)
        await elsewhere.keys.destroy([subject])
        process.appender.start()
        with pytest.raises(RulesChanged):
            await late
        count = "SELECT count(*) FROM ledger.subject_key"
        assert await process.pool.fetchval(count) == 0
        await process.store.read()
        await process.store.append(appending(accepted(dossier, said)))
        assert await process.pool.fetchval(count) == 1
        assert len(await stored(process, dossier)) == 2


async def test_a_key_stands_if_what_it_sealed_does(process: Opened) -> None:
    """A refused append leaves neither a key nor a look-up behind."""
    dossier = uuid4()
    ahead = appending(accepted(dossier, person()))
    refused = replace(ahead, writes=(replace(ahead.writes[0], expected=7),))
    with pytest.raises(StaleVersion):
        await process.store.append(refused)
    written = "SELECT count(*) FROM ledger.subject_key UNION ALL SELECT count(*) FROM ledger.lookup"
    assert [row[0] for row in await process.pool.fetch(written)] == [0, 0]
    await record(process, person())
    assert [row[0] for row in await process.pool.fetch(written)] == [1, 2]


async def test_facts_of_one_batch_about_somebody_new_share_a_key(process: Opened) -> None:
    dossier = uuid4()
    appends = [appending(accepted(dossier, person())) for _ in range(3)]
    answers = await process.store.append_in_order(appends)
    assert not [answer for answer in answers if isinstance(answer, Exception)]
    assert await process.pool.fetchval("SELECT count(*) FROM ledger.subject_key") == 1
    events = await stored(process, dossier)
    read = await process.keys.open(process.ledger_id, events, clear=True)
    assert [name_in(owner_in(event)).value for event in read] == ["Nguyễn Văn A"] * 3


async def test_two_processes_that_meet_a_person_at_once_agree(
    process: Opened, open_store: OpenStore
) -> None:
    """Whoever comes second is asked to look again, and finds whom the first one named."""
    async with open_store() as second:
        again = 0
        for number in range(20):
            dossier = uuid4()
            appends = [appending(accepted(dossier, person(f"{number:012}"))) for _ in range(2)]
            became = await asyncio.gather(
                process.store.append(appends[0]),
                second.store.append(appends[1]),
                return_exceptions=True,
            )
            for append, answer in zip(appends, became, strict=True):
                if isinstance(answer, RulesChanged):
                    again += 1
                    await second.store.append(append)
                else:
                    assert isinstance(answer, Answer)
            for ring in (process.keys, second.keys):
                events = await stored(process, dossier)
                read = await ring.open(process.ledger_id, events, clear=True)
                owners = [owner_in(event) for event in read]
                assert [name_in(owner).value for owner in owners] == ["Nguyễn Văn A"] * 2
                assert len({name_in(owner).subject for owner in owners}) == 1
        assert again > 0
        assert await process.pool.fetchval("SELECT count(*) FROM ledger.subject_key") == 20
        assert await process.pool.fetchval("SELECT count(*) FROM ledger.lookup") == 40


async def test_a_sealed_value_opens_only_where_it_was_sealed(process: Opened) -> None:
    (sealed,) = await stored(process, await record(process, person()))
    owner = owner_in(sealed)
    moved = replace(cast("DossierAccepted", sealed), owner=replace(owner, name=owner.phone))
    (read,) = await process.keys.open(process.ledger_id, [moved], clear=True)
    assert name_in(owner_in(read)).value is Withheld.SEALED


async def test_no_personal_value_stands_in_clear_in_any_table(
    process: Opened, owner: asyncpg.Connection
) -> None:
    said = person()
    event = replace(accepted(uuid4(), said), contents=Personal("xin cấp lại sổ đỏ"), submitter=said)
    await process.store.append(appending(event))
    problem = Problem(code="illegal-transition", detail="Không được")
    refused = Outcome(kind="refused", stream=uuid4(), problem=problem)
    await process.store.append(Append(key=key(), outcome=refused))
    await process.keys.find("phone", PHONE)
    values = ["xin cấp lại sổ đỏ", NUMBER, PHONE, "Nguyễn Văn A", "a.nguyen@example.vn"]
    values += ["12 ngõ Hàng Bông", "0451000123456"]
    tables = await owner.fetch(
        "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables"
        " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
    )
    content = [
        row[0]
        for (table,) in tables
        for row in await owner.fetch(f"SELECT each::text FROM {table} AS each")  # noqa: S608  # our own
    ]
    assert len(content) > 6
    for value in values:
        encoded = value.encode()
        ascii_json = value.encode("ascii", "backslashreplace").decode()
        for form in (value, ascii_json, encoded.hex(), ascii_json.encode().hex()):
            assert not [text for text in content if form in text]
        for shift in range(3):  # Base64 has three ways to write it, by where it begins.
            middle = b64encode(b" " * shift + encoded)[4:-4]
            assert not [text for text in content if middle.hex() in text]

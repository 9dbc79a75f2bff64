"""Reads for decisions, on a real server: one moment each, and no question spoils another."""

import asyncio
from uuid import uuid4

import asyncpg
import pytest

from domain.dossier.parts import Party
from domain.envelope import changed
from domain.errors import Busy, DomainError, InvalidRequest
from domain.ledger.appends import Question
from domain.personal import Personal
from infra.recollection import Recollection
from tests.conftest import OpenStore
from tests.examples import EVERY_DOSSIER_EVENT, recorded
from tests.stores import Opened, accepted, appending, claim, key, meta, step


@pytest.mark.parametrize("alone", [True, False])
async def test_a_reading_is_of_one_moment(open_store: OpenStore, *, alone: bool) -> None:
    """Events beyond the position would belong to a request that the key did not show yet.

    Whether it was this process that recorded them, and so knows them at once, or another one.
    """
    stream = uuid4()
    async with open_store() as writer, open_store() as other:
        reader = writer if alone else other

        async def write() -> None:
            for number in range(200):
                await writer.store.append(appending(step(stream), under=key(str(number))))

        writing = asyncio.ensure_future(write())
        number = 0
        while not writing.done():
            asked = Question(stream=stream, keys=(key(str(number)).name,))
            reading = await reader.store.read(asked)
            assert len(reading.events) == reading.position
            assert (len(reading.stored) == 1) == (reading.position > number)
            number = reading.position
        await writing


@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
async def test_what_cannot_be_asked_spoils_no_other_question(
    open_store: OpenStore, text: str
) -> None:
    async with open_store() as process:
        await process.store.append(appending(step(uuid4())))
        first, bad_code, bad_key, last = await asyncio.gather(
            process.store.read(),
            process.store.read(Question(name=text)),
            process.store.read(Question(keys=(key(text).name,))),
            process.store.read(),
            return_exceptions=True,
        )
        assert not isinstance(first, BaseException)
        assert first == last
        assert isinstance(bad_code, InvalidRequest)
        assert isinstance(bad_key, InvalidRequest)


async def test_without_a_database_to_keep_keys_in_a_personal_append_says_busy(
    open_store: OpenStore,
) -> None:
    async with open_store() as process:
        process.pool.terminate()
        owner = Party(name=Personal("Nguyễn Văn A"))
        with pytest.raises(Busy):
            await process.store.append(appending(accepted(uuid4(), owner)))


async def test_lost_connections_are_replaced(
    open_store: OpenStore, owner: asyncpg.Connection
) -> None:
    async with open_store() as process, open_store() as other:
        for number in range(10):
            assert await answer(process) == number
            await other.store.append(appending(step(uuid4())))
            await owner.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )


async def test_what_is_recollected_is_what_stands_in_the_ledger(open_store: OpenStore) -> None:
    """Also after another process went on, and by each of the names of a dossier."""
    stream, alias = uuid4(), uuid4()
    asked = [
        Question(name="A-1"),
        Question(stream=stream),
        Question(name=str(alias), stream=alias),
    ]
    async with open_store() as process, open_store() as other:
        for question in asked:
            assert not (await process.store.read(question)).events  # It recollects that, too.
        names = (claim("A-1", stream), claim(str(alias), stream))
        await process.store.append(appending(accepted(stream, code="A-1"), claims=names))
        for number in range(1, 6):
            for question in (*asked, *asked):
                async with open_store() as fresh:
                    everything = (await fresh.store.read(Question(stream=stream))).events
                assert (await process.store.read(question)).events == everything
                assert len(everything) == number
            await other.store.append(appending(step(stream)))


async def test_what_was_written_is_recollected_as_it_is_read(open_store: OpenStore) -> None:
    """Every type of event, also with personal values: those are sealed for who reads."""
    async with open_store() as process:
        for said in EVERY_DOSSIER_EVENT:
            stream = uuid4()
            event = changed(said, originator_id=stream)
            for _ in range(2):
                await process.store.append(appending(changed(event, meta=meta())))
            written = (await process.store.read(Question(stream=stream))).events
            async with open_store() as fresh:
                assert written == (await fresh.store.read(Question(stream=stream))).events
            assert len(written) == 2


async def test_what_is_recollected_is_bounded_and_forgotten() -> None:
    recollection = Recollection(most=6)
    streams = [uuid4() for _ in range(4)]
    asked = [Question(stream=stream) for stream in streams]
    lives = [[recorded(step(stream), version=place) for place in (1, 2)] for stream in streams]
    for number in (0, 1, 2, 0, 3):
        recollection.read(asked[number], streams[number], lives[number])
    assert [recollection.of(each) is not None for each in asked] == [True, False, True, True]
    for number in range(10):
        recollection.read(Question(name=f"A-{number}"), streams[3], ())
    assert recollection.of(Question(name="A-9")) == recollection.of(asked[3])
    assert recollection.of(Question(name="A-0")) is None
    recollection.forget()
    assert not any(map(recollection.of, asked))


async def test_what_is_forgotten_or_grows_while_somebody_reads_is_as_of_his_moment() -> None:
    """Between the question and its answer others are read and written; no event is beyond it."""
    stream = uuid4()
    asked = Question(stream=stream)
    life = [recorded(step(stream), version=place) for place in range(1, 6)]
    recollection = Recollection()
    recollection.read(asked, stream, life[:2])
    before = recollection.of(asked)
    recollection.forget()
    assert recollection.read(asked, stream, life[2:3], before).events == tuple(life[:3])
    recollection.recorded(stream, life[3:4])
    assert recollection.read(asked, stream, life[2:3], before).events == tuple(life[:3])
    recollection.recorded(stream, life[4:])
    recollection.recorded(stream, life[4:])  # Nothing that is known, and no gap.
    assert recollection.read(asked, stream, (), recollection.of(asked)).events == tuple(life)


async def answer(process: Opened) -> int:
    try:
        return (await process.store.read()).position
    except DomainError as refused:
        pytest.fail(str(refused))

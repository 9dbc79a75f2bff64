"""The embedded server serves, is shared, survives what is killed, and goes with its last user."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import asyncpg
import psutil
import pytest

from infra.embedded import EmbeddedError, EmbeddedPostgres

pytestmark = pytest.mark.system

PATIENCE = 120
USER = """
import sys
from pathlib import Path
from infra.embedded import EmbeddedPostgres
server = EmbeddedPostgres.start(Path(sys.argv[1]))
print(server.pid, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Give a data folder, and leave no server in it whatever the test did."""
    folder = tmp_path_factory.mktemp("data") / "hồ sơ"  # Short enough for a socket.
    yield folder
    if (folder / "postgres").exists():
        EmbeddedPostgres.start(folder).close()


@contextmanager
def another_process(data: Path) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-c", USER, str(data)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def announced_pid(process: "subprocess.Popen[str]") -> int:
    assert process.stdout is not None
    return int(process.stdout.readline())


def ask(server: EmbeddedPostgres, statement: str) -> object:
    async def fetch() -> object:
        connection = await asyncpg.connect(server.url)
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    return asyncio.run(fetch())


def lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def kill_hard(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not lives(pid))


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)  # Between two looks.


def test_it_serves_a_database_of_the_name_asked_for(data: Path) -> None:
    with closing(EmbeddedPostgres.start(data, database="sổ cái")) as server:
        assert ask(server, "SELECT current_database()") == "sổ cái"
        assert ask(server, "SELECT lower('HỒ SƠ')") == "hồ sơ"


def test_settings_can_be_given(data: Path) -> None:
    with closing(EmbeddedPostgres.start(data, extra={"work_mem": "7MB"})) as server:
        assert ask(server, "SELECT current_setting('work_mem')") == "7MB"


def test_a_refused_setting_is_an_error_that_ends_with_the_servers_words(data: Path) -> None:
    with pytest.raises(EmbeddedError, match="unrecognized configuration parameter"):
        EmbeddedPostgres.start(data, extra={"no_such_setting": "1"})


def test_the_last_user_out_stops_it(data: Path) -> None:
    with closing(EmbeddedPostgres.start(data)) as first:
        with closing(EmbeddedPostgres.start(data)) as second:
            assert second.pid == first.pid
        assert ask(first, "SELECT 1") == 1
    assert not lives(first.pid)


def test_what_is_closed_does_not_start_it_again(data: Path) -> None:
    server = EmbeddedPostgres.start(data)
    server.close()
    server.close()
    with pytest.raises(EmbeddedError, match="closed"):
        server.ensure_running()


def test_processes_that_start_it_at_once_share_one_server(data: Path) -> None:
    with another_process(data) as first, another_process(data) as second:
        assert announced_pid(first) == announced_pid(second)


def test_other_users_see_nothing_of_the_data(data: Path) -> None:
    with closing(EmbeddedPostgres.start(data)):
        for path in (data, data / "postgres", data / "sockets", data / "postgres.log"):
            assert not path.stat().st_mode & 0o066


def test_the_terminals_interrupt_does_not_reach_it(data: Path) -> None:
    with closing(EmbeddedPostgres.start(data)) as server:
        assert os.getpgid(server.pid) != os.getpgid(0)
        assert os.getsid(server.pid) != os.getsid(0)


def test_it_does_not_keep_its_starters_output_open(data: Path) -> None:
    command = [sys.executable, "-c", USER, str(data)]
    said = subprocess.run(command, input="", capture_output=True, timeout=PATIENCE, check=True)
    assert lives(int(said.stdout))  # Its user left without closing.


def test_a_killed_server_comes_back_with_what_was_committed(data: Path) -> None:
    with closing(EmbeddedPostgres.start(data)) as server:
        ask(server, "CREATE TABLE kept AS SELECT 7 AS figure")
        killed = server.pid
        kill_hard(killed)
        server.ensure_running()
        assert server.pid != killed
        assert ask(server, "SELECT figure FROM kept") == 7


def test_a_running_server_is_left_alone(data: Path) -> None:
    with closing(EmbeddedPostgres.start(data)) as server:
        before = server.pid
        server.ensure_running()
        assert server.pid == before


def test_a_child_that_outlives_a_killed_server_does_not_keep_it_from_coming_back(
    data: Path,
) -> None:
    with closing(EmbeddedPostgres.start(data)) as server:
        child = psutil.Process(server.pid).children()[0]
        child.suspend()
        kill_hard(server.pid)
        assert lives(child.pid)
        server.ensure_running()
        assert not lives(child.pid)
        assert ask(server, "SELECT 1") == 1


def test_a_server_stopped_behind_our_back_comes_back(data: Path) -> None:
    with closing(EmbeddedPostgres.start(data)) as server:
        os.kill(server.pid, signal.SIGINT)  # A fast shutdown, perhaps not over yet.
        wait_until(lambda: not (data / "sockets" / ".s.PGSQL.5432").exists())
        server.ensure_running()
        assert ask(server, "SELECT 1") == 1


def test_a_program_that_got_a_killed_servers_number_is_neither_trusted_nor_hurt(
    data: Path,
) -> None:
    with closing(EmbeddedPostgres.start(data)) as server:
        remembered = data / "postgres" / "postmaster.pid"
        text = remembered.read_text()
        kill_hard(server.pid)
        owner = remembered.stat().st_uid  # PostgreSQL itself overlooks other users' programs.
        with subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE, user=owner) as program:
            remembered.write_text(text.replace(str(server.pid), str(program.pid), 1))
            (data / "sockets" / ".s.PGSQL.5432.lock").write_text(f"{program.pid}\n")
            server.ensure_running()
            assert server.pid != program.pid
            assert ask(server, "SELECT 1") == 1
            assert program.poll() is None


def test_a_killed_user_does_not_keep_it_alive(data: Path) -> None:
    with closing(EmbeddedPostgres.start(data)) as server, another_process(data) as user:
        assert announced_pid(user) == server.pid
        user.kill()
        user.wait(PATIENCE)
    assert not lives(server.pid)


def test_a_server_left_by_a_killed_user_is_taken_over(data: Path) -> None:
    with another_process(data) as user:
        left = announced_pid(user)
        user.kill()
        user.wait(PATIENCE)
    with closing(EmbeddedPostgres.start(data)) as server:
        assert server.pid == left
    assert not lives(left)


def test_a_cluster_left_half_made_is_made_again(data: Path) -> None:
    half = data / "postgres.new-half"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    with closing(EmbeddedPostgres.start(data)) as server:
        assert ask(server, "SELECT 1") == 1
    assert not half.exists()


def test_a_path_too_long_for_a_socket_gets_a_short_one_elsewhere(data: Path) -> None:
    long = data / ("sâu" * 30)
    with closing(EmbeddedPostgres.start(long)) as server:
        assert not (long / "sockets").exists()
        assert ask(server, "SELECT 1") == 1
        sockets = Path(str(ask(server, "SHOW unix_socket_directories")).strip('"'))
        assert sockets.stat().st_mode & 0o777 == 0o700
    assert not sockets.exists()


def test_a_socket_folder_open_to_others_is_refused(data: Path) -> None:
    (data / "sockets").mkdir(parents=True)
    (data / "sockets").chmod(0o777)
    with pytest.raises(EmbeddedError, match="alone"):
        EmbeddedPostgres.start(data)
    (data / "sockets").rmdir()

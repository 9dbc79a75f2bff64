"""A ledger that is served by workers, its views moved beside them, and all that is killed of it."""

import os
import signal
import subprocess
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from random import Random
from time import sleep
from typing import IO, Final, Self

import psutil

from tests.system.hoso import COMMAND
from tests.system.service import Service, environment

WORKERS: Final = 2
_PATIENCE: Final = 60.0


class Scene:
    """`hoso serve --workers 2` and `hoso project`. What is killed is started again, but the ledger.

    PostgreSQL is brought back by whoever serves, a worker by the service.
    """

    def __init__(self, data: Path, log: IO[bytes], chance: Random) -> None:
        self.service = Service(data, workers=WORKERS)
        self._data = data
        self._log = log
        self._chance = chance
        self._project: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        self.service.start(self._log)
        self._project = self._begun("project")
        return self

    def stop(self) -> None:
        if self._project is not None:
            self._project.terminate()
            self._project.wait(timeout=_PATIENCE)
        self.service.stop()

    def kill_service(self) -> None:
        """Kill the supervisor; its workers notice, answer what they accepted, and leave."""
        workers = [psutil.Process(pid) for pid in self.service.worker_pids]
        self.service.kill()
        _, left = psutil.wait_procs(workers, timeout=_PATIENCE)
        assert not left, "workers outlived their supervisor"
        self.service.start(self._log)

    def kill_worker(self) -> None:
        with suppress(IndexError, ProcessLookupError):  # It is just being started again.
            os.kill(self._chance.choice(self.service.worker_pids), signal.SIGKILL)

    def kill_project(self) -> None:
        if self._project is not None:
            self._project.kill()
            self._project.wait(timeout=_PATIENCE)
        self._project = self._begun("project")

    def kill_rebuild(self) -> None:
        """Kill `hoso rebuild` somewhere between its start and its switch."""
        rebuild = self._begun("rebuild")
        sleep(self._chance.uniform(0.4, 1.6))  # The random moment itself.
        rebuild.kill()
        rebuild.wait(timeout=_PATIENCE)

    def kill_postgres(self) -> None:
        self.service.kill_postgres()

    def _begun(self, verb: str) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [*COMMAND, verb],
            env=environment(self._data),
            stdout=subprocess.DEVNULL,
            stderr=self._log,
        )


FAULTS: Final[Mapping[str, Callable[[Scene], None]]] = {
    "service killed": Scene.kill_service,
    "worker killed": Scene.kill_worker,
    "project killed": Scene.kill_project,
    "rebuild killed": Scene.kill_rebuild,
    "postgres killed": Scene.kill_postgres,
}

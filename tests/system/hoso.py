"""The command `hoso`, in a process of its own or in this one, for tests of what it says."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from api.terminal.command_line import hoso
from tests.system.service import environment

COMMAND = (sys.executable, "-c", "from api.terminal.command_line import run; run()")


@contextmanager
def beside(verb: str, data: Path, **settings: str) -> Iterator["subprocess.Popen[str]"]:
    """Start a verb that runs until it is told to end, and wait for its `ready`; kill the rest."""
    process = subprocess.Popen(
        [*COMMAND, verb],
        env={**environment(data), **settings},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            assert process.stderr is not None
            assert process.stderr.readline() == "ready\n"
            yield process
        finally:
            process.kill()


class Hoso:
    """Runs `hoso` in one data folder."""

    def __init__(self, data: Path) -> None:
        self.data = data

    def run(
        self, *words: str, given: str = "", **settings: str
    ) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [*COMMAND, *words],
            env={**environment(self.data), **settings},
            input=given,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def json(self, *words: str, given: str = "", status: int = 0) -> Any:  # noqa: ANN401  # JSON
        done = self.run(*words, "--json", given=given)
        assert done.returncode == status, done.stderr
        return json.loads(done.stdout)

    def refused(self, *words: str, **settings: str) -> str:
        """Return the one line that a refused command says."""
        done = self.run(*words, **settings)
        assert done.returncode == 1, done.stdout
        assert done.stdout == ""
        (line,) = done.stderr.splitlines()
        assert "Traceback" not in line
        return line


class HosoHere(Hoso):
    """Runs `hoso` in this process: what it does is the same, what a start costs is not paid."""

    def run(
        self, *words: str, given: str = "", **settings: str
    ) -> "subprocess.CompletedProcess[str]":
        unset = {name: None for name in os.environ if name.startswith("HOSO_")}
        set_here = {**unset, "HOSO_DATA": str(self.data), **settings}
        done = CliRunner().invoke(hoso, words, input=given, env=set_here)
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return subprocess.CompletedProcess(words, done.exit_code, done.stdout, done.stderr)

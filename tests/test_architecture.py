"""What must hold across the whole program, and what no single module's test would notice."""

import ast
import os
import re
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import fields
from importlib import import_module
from importlib.metadata import packages_distributions
from importlib.util import find_spec
from pathlib import Path
from pkgutil import walk_packages
from typing import TypeVar, get_type_hints

import pytest
from hypothesis import settings

from api.http.problems import STATUS
from api.showing.refusals import TITLES
from domain.dossier.appointments import Moved
from domain.dossier.chapter import AnyAct, DossierCommand
from domain.dossier.chapters import ACTS, COMMANDS, DOSSIER_EVENTS
from domain.dossier.intake import Resolved
from domain.envelope import LedgerEvent, category
from domain.errors import DomainError
from domain.ledger.access import _MAY
from domain.rules.registers import REGISTER_EVENTS, stream_for
from domain.rules.tokens import Role, TokenGranted, TokenRevoked
from domain.rules.units import UnitEndedByDecision, UnitRegistered
from projections.dossiers import View
from tests.filled import filled
from tests.looking import WHOLE

T = TypeVar("T")
ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
PACKAGES: list[str] = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
BUILT_IN = {"filterwarnings", "parametrize", "skip", "skipif", "usefixtures", "xfail", "asyncio"}
LONGEST = 500
SHIPPED = (
    "import sys; from importlib.resources import files\n"
    "for name in sys.argv[1:]:\n"
    "    package, *path = name.split('/')\n"
    "    assert '.whl' in str(files(package)), files(package)\n"
    "    files(package).joinpath(*path).read_text('utf-8')\n"
)


@pytest.fixture(scope="module", autouse=True)
def every_module() -> None:
    """Import every module, so that every class that exists is known."""
    for package in PACKAGES:
        for module in walk_packages([str(ROOT / package)], f"{package}."):
            import_module(module.name)


def kinds_of(parent: type[T]) -> set[type[T]]:
    """Return the classes of our own below a class, at any depth."""
    found: set[type[T]] = set()
    for child in type.__subclasses__(parent):
        found |= {child, *kinds_of(child)}
    return {kind for kind in found if kind.__module__.split(".")[0] in PACKAGES}


def files_of(*packages: str, suffix: str) -> list[Path]:
    return [path for package in packages for path in sorted((ROOT / package).rglob(f"*{suffix}"))]


@pytest.mark.parametrize("package", PACKAGES)
def test_no_other_distribution_claims_the_name_of(package: str) -> None:
    assert set(packages_distributions().get(package, [])) <= {PROJECT["project"]["name"]}
    spec = find_spec(package)
    assert spec is not None
    assert spec.origin == str(ROOT / package / "__init__.py")


def test_every_refusal_has_a_code_a_status_and_a_title_of_its_own() -> None:
    refusals = kinds_of(DomainError)
    own = Counter(vars(refusal)["code"] for refusal in refusals if "code" in vars(refusal))
    assert max(own.values()) == 1
    assert {refusal.code for refusal in refusals} <= STATUS.keys()
    assert STATUS.keys() == TITLES.keys()
    assert max(Counter(TITLES.values()).values()) == 1


def stored_kinds() -> set[type[LedgerEvent]]:
    """Return every event that can be stored: those with a name."""
    return {kind for kind in kinds_of(LedgerEvent) if "TOPIC" in vars(kind)}


def test_every_event_is_one_that_the_ledger_knows() -> None:
    assert stored_kinds() == {*DOSSIER_EVENTS, *REGISTER_EVENTS}


def test_every_event_has_a_stored_name_of_its_own() -> None:
    names = Counter(event.TOPIC for event in stored_kinds())
    assert max(names.values()) == 1
    form = re.compile(r"[a-z]+\.[a-z]+(-[a-z]+)*\.v[1-9][0-9]*")
    assert [name for name in names if form.fullmatch(name) is None] == []


def test_what_is_said_of_one_entry_stands_in_one_stream() -> None:
    """The stream of an entry follows from how the stored name begins."""
    assert {category(event.TOPIC) for event in DOSSIER_EVENTS} == {"dossier"}
    assert "dossier" not in {category(event.TOPIC) for event in REGISTER_EVENTS}
    assert stream_for(filled(UnitRegistered)) == stream_for(filled(UnitEndedByDecision))
    assert stream_for(filled(TokenGranted)) == stream_for(filled(TokenRevoked))


@pytest.mark.parametrize("parent", ["events.DossierEvent", "chapter.DossierCommand"])
def test_an_event_or_command_in_no_chapter_stops_the_start(parent: str) -> None:
    module, name = parent.split(".")
    program = (
        f"from domain.dossier.{module} import {name}\n"
        f"class Forgotten({name}): pass\n"
        "import domain.dossier.chapters"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, check=False, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert done.stderr.endswith("TypeError: No chapter of a dossier has Forgotten.\n")


def test_every_dossier_event_has_a_command_that_asks_for_it() -> None:
    assert kinds_of(DossierCommand) == set(COMMANDS.values())
    assert len(COMMANDS) == len(DOSSIER_EVENTS)


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.command.NAME)
def test_a_command_says_what_its_event_says(act: AnyAct) -> None:
    """But for what the ledger resolves, and what every event says."""
    command, event = act.command, act.event
    added = {field.name for field in fields(LedgerEvent)}
    for resolved in (Resolved, Moved):
        if issubclass(event, resolved):
            added |= {field.name for field in fields(resolved)}
    assert _says(command) == {
        name: said for name, said in _says(event).items() if name not in added
    }


def _says(kind: type[DossierCommand | LedgerEvent]) -> dict[str, tuple[object, object]]:
    declared = get_type_hints(kind)
    return {field.name: (declared[field.name], field.default) for field in fields(kind)}


def test_every_role_may_do_something() -> None:
    assert set(_MAY) == set(Role)
    assert all(_MAY.values())


@pytest.mark.slow
def test_the_wheel_brings_every_file_that_the_program_reads(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    data = [*files_of(*PACKAGES, suffix=".sql"), *files_of(*PACKAGES, suffix=".toml")]
    assert {path.suffix for path in data} == {".sql", ".toml"}
    names = [str(path.relative_to(ROOT)) for path in data]
    environment = {**os.environ, "PYTHONPATH": str(wheel)}
    subprocess.run(
        [sys.executable, "-c", SHIPPED, *names], cwd=tmp_path, env=environment, check=True
    )


def test_the_readme_begins_with_the_two_commands() -> None:
    blocks = re.findall(
        r"^```sh\n(.*?)^```", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    commands = [line.partition("#")[0].strip() for line in blocks[0].splitlines()]
    assert commands == ["make demo", "make test"]
    assert {"demo", "test"} <= targets().keys()


def test_continuous_integration_checks_and_tests_and_does_nothing_else() -> None:
    script = ROOT / ".ci" / "run"
    lines = script.read_text("utf-8").splitlines()
    does = [line for line in lines if line and not line.startswith(("#", "set ", "cd "))]
    assert does == ["make check test"]
    assert os.access(script, os.X_OK)
    assert {"check", "test"} <= targets().keys()


def test_the_whole_suite_tries_all_examples_and_the_fast_tests_few() -> None:
    recipe = targets()
    assert recipe["test"].strip() == "$(BIN)/pytest --hypothesis-profile=ci"
    assert "--hypothesis-profile=dev" in recipe["test-fast"]
    whole, few = (settings.get_profile(name) for name in ("ci", "dev"))
    assert whole.max_examples == WHOLE == settings.get_profile("default").max_examples
    assert few.max_examples < whole.max_examples
    assert (few.deadline, whole.deadline) == (None, None)


def targets() -> dict[str, str]:
    """Return the targets of the Makefile, each with its recipe."""
    makefile = (ROOT / "Makefile").read_text("utf-8")
    return dict(re.findall(r"^([a-z-]+):.*\n((?:\t.*\n)*)", makefile, re.MULTILINE))


def test_the_contract_that_read_models_stand_alone_names_every_one() -> None:
    contracts = PROJECT["tool"]["importlinter"]["contracts"]
    (alone,) = (each for each in contracts if each["type"] == "independence")
    modules = (f"projections.{path.stem}" for path in (ROOT / "projections").glob("[a-z]*.py"))
    assert {module for module in modules if is_view(module)} == set(alone["modules"])


def is_view(module: str) -> bool:
    return any(isinstance(value, View) for value in vars(import_module(module)).values())


def test_no_file_is_too_long_to_read() -> None:
    modules = files_of(*PACKAGES, suffix=".py")
    lengths = {str(path): len(path.read_text("utf-8").splitlines()) for path in modules}
    assert {path: length for path, length in lengths.items() if length > LONGEST} == {}


def test_every_marker_that_a_test_bears_is_declared_and_every_declared_one_is_used() -> None:
    declared = {
        marker.partition(":")[0] for marker in PROJECT["tool"]["pytest"]["ini_options"]["markers"]
    }
    used = {name for path in files_of("tests", suffix=".py") for name in markers_in(path)}
    assert used - BUILT_IN == declared


def markers_in(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "pytest.mark":
            yield node.attr

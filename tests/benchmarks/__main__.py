"""Run benchmarks, all or those named: a table for people, `build/bench.json` for programs."""

import argparse
import json
import pkgutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import uvloop
from rich.console import Console
from rich.table import Table

import tests.benchmarks
from tests.benchmarks.measuring import BENCHMARKS, QUICK, THOROUGH, Effort, Figure, machine

RESULTS = Path("build/bench.json")
_WIDE = 150  # Columns, where the table goes to a file.


def main() -> int:
    """Return 0 unless a benchmark crashed: a missed target is a figure, no failure."""
    console = Console(soft_wrap=True, width=None if sys.stdout.isatty() else _WIDE)
    crashed = _broken_modules(console)
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--quick", action="store_true", help="only try whether it runs: seconds")
    parser.add_argument("--rounds", type=int, help="fewer rounds, to see where one stands")
    asked = parser.parse_args()
    unknown = set(asked.names) - BENCHMARKS.keys()
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    effort = QUICK if asked.quick else THOROUGH
    if asked.rounds:
        effort = replace(effort, rounds=asked.rounds)
    figures: list[Figure] = []
    crashed += [
        name for name in asked.names or BENCHMARKS if not _measured(name, effort, figures, console)
    ]
    _write(figures, effort)
    console.print(_table(figures))
    console.print(", ".join(f"{name} {value}" for name, value in machine().items()))
    for facts in _distinct([figure.server for figure in figures]):
        console.print(", ".join(f"{name} {value}" for name, value in facts.items()))
    if effort is not THOROUGH:
        console.print("Measured with --quick or fewer --rounds: these figures only orient.")
    return 1 if crashed else 0


def _broken_modules(console: Console) -> list[str]:
    """Import every module beside this one, and name those that cannot be."""
    broken: list[str] = []
    for module in pkgutil.iter_modules(tests.benchmarks.__path__):
        try:
            if module.name != "__main__":
                import_module(f"tests.benchmarks.{module.name}")
        except Exception:  # noqa: BLE001  # the edge of the process: the others still run
            console.print_exception()
            broken.append(module.name)
    return broken


def _measured(name: str, effort: Effort, figures: list[Figure], console: Console) -> bool:
    with console.status(f"measuring {name}"):
        try:
            figures += uvloop.run(_run(name, effort))
        except Exception:  # noqa: BLE001  # the edge of the process: the others still run
            console.print_exception()
            return False
    return True


async def _run(name: str, effort: Effort) -> list[Figure]:
    return await BENCHMARKS[name](effort)


def _write(figures: Sequence[Figure], effort: Effort) -> None:
    facts = {**machine(), "mode": "thorough" if effort is THOROUGH else "quick"}
    content = [
        {
            "name": figure.name,
            "value": figure.value,
            "unit": figure.unit,
            "target": figure.target,
            "aim": figure.aim,
            "met": figure.met,
            "aim_met": figure.aim_met,
            "flaw": figure.flaw,
            "beside": dict(figure.beside),
            "machine": {**facts, **figure.server},
        }
        for figure in figures
    ]
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", "utf-8")


def _table(figures: Sequence[Figure]) -> Table:
    table = Table("figure", "measured", "bound", "aim", "", "beside it, in the same run")
    for figure in figures:
        table.add_row(
            figure.name,
            f"{_number(figure.value)} {figure.unit}",
            _bound(figure, figure.target),
            _bound(figure, figure.aim),
            _verdict(figure),
            "\n".join(f"{name}: {_number(value)}" for name, value in figure.beside.items()),
        )
    return table


def _bound(figure: Figure, value: float | None) -> str:
    if value is None:
        return ""
    return f"{'at most' if figure.at_most else 'at least'} {_number(value)}"


def _verdict(figure: Figure) -> str:
    if figure.flaw is not None:
        return f"[bold]missed[/bold]: {figure.flaw}"
    if figure.aim_met:
        return "aim met"
    return {None: "", True: "met", False: "[bold]missed[/bold]"}[figure.met]


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _distinct(facts: Sequence[Mapping[str, str]]) -> list[Mapping[str, str]]:
    return [each for index, each in enumerate(facts) if each and each not in facts[:index]]


if __name__ == "__main__":
    sys.exit(main())

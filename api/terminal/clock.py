"""`hoso clock`: what time brings about, in a process of its own or once."""

import asyncio
from dataclasses import asdict
from typing import Any

import rich_click as click

from api.http.serving import told_to_end
from api.main import Settings, opened, read_settings, timekeeper_of
from api.terminal.console import as_json, carry_out, notes, print_json, print_pairs
from streams.time.timekeeper import Ticked


@click.command()
@click.option("--once", is_flag=True, help="Do what is due now, and end.")
@as_json
def clock(once: bool, as_json: bool) -> None:  # noqa: FBT001  # flags of the command line
    """Act on what is due: transfers time out, supplements expire, due dates move, until SIGTERM.

    `hoso serve` does so too; of all that run, one acts and the others wait for its end. With
    `--once` it acts beside them: everything has its effect once.

    Example: `hoso clock --once --json`
    """
    if not once:
        if as_json:
            raise click.UsageError("--json goes with --once.")
        carry_out(lambda: _run(read_settings()))
        return
    ticked = carry_out(lambda: _once(read_settings()))
    body: dict[str, Any] = asdict(ticked)
    if as_json:
        print_json(body)
        return
    recomputed = body.pop("recomputed")
    names = {f"recomputed: {name}": count for name, count in recomputed.items()}
    print_pairs({**body, **names})


async def _once(settings: Settings) -> Ticked:
    async with opened(settings, "clock") as process:
        runner = process.services.runner

        async def caught_up(_: int) -> bool:
            await runner.catch_up()
            return True

        ticked = await timekeeper_of(process, caught_up).tick()
        await runner.catch_up()  # Whoever reads next sees it.
        return ticked


async def _run(settings: Settings) -> None:
    told = asyncio.Event()
    with told_to_end(lambda _: told.set()):
        async with opened(settings, "clock") as process:
            runner = process.services.runner
            runner.start()
            clock = timekeeper_of(process)
            clock.start()
            notes.print("ready")
            await told.wait()
            await clock.close()
            await runner.close()

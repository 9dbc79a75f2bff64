"""`hoso project`: the read models in a process of their own."""

import rich_click as click

from api import main, processes
from api.terminal.console import carry_out, notes


@click.command()
def project() -> None:
    """Keep the read models up, until SIGTERM, in a process that does nothing else.

    While one runs, `hoso serve` leaves them to it, and has its processor for the desks; when it
    ends, `hoso serve` goes on with them. Of several, one works and the others wait.

    Example: `hoso project`
    """
    carry_out(lambda: processes.project(main.read_settings(), lambda: notes.print("ready")))

"""Facts in batches through HTTP, as a source sends them all day."""

from functools import partial
from statistics import median
from typing import Final

from tests.benchmarks.lag import grown
from tests.benchmarks.lives import lives
from tests.benchmarks.measuring import Effort, Figure, alternate, benchmark
from tests.benchmarks.processes import ledger, offers, serving
from tests.benchmarks.sending import Source
from tests.benchmarks.sides import Side, beside, tell

SIZE: Final = 100
_CALLERS: Final = 16


@benchmark("batches")
async def batches(effort: Effort) -> list[Figure]:
    """Batches of a hundred facts: one to four of a dossier in a row, of some forty dossiers."""
    apart = offers("project")
    async with ledger() as made, serving(made, apart=apart) as target:
        side = Side(target, Source(lives(2), target.tokens, SIZE), _CALLERS, SIZE)
        await side.run(effort.sustained / 3)
        found = await alternate(effort.rounds, {"facts": partial(side.run, effort.sustained)})
    tell(found)
    samples = found["facts"]
    return [
        Figure(
            name=f"facts in batches of {SIZE}, {_CALLERS} callers, "
            + ("`hoso project` beside" if apart else "all in one process"),
            value=median(each.rate for each in samples),
            unit="/s",
            target=8_500,
            aim=15_000,
            flaw=grown([each.lag for each in samples]),
            beside=beside(samples),
        )
    ]

"""The made-up province in a ledger: its units, rules and calendar, and a token for each sender."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

from api.main import Process, Settings, opened
from api.operating.catalogue import load_entries
from api.operating.tokens import granted
from domain.rules.calendars import CalendarDecided
from domain.rules.tokens import Role
from streams.registers.catalogue_files import COMMUNE, load_catalogue, parse_catalogue
from tests.benchmarks.lives import COMMUNES, PROVINCE, Commune
from tests.examples import stamp
from tests.system.service import environment

SOURCE: Final = "urn:bench"
_TOKENS = timedelta(days=365)


@dataclass(frozen=True, kw_only=True)
class Tokens:
    """Who sends: a desk for each commune, a source, and who looks at the whole province."""

    desks: Mapping[str, str]
    source: str
    province: str


async def founded(data: Path) -> Tokens:
    """Make a ledger in a new folder, with the province in it."""
    async with opened(Settings.read(environment(data)), "bench") as process:
        await settle(process)
        return await granted_tokens(process)


async def settle(process: Process) -> None:
    """Register units and rules, and calendars from a year ago for as long as terms may reach."""
    await load_entries(process, load_catalogue(COMMUNE))
    await load_entries(process, parse_catalogue("".join(map(_units, COMMUNES))))
    year = datetime.now(UTC).year
    await load_entries(process, [_new_year(each) for each in range(year - 1, year + 3)])


async def granted_tokens(process: Process) -> Tokens:
    # The appender commits at once what waits together.
    desks = await asyncio.gather(
        *(granted(process, Role.DESK, each.code, _TOKENS) for each in COMMUNES)
    )
    return Tokens(
        desks=dict(zip((each.code for each in COMMUNES), desks, strict=True)),
        source=await granted(process, Role.SOURCE, PROVINCE, _TOKENS, SOURCE),
        province=await granted(process, Role.INSPECTOR, PROVINCE, _TOKENS),
    )


def _units(commune: Commune) -> str:
    below = f'parent = "{commune.code}"'
    return f"""
[[units]]
code = "{commune.code}"
name = "Ủy ban nhân dân xã số {commune.code}"
parent = "{PROVINCE}"
level = "commune"
[[units]]
code = "{commune.desk}"
name = "Trung tâm Phục vụ hành chính công xã số {commune.code}"
{below}
level = "desk"
dossier_prefix = "{commune.code}"
[[units]]
code = "{commune.agency}"
name = "Phòng chuyên môn xã số {commune.code}"
{below}
level = "department"
"""


def _new_year(year: int) -> CalendarDecided:
    """Decide a day of a year, so that it counts as known: terms reach into it."""
    day = date(year, 1, 1)
    name = f"bench-{year}"
    return CalendarDecided(**stamp(name), id=name, issued=date(2025, 1, 2), off=(day,))

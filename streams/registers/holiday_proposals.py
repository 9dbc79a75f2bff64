"""Proposals for the days off of a year, by the Labour Code, from a library that knows the moon."""

from datetime import date
from importlib.metadata import version
from typing import Final, cast

import holidays

from domain.errors import InvalidRequest
from domain.rules.calendars import CalendarDecided
from streams.registers.entries import CALENDARS, entry

# The years whose Tết and Giỗ Tổ were compared with a lunar table of UTC+7: all are right, 2030 too,
# where a table of UTC+8 has Tết a day late.
VERIFIED: Final = range(2018, 2034)

# What the library says beyond the law, by the first words of its names.
_NOT_BY_LAW: Final = (
    "Ngày nghỉ (thay cho ngày",  # A swap is a decision of its own, with the day worked for it.
    "Ngày Văn hóa Việt Nam",  # 24/11: policy of NQ 80-NQ/TW, not in Điều 112.
)

_CODE_OF_2019: Final = 2021  # Its first year; before, Quốc khánh was one day.


def proposal(year: int, issued: date) -> CalendarDecided:
    """Return what the Labour Code closes in a year, to be stored and then confirmed or not.

    The library places Tết as the Government has since 2018: one day before it and four after, or
    two and three where a Saturday would be among the former. What falls on a weekly rest day is
    made up for on the next working day. Raises InvalidRequest for years that were not verified.
    """
    if year not in VERIFIED:
        raise InvalidRequest(
            f"There is no proposal for {year}: the lunar table was verified for the years"
            f" {VERIFIED[0]} to {VERIFIED[-1]}."
        )
    named = holidays.country_holidays("VN", years=year, language="vi")
    off = [
        day
        for day in sorted(named)
        if not all(name.startswith(_NOT_BY_LAW) for name in named.get_list(day))
    ]
    said = {
        "id": f"{year}-base",
        "title": _title(year),
        "issued": issued,
        "off": off,
        "proposal": True,
    }
    return cast("CalendarDecided", entry(CALENDARS, said))


def _title(year: int) -> str:
    law = (
        "Bộ luật Lao động 2019 (45/2019/QH14), Điều 111-112"
        if year >= _CODE_OF_2019
        else "Bộ luật Lao động 2012 (10/2012/QH13), Điều 115"
    )
    return f"Nghỉ lễ, tết năm {year} theo {law}; thư viện holidays {version('holidays')} đề xuất"

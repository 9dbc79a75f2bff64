"""Until when others are to act: the applicant, the next agency, whoever asks for a supplement."""

from contextlib import suppress
from datetime import datetime, time, timedelta

from domain.deadlines.law import OfficePolicy
from domain.dossier.dates.dates import Dates
from domain.errors import CalendarLacksYear
from domain.rules.procedures import ProcedureVersion

_DAY_ENDS = time(23, 59, 59)


def notice_days(procedure: ProcedureVersion | None, policy: OfficePolicy) -> int:
    """Return within how many working days a supplement is to be asked for."""
    own = procedure.supplement_notice_days if procedure is not None else None
    return policy.supplement_notice_days if own is None else own


def answer_days(procedure: ProcedureVersion | None, policy: OfficePolicy) -> int | None:
    """Return within how many working days a supplement is to be answered; None: no limit."""
    own = procedure.supplement_answer_days if procedure is not None else None
    return policy.supplement_answer_days if own is None else own


def supplement_limit(asked_at: datetime, dates: Dates) -> datetime | None:
    """Return the end of the last day on which a supplement may be answered, if there is one."""
    days = answer_days(dates.procedure, dates.policy)
    if days is None:
        return None
    with suppress(CalendarLacksYear, OverflowError):
        last = dates.calendar.nth_after(dates.calendar.local(asked_at), days)
        return dates.calendar.aware(datetime.combine(last, _DAY_ENDS))
    return None


def transfer_limit(offered_at: datetime, dates: Dates) -> datetime | None:
    """Return until when a transfer may be answered, if there is a limit."""
    hours = dates.policy.transfer_answer_hours
    if hours is None:
        return None
    with suppress(CalendarLacksYear, OverflowError):
        start = dates.calendar.opening(dates.calendar.local(offered_at))
        return dates.calendar.aware(dates.calendar.add(start, timedelta(hours=hours)))
    return None

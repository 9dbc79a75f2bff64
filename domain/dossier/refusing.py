"""What commands of several chapters may not say of time: limits that are past, or too far."""

from datetime import datetime

from domain.dossier.chapter import Hindered, Situation
from domain.errors import InvalidRequest


def refuse_early(situation: Situation, until: datetime | None) -> None:
    """Refuse to act on a silence that may still be broken. Raises Hindered."""
    if until is not None and (situation.now or situation.at) <= until:
        raise Hindered(f"an answer is awaited until {until.isoformat()}.")


def refuse_past_limit(situation: Situation, answer_by: datetime | None) -> None:
    """Raise InvalidRequest for an answer that was to be given already."""
    if answer_by is not None and answer_by <= situation.at:
        raise InvalidRequest("answer_by must lie ahead.")


def refuse_past_whole(situation: Situation, deadline: datetime | None) -> None:
    """Raise InvalidRequest for work that may take longer than the whole (NĐ 61/2018, Điều 19.6)."""
    due = situation.dossier.due
    if deadline is not None and due is not None and deadline > due:
        raise InvalidRequest("deadline lies after the due date of the whole dossier.")

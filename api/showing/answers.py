"""The form of every answer: a struct that carries an example of itself, written in one way.

The same struct is answered over HTTP, printed by `--json` and described by the OpenAPI document.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, ClassVar, Final

import msgspec
from msgspec import Meta

from domain.dossier.status import Status

Moment = Annotated[datetime, Meta(tz=True)]
Count = Annotated[int, Meta(ge=0)]

_CODES: Final = frozenset(status.portal_code for status in Status)
PortalStatus = Annotated[int, Meta(ge=min(_CODES), le=max(_CODES), description="TrangThaiHoSo")]


class Answer(msgspec.Struct):
    """What is answered as a whole. Its docstring and its example document it."""

    EXAMPLE: ClassVar[Mapping[str, object]]


encoded: Final = msgspec.json.Encoder().encode
"""Return an answer as JSON: moments in UTC end with Z, others keep their offset."""

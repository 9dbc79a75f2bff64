"""All operations, by what they are about: the application serves them, the document shows them."""

from typing import Final

from api.http.commands import commands
from api.http.declared import Resource
from api.http.dossiers import dossiers
from api.http.due_dates import due_dates
from api.http.events import facts
from api.http.health import running
from api.http.public import public

SERVED: Final[tuple[Resource, ...]] = (facts, commands, dossiers, due_dates, public, running)

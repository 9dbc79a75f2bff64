"""The parts of an address and the headers that operations take, each said once."""

from typing import Annotated, Final
from urllib.parse import unquote
from uuid import UUID

from api.http.declared import Parameter
from api.http.requests import Request, key_of, version_of
from api.naming import dossier_ref
from domain.errors import InvalidRequest, NotFound
from streams.wire.examples import DOSSIER_CODE

COMMANDS_PATH: Final = "/v1/commands/"
_TEXT: Final = {"type": "string", "minLength": 1}
_KEY: Final = {"type": "string", "pattern": "^[\\x21-\\x7e]{1,200}$"}
_KEY_EXAMPLE: Final = "quay-1-20260302-0001"


def _dossier(request: Request) -> UUID | str:
    return dossier_ref(request.path_params["dossier"])


def _code(request: Request) -> str:
    ref = dossier_ref(request.path_params["code"])
    if not isinstance(ref, str):
        raise NotFound("such dossier")
    return ref


def _key_as_sent(request: Request) -> str:
    """Return the key at the end of a path; the framework loses some of its slashes."""
    path: bytes = request.scope["raw_path"]
    text = unquote(path.decode("latin-1").removeprefix(COMMANDS_PATH))
    if not text.isascii() or not text.isprintable():
        raise InvalidRequest("A key has visible characters only.")
    return text


DossierName = Annotated[
    UUID | str,
    Parameter(
        name="dossier",
        where="path",
        schema=_TEXT,
        description="The dossier's UUID or code.",
        example=DOSSIER_CODE,
        read=_dossier,
    ),
]
DossierCode = Annotated[
    str,
    Parameter(
        name="code",
        where="path",
        schema=_TEXT,
        description="Its code.",
        example=DOSSIER_CODE,
        read=_code,
    ),
]
SentKey = Annotated[
    str,
    Parameter(
        name="key",
        where="path",
        schema=_KEY,
        description="The Idempotency-Key.",
        example=_KEY_EXAMPLE,
        read=_key_as_sent,
    ),
]
IdempotencyKey = Annotated[
    str | None,
    Parameter(
        name="Idempotency-Key",
        where="header",
        schema=_KEY,
        description="Names this request for ever: the same again gets the same answer."
        " Only a dry run needs none.",
        example=_KEY_EXAMPLE,
        read=key_of,
        required=False,
    ),
]
ReadVersion = Annotated[
    int,
    Parameter(
        name="If-Match",
        where="header",
        schema={"type": "string", "pattern": '^(W/)?"[0-9]{1,9}"$'},
        description="The version that the sender has read, as its ETag gave it.",
        example='"1"',
        read=version_of,
    ),
]

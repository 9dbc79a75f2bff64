"""The interactive documentation at /schema. Its files come from a package, not from the net."""

import asyncio
from importlib.metadata import distribution
from pathlib import Path
from typing import Annotated, Final

from api.http.declared import Parameter, Resource
from api.http.replies import File, Media
from api.http.requests import Request
from domain.errors import NotFound

documents: Final = Resource("Documentation", "This description, for programs and for people.")

START: Final = "start.js"
FILES: Final = {
    START: "text/javascript",
    "swagger-ui.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
    "favicon-32x32.png": "image/png",
}


def _file_name(request: Request) -> str:
    name = request.path_params["name"]
    if name not in FILES:
        raise NotFound("such file")
    return name


FileName = Annotated[
    str,
    Parameter(
        name="name",
        where="path",
        schema={"type": "string", "enum": list(FILES)},
        description="A file.",
        example=START,
        read=_file_name,
    ),
]
_SCRIPT: Final = b"""window.addEventListener("load", () => {
  SwaggerUIBundle({url: "/openapi.json", dom_id: "#page", deepLinking: true, validatorUrl: null});
});
"""
_PAGE: Final = b"""<!doctype html>
<html lang="vi">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>H\xe1\xbb\x93 S\xc6\xa1 Ledger</title>
<link rel="icon" href="/schema/favicon-32x32.png">
<link rel="stylesheet" href="/schema/swagger-ui.css">
<div id="page"></div>
<script src="/schema/swagger-ui-bundle.js"></script>
<script src="/schema/start.js"></script>
</html>
"""
_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
        " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@documents.is_open("/schema")
async def documentation() -> Annotated[File, Media(("text/html",))]:
    """Return the interactive documentation, a page that needs no internet.

    It runs only its own files and asks no other host.
    """
    return File(_PAGE, "text/html; charset=utf-8", _HEADERS)


@documents.is_open("/schema/{name:str}", problems=(NotFound,))
async def documentation_file(
    name: FileName,
) -> Annotated[File, Media(("text/javascript", "text/css", "image/png"))]:
    """Return a file of the documentation's page.

    Only what the page itself names is given away.
    """
    content = _SCRIPT if name == START else await asyncio.to_thread((_folder() / name).read_bytes)
    return File(content, FILES[name], {**_HEADERS, "Cache-Control": "max-age=86400"})


def _folder() -> Path:
    """Find the package's files without importing it: it would load frameworks we do not use."""
    return Path(str(distribution("swagger-ui-py").locate_file("swagger_ui/static")))

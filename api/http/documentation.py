"""The interactive documentation at /schema. Its files come from a package, not from the net."""

from importlib.metadata import distribution
from pathlib import Path
from typing import Final

from litestar import Response, get
from litestar.params import FromPath

from domain.errors import NotFound

START: Final = "start.js"
FILES: Final = {
    START: "text/javascript",
    "swagger-ui.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
    "favicon-32x32.png": "image/png",
}
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


@get("/schema", sync_to_thread=False)
def documentation() -> Response[bytes]:
    """Return the interactive documentation, a page that needs no internet."""
    return Response(_PAGE, media_type="text/html; charset=utf-8", headers=_HEADERS)


@get("/schema/{name:str}", sync_to_thread=True)
def documentation_file(name: FromPath[str]) -> Response[bytes]:
    """Return a file of the documentation's page."""
    if name not in FILES:
        raise NotFound("such file")
    content = _SCRIPT if name == START else (_folder() / name).read_bytes()
    headers = {**_HEADERS, "Cache-Control": "max-age=86400"}
    return Response(content, media_type=FILES[name], headers=headers)


def _folder() -> Path:
    """Find the package's files without importing it: it would load frameworks we do not use."""
    return Path(str(distribution("swagger-ui-py").locate_file("swagger_ui/static")))

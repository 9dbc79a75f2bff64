"""The server that ours is measured beside: same framework, same checks, nothing behind.

It has an address for every command, reads a body by the command's own type, and answers as if it
had been carried out.
"""

import socket
import sys
from datetime import UTC, datetime
from itertools import count
from typing import Any, cast
from uuid import uuid4

import orjson
import uvicorn
from litestar import Litestar, Response
from litestar import Request as RoutedRequest
from litestar.handlers import HTTPRouteHandler

from api.http.requests import Request, Serving, key_of, version_of
from domain.dossier.chapters import COMMANDS
from domain.dossier.intake import AcceptDossier
from streams.wire.inputs import command_from

_positions = count(1)
_NOTHING_BEHIND = cast("Serving", None)


def _handler(name: str) -> HTTPRouteHandler:
    opens = name == AcceptDossier.NAME
    address = "/v1/dossiers" if opens else f"/v1/dossiers/{{dossier:str}}/{name}"

    async def carry_out(request: RoutedRequest[Any, Any, Any]) -> Response[bytes]:
        sent = Request(request.scope, request.receive, request.path_params, _NOTHING_BEHIND)
        key = key_of(sent)
        version = 1 if opens else version_of(sent) + 1
        command_from(name, await request.body())
        answer = {
            "id": uuid4(),
            "code": key,
            "version": version,
            "seq": next(_positions),
            "position": version,
            "due": datetime.now(UTC),
        }
        tag = {"ETag": f'"{version}"'}
        return Response(
            orjson.dumps(answer), status_code=201, media_type="application/json", headers=tag
        )

    return HTTPRouteHandler(address, http_method="POST", status_code=201)(carry_out)


async def main(port: int) -> None:
    application = Litestar(
        [_handler(name) for name in COMMANDS], openapi_config=None, logging_config=None
    )
    config = uvicorn.Config(
        application,
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="warning",
        lifespan="off",
    )
    with socket.create_server(("127.0.0.1", port), backlog=2048) as listening:
        server = uvicorn.Server(config)
        print(f"ready http://127.0.0.1:{port}", flush=True)  # noqa: T201  # its contract
        await server.serve([listening])


if __name__ == "__main__":
    import uvloop

    uvloop.run(main(int(sys.argv[1])))

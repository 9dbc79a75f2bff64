"""The server that ours is measured beside: same framework, same checks, nothing behind."""

import socket
import sys
from uuid import uuid4

import orjson
import uvicorn
from litestar import Litestar, Response, post

from api.http.requests import AnyRequest
from streams.wire.inputs import command_from


@post("/v1/dossiers", status_code=201)
async def accept(request: AnyRequest) -> Response[bytes]:
    command, _ = command_from("accept", await request.body())
    answer = {"id": uuid4(), "code": command.NAME, "version": 1, "seq": 1, "position": 1}
    return Response(orjson.dumps(answer), status_code=201, media_type="application/json")


async def main(port: int) -> None:
    application = Litestar([accept], openapi_config=None, logging_config=None)
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

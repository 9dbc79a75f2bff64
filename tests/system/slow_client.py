"""A client whose request a service has accepted, but not read to its end yet."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

# Sends the head of a request and, when the service asks for the rest, says so: only then is the
# service asked to end. A head that it had not read yet would be nothing that it accepted.
_PROGRAM: Final = """
import json, socket, sys
from urllib.parse import urlsplit
address, token = urlsplit(sys.argv[1]), sys.argv[2]
body = json.dumps({"procedure": "2.000815", "channel": "direct",
                   "receiving_unit": "H44.100.01", "competent_unit": "H44.100.02"}).encode()
head = (f"POST /v1/dossiers HTTP/1.1\\r\\nHost: x\\r\\nAuthorization: Bearer {token}\\r\\n"
        f"Idempotency-Key: slow\\r\\nExpect: 100-continue\\r\\n"
        f"Content-Length: {len(body)}\\r\\n\\r\\n").encode()
with socket.create_connection((address.hostname, address.port)) as server:
    server.sendall(head)
    print(server.recv(65536).decode().splitlines()[0], flush=True)
    server.sendall(body)
    print(server.recv(65536).decode().splitlines()[0], flush=True)
"""


@contextmanager
def slow_client(address: str, token: str) -> Iterator["subprocess.Popen[str]"]:
    """Have a dossier accepted by a client that waits before the body, and then says the answer."""
    command = (sys.executable, "-c", _PROGRAM, address, token)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as client:
        assert client.stdout is not None
        assert client.stdout.readline() == "HTTP/1.1 100 Continue\n"
        yield client

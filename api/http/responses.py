"""What goes out, by whichever way it came in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from litestar.types import Send

JSON: Final = "application/json"


@dataclass(frozen=True, kw_only=True, slots=True)
class Response:
    """Bytes, ready to be sent: their media type is said as it stands here."""

    status: int
    content: bytes
    media: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)

    async def send(self, send: Send) -> None:
        """Send it as ASGI has it."""
        headers = [(name.lower().encode(), text.encode()) for name, text in self.headers.items()]
        headers.append((b"content-type", self.media.encode()))
        headers.append((b"content-length", b"%d" % len(self.content)))
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.content, "more_body": False})

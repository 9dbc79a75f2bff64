"""What is posted comes in directly or through the router: both answer the same (ADR 16)."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import uuid4

import pytest

from tests.api.service import BATCH, FACTS, Service, acceptance, event

_TO_THE_ROUTER: Final = {"Host": "hoso_test"}  # An allowed host, but an unusual one.
_KEY: Final = {"Idempotency-Key": "the same by both ways", "Content-Type": "application/json"}
_CASES: Final[Mapping[str, tuple[str, dict[str, str], Any]]] = {
    "a new dossier": ("/v1/dossiers?dry_run=true", _KEY, acceptance()),
    "no json": ("/v1/dossiers", _KEY, b"{"),
    "too deep": ("/v1/dossiers", _KEY, b"[" * 5000),
    "too large": ("/v1/dossiers", _KEY, b" " * ((8 << 20) + 1)),
    "no key": ("/v1/dossiers", {}, acceptance()),
    "a bad key": ("/v1/dossiers", {"Idempotency-Key": "a b"}, acceptance()),
    "an unknown parameter": ("/v1/dossiers?dry-run=true", _KEY, acceptance()),
    "no version": (f"/v1/dossiers/{uuid4()}/accept-transfer", _KEY, {}),
    "nobody's dossier": (
        f"/v1/dossiers/{uuid4()}/accept-transfer",
        {**_KEY, "If-Match": '"1"'},
        {},
    ),
    "nobody's code": ("/v1/dossiers/H44-1/accept-transfer", {**_KEY, "If-Match": '"1"'}, {}),
    "no command": (f"/v1/dossiers/{uuid4()}/dance", _KEY, {}),
    "no dossier": ("/v1/dossiers//accept-transfer", _KEY, {}),
    "a slash at the end": ("/v1/dossiers/?dry_run=true", _KEY, acceptance()),
    "only read": (f"/v1/dossiers/{uuid4()}", _KEY, {}),
    "nobody's address": ("/v2/dossiers", _KEY, {}),
    "a search": (
        "/v1/dossier-searches",
        {"Content-Type": "application/json"},
        {"phone": "0912345678"},
    ),
    "a date": ("/v1/due-previews", {"Content-Type": "application/json"}, {"procedure": "1.004193"}),
    "an event without a type": ("/v1/events", {"Content-Type": FACTS}, {"specversion": "1.0"}),
    "no media type of ours": ("/v1/events", {"Content-Type": "text/plain"}, {}),
    "an empty batch": ("/v1/events", {"Content-Type": BATCH}, []),
}


@pytest.mark.parametrize("who", ["desk", "nobody known", None])
@pytest.mark.parametrize("case", _CASES)
async def test_both_ways_answer_the_same(service: Service, case: str, who: str | None) -> None:
    path, headers, said = _CASES[case]
    body: dict[str, Any] = {"content": said} if isinstance(said, bytes) else {"json": said}
    answers = []
    for way in ({}, _TO_THE_ROUTER):
        answer = await service.ask("POST", path, who=who, headers={**headers, **way}, **body)
        content = answer.json()
        content.pop("id", None)  # A dry run names the dossier that it would have opened.
        answers.append((answer.status_code, dict(answer.headers), content))
    assert answers[0] == answers[1]


async def test_what_came_by_one_way_is_known_by_the_other(service: Service) -> None:
    headers = {**_KEY, "Idempotency-Key": uuid4().hex}
    first, second = [
        await service.ask("POST", "/v1/dossiers", headers={**headers, **way}, json=acceptance())
        for way in ({}, _TO_THE_ROUTER)
    ]
    assert first.status_code == 201
    assert (first.content, first.headers) == (second.content, second.headers)
    path = f"/v1/dossiers/{first.json()['id']}/complete-step"
    asked = {**_KEY, "Idempotency-Key": uuid4().hex, "If-Match": first.headers["etag"]}
    escaped = path.replace("-", "%2D")
    done, again = [
        await service.ask("POST", each, headers=asked, json={"step": "thẩm định"})
        for each in (path, escaped)
    ]
    assert (done.status_code, done.headers["etag"]) == (201, '"2"')
    assert (done.content, done.headers) == (again.content, again.headers)


async def test_only_the_first_of_a_header_counts(service: Service) -> None:
    """By both ways, so that nobody in between reads another key than we do."""
    sent = event("dossier.step-completed.v1", {"step": "a"})
    headers = [
        ("Authorization", f"Bearer {service.tokens['source']}"),
        ("Authorization", "Bearer nobody's"),
        ("Content-Type", FACTS),
    ]
    for way in ([], list(_TO_THE_ROUTER.items())):
        answer = await service.client.post("/v1/events", headers=[*headers, *way], json=sent)
        assert answer.status_code in {200, 201}

"""`hoso explain` as its users run it, beside a running service."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.system.hoso import Hoso, HosoHere
from tests.system.load import AGENCY, DESK
from tests.system.service import Service

pytestmark = [pytest.mark.system, pytest.mark.postgres]

PROCEDURE = "1.001776"  # 10 working days, with steps.
CODE = "GP-2026-0017"
DOSSIER = "11d1c0de-0000-4000-8000-000000000017"
SAID: dict[str, object] = {
    "code": CODE,
    "procedure": PROCEDURE,
    "channel": "direct",
    "receiving_unit": DESK,
    "competent_unit": AGENCY,
    "owner": {"name": "Nguyễn Thị Bưởi"},
}
FACTS: tuple[tuple[str, str, dict[str, object]], ...] = (
    ("dossier.accepted.v1", "2026-02-12T09:15:00+07:00", SAID),
    ("dossier.supplement-requested.v1", "2026-02-13T10:00:00+07:00", {"reason": "Thiếu"}),
    ("dossier.supplement-completed.v1", "2026-02-24T14:00:00+07:00", {}),
)
AT = ("--at", "2026-02-25T08:00")


@pytest.fixture(scope="module")
def hoso(served: Service) -> Hoso:
    hoso = HosoHere(served.data)
    assert hoso.json("catalogue", "load", "commune")["recorded"] > 10
    return hoso


@pytest.fixture(scope="module")
def client(served: Service, hoso: Hoso) -> Iterator[httpx.Client]:
    token = hoso.run("token", "create", "--role", "desk", "--unit", "H44.100").stdout.strip()
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(
        base_url=served.address, headers=headers, timeout=60, trust_env=False
    ) as client:
        for place, (kind, when, data) in enumerate(FACTS):
            event = {
                "specversion": "1.0",
                "id": f"explained-{place}",
                "source": "vn.gov.motcua.example",
                "type": f"vn.gov.motcua.{kind}",
                "time": when,
                "subject": DOSSIER,
                "data": data,
            }
            media = {"Content-Type": "application/cloudevents+json"}
            assert client.post("/v1/events", json=event, headers=media).status_code == 201
        yield client


def answered(client: httpx.Client, **params: str) -> dict[str, Any]:
    response = client.get(f"/v1/dossiers/{CODE}/due-date", params=params)
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json()
    return body


def test_it_says_what_http_answers(hoso: Hoso, client: httpx.Client) -> None:
    body = hoso.json("explain", CODE, *AT)
    assert body == answered(client, at="2026-02-25T08:00:00+07:00")
    assert body == hoso.json("explain", DOSSIER, *AT)
    assert (body["state"], body["pauses"][0]["effect"]) == ("running", "restarted")
    paused = hoso.json("explain", CODE, "--as-of", "2026-02-23T08:00", *AT)
    assert paused["state"] == "paused"
    assert paused["due_if_resumed_now"] is not None
    unknown = hoso.json("explain", CODE, "--known-at", "2026-02-25T08:00", *AT)
    assert (unknown["state"], unknown["days"]) == ("before-acceptance", [])


def test_it_tells_people_every_date_in_their_language(hoso: Hoso, client: httpx.Client) -> None:
    body = answered(client)
    vi = hoso.run("explain", CODE).stdout
    en = hoso.run("explain", CODE, "--lang", "en").stdout
    assert all(line in vi for line in body["text"]["vi"])
    assert all(line in en for line in body["text"]["en"])
    assert "nghỉ lễ, tết" in vi
    assert "public holiday" in en
    assert "10/03/2026 14:00:00" in vi
    assert "missed" in vi
    assert "Xét duyệt" in vi
    assert "Bưởi" not in vi + en


def test_it_knows_no_other_dossier_and_no_other_language(hoso: Hoso, client: httpx.Client) -> None:
    del client
    assert "There is no such dossier" in hoso.refused("explain", "NOBODY-1")
    assert hoso.run("explain", CODE, "--lang", "fr").returncode == 2
    assert hoso.run("explain", CODE, "--at", "soon").returncode == 2

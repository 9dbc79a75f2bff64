"""`hoso catalogue show` and `diff` as an administrator runs them."""

from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from tests.system.hoso import Hoso, HosoHere
from tests.system.load import DESK
from tests.system.service import Service

pytestmark = [pytest.mark.system, pytest.mark.postgres]

PROCEDURE = "1.003554"
SHORTENED = """
[[procedures]]
code = "1.003554"
version = 2
name = "Hòa giải tranh chấp đất đai"
field = "Đất đai"
unit = "H44.100.03"
level = "commune"
term = { amount = 10, unit = "calendar_day" }
channel_terms = [{ channel = "online", amount = 8, unit = "working_day" }]
pause_policy = "extend"
valid_from = 2026-01-01
components = ["Đơn đề nghị hòa giải tranh chấp đất đai"]
legal_basis = "Luật Đất đai 31/2024/QH15, Điều 235"
steps = [
  { name = "Tiếp nhận đơn", role = "Công chức tiếp nhận", hours = 4 },
  { name = "Họp hòa giải", role = "Hội đồng hòa giải", hours = 64 },
  { name = "Gửi biên bản hòa giải", role = "Công chức tiếp nhận", hours = 12 },
]

[[policies]]
issued = 2026-03-01
supplement_answer_days = 20
"""


@pytest.fixture(scope="module")
def hoso(served: Service) -> Hoso:
    hoso = HosoHere(served.data)
    hoso.json("catalogue", "load", "commune")
    assert "before 1 to compare" in hoso.refused("catalogue", "diff", PROCEDURE)
    return hoso


@pytest.fixture(scope="module")
def loaded(hoso: Hoso, served: Service, tmp_path_factory: pytest.TempPathFactory) -> datetime:
    """Accept a dossier under version 1, then load version 2. Return a moment between the two."""
    token = hoso.run("token", "create", "--role", "desk", "--unit", "H44.100").stdout.strip()
    body = {
        "procedure": PROCEDURE,
        "channel": "direct",
        "receiving_unit": DESK,
        "competent_unit": "H44.100.03",
    }
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": "old"}
    response = httpx.post(f"{served.address}/v1/dossiers", json=body, headers=headers, timeout=60)
    assert response.status_code == 201
    between = datetime.now(UTC)
    file: Path = tmp_path_factory.mktemp("files") / "shortened.toml"
    file.write_text(SHORTENED)
    assert hoso.json("catalogue", "load", str(file)) == {"recorded": 2, "unchanged": 0}
    return between


@pytest.mark.usefixtures("loaded")
def test_what_a_new_version_took_away_is_told(hoso: Hoso) -> None:
    body = hoso.json("catalogue", "diff", PROCEDURE)
    assert (body["procedure"], body["from"], body["to"]) == (PROCEDURE, 1, 2)
    assert body["dossiers_on_old_version"] == 1
    changes = [[each[name] for name in ("kind", "field", "was", "is")] for each in body["changes"]]
    assert ["changed", "term", "30 calendar days", "10 calendar days"] in changes
    assert ["added", "channel_terms", None, "online: 8 working days"] in changes
    assert [
        "removed",
        "steps",
        "Thẩm tra, xác minh nguồn gốc đất (Công chức địa chính): 80 working hours",
        None,
    ] in changes
    assert [each[1] for each in changes] == ["term", "channel_terms", "valid_from", "steps"]
    back = hoso.json("catalogue", "diff", PROCEDURE, "--from", "2", "--to", "1")
    assert back["changes"][0]["is"] == "30 calendar days"
    assert back["dossiers_on_old_version"] == 0


@pytest.mark.usefixtures("loaded")
def test_people_see_the_differences_in_a_terminal(hoso: Hoso) -> None:
    shown = hoso.run("catalogue", "diff", PROCEDURE, COLUMNS="80").stdout
    assert "30 calendar days" in shown
    assert "1 open dossiers keep version 1 to their end" in shown
    assert max(map(len, shown.splitlines())) <= 80


@pytest.mark.usefixtures("loaded")
def test_versions_that_are_not_there_are_named(hoso: Hoso) -> None:
    said = hoso.refused("catalogue", "diff", PROCEDURE, "--to", "3")
    assert "no version 3" in said
    assert "1, 2" in said
    assert "no procedure 9.9" in hoso.refused("catalogue", "diff", "9.9")


def test_the_catalogue_shows_policies_and_the_state_of_decisions(
    hoso: Hoso, loaded: datetime
) -> None:
    shown = hoso.json("catalogue", "show")
    policies = [[each["version"], each.get("supplement_answer_days")] for each in shown["policies"]]
    assert policies == [[0, None], [1, None], [2, 20]]
    states = {each["id"]: each["state"] for each in shown["calendars"]}
    assert (states["2026-tet"], states["2026-national-day-swap"]) == ("applied", "proposed")
    then = hoso.json("catalogue", "show", "--known-at", loaded.isoformat())
    assert [each["version"] for each in then["policies"]] == [0, 1]
    assert [p["version"] for p in then["procedures"] if p["code"] == PROCEDURE] == [1]
    assert len(then["units"]) == len(shown["units"])
    never = hoso.json("catalogue", "show", "--known-at", "2020-01-01")
    assert (never["units"], never["procedures"], never["calendars"]) == ([], [], [])


@pytest.mark.usefixtures("loaded")
def test_what_was_issued_later_is_not_in_force_yet(hoso: Hoso) -> None:
    shown = hoso.json("catalogue", "show", "--at", "2025-12-31")
    assert "2026-tet" in [each["id"] for each in shown["calendars"]]
    assert "2026-culture-day" not in [each["id"] for each in shown["calendars"]]
    assert [each["version"] for each in shown["policies"]] == [0, 1]
    assert [p["version"] for p in shown["procedures"] if p["code"] == PROCEDURE] == [1]

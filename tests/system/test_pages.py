"""The pages in a real browser."""

import subprocess
from pathlib import Path

import pytest

from tests.system.service import Service

pytestmark = [pytest.mark.system, pytest.mark.postgres]

BROWSER = (
    "chromium",
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--enable-logging=stderr",
    "--virtual-time-budget=20000",
    "--dump-dom",
)


def shown(address: str, profile: Path) -> tuple[str, str]:
    """Return what stands on a page after its scripts ran, and what the browser complained of."""
    done = subprocess.run(
        [*BROWSER, f"--user-data-dir={profile}", address],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return done.stdout, "\n".join(line for line in done.stderr.splitlines() if "CONSOLE" in line)


def test_the_documentation_shows_every_kind_of_operation_without_the_internet(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    service = Service(tmp_path_factory.mktemp("data")).start()
    try:
        page, complaints = shown(f"{service.address}/schema", tmp_path_factory.mktemp("browser"))
    finally:
        service.stop()
    for path in ("/v1/events", "/v1/dossiers/{dossier}/request-supplement", "/health"):
        assert f'data-path="{path}"' in page
    assert "Authorize" in page
    assert "Failed to load" not in page
    assert complaints == ""

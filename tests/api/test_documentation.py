"""The page of /schema works without the internet, and may run nothing but its own files."""

import re

from tests.api.service import Service


async def test_the_page_names_only_files_that_the_service_itself_has(service: Service) -> None:
    page = await service.get("/schema", who=None)
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    links = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert links
    for link in links:
        assert link.startswith("/schema/")
        found = await service.get(link, who=None)
        assert found.status_code == 200
        assert len(found.content) > 100


async def test_the_page_runs_no_inline_script_and_asks_no_other_host(service: Service) -> None:
    page = await service.get("/schema", who=None)
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert page.headers["x-content-type-options"] == "nosniff"
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\bstyle=|\bon\w+=", page.text)
    script = await service.get("/schema/start.js", who=None)
    assert script.headers["content-type"].startswith("text/javascript")
    assert "/openapi.json" in script.text


async def test_no_other_file_is_given_away(service: Service) -> None:
    for name in ("index.html", "..%2fcore.py", "swagger-ui.js.map", "swagger-editor.css"):
        assert (await service.get(f"/schema/{name}", who=None)).status_code == 404

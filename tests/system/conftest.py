"""What the tests of one file share: a served ledger in a folder of its own."""

from collections.abc import Iterator

import pytest

from tests.system.service import Service


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    service = Service(tmp_path_factory.mktemp("data")).start()
    yield service
    assert service.stop() == 0

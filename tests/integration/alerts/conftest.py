"""One organisation at work for all tests of alerts and dashboards."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.alerts.life import Life, living


@pytest.fixture(scope="package")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    with living(tmp_path_factory.mktemp("life")) as life:
        yield life

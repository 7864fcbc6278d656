"""The two worlds in which the tests ask."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.sites.two_worlds import CANARIES, site, world


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("worlds")
    return [world(folder / str(number), canary) for number, canary in enumerate(CANARIES)]


@pytest.fixture(autouse=True)
def _sites_of_a_test() -> Iterator[None]:
    """A Datasette belongs to the event loop of one test."""
    yield
    site.cache_clear()

"""What the tests of imports share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.databases.house import HOUSE, made


@pytest.fixture
def house(tmp_path: Path) -> Path:
    return made(tmp_path / "house.db", *HOUSE)

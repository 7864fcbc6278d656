"""What the tests of pages share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.databases.building import database


@pytest.fixture
def dated(tmp_path: Path) -> Path:
    database(
        tmp_path / "d.db",
        "CREATE TABLE visits (id INTEGER PRIMARY KEY, name TEXT, seen_at DATETIME, day DATE, edate TEXT, paid_date)",
        "INSERT INTO visits VALUES (1, 'a', '2024-05-30 23:59:59', '2024-05-30', 'x', 1),"
        " (2, 'b', '2024-05-31', '2024-05-31', '2024-01-01', 2),"
        " (3, 'c', '2024-05-31T23:59:59.9', '2024-06-01', 'y', 3),"
        " (4, 'd', '2024-06-01 00:00:00', NULL, 'z', 4), (5, 'e', NULL, NULL, NULL, NULL)",
    ).close()
    return tmp_path / "d.db"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "jobs"

"""What the tests of imports through Datasette share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.sites.jobs import keeping


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log.jsonl"


@pytest.fixture
def ds(demo: Path, tmp_path: Path, log: Path) -> Iterator[Any]:
    with keeping(tmp_path / "jobs", demo, root=True, plugin={"audit_log": str(log)}) as found:
        yield found

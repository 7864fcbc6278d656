"""``validate_export`` compares all that a result counts, also the rows that stand beside ``data``."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from datasette_program_export import ExportService
from datasette_program_export.demo import ANNA


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda result: result["clients"].clear(), "'clients' should have 1 records but has 0"),
        (lambda result: result["related_data"]["charts"].pop(), "'related_data.charts' should have"),
        (lambda result: result["related_data"].pop("charts"), "'related_data.charts' should have"),
        (lambda result: result["related_counts"].pop("charts"), "'related_data.charts' has"),
        (lambda result: result.pop("related_data"), "'related_data.charts' should have"),
    ],
)
def test_what_is_not_as_it_is_counted(demo: Path, change: Callable[[Any], object], words: str) -> None:
    service = ExportService(demo)
    result = copy.deepcopy(service.export_clients([ANNA]))
    assert service.validate_export(result)["errors"] == []
    change(result)
    assert any(error.startswith(words) for error in service.validate_export(result)["errors"])

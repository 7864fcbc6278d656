"""Reading what the service wrote."""

from __future__ import annotations

import csv
import io
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from datasette_program_export import ExportService
from datasette_program_export.demo import ANNA, BOB, C1, C2


def stored(path: Path, sql: str, *params: Any) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(sql, params).fetchall()


def read_csv(text: str, delimiter: str = ",") -> list[dict[str, str]]:
    rows = list(csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    assert all(None not in row and None not in row.values() for row in rows)
    return rows


def results(service: ExportService, format: str = "json") -> dict[str, dict[str, Any]]:
    """A result of each method, with and without its parts."""
    return {
        "full": service.export_full_database(format),
        "full, no metadata": service.export_full_database(format, include_metadata=False),
        "clients": service.export_clients([ANNA, BOB], format),
        "clients alone": service.export_clients([ANNA], format, include_related=False),
        "charts": service.export_charts([C1, C2], format),
        "charts alone": service.export_charts([C1], format, include_interpretations=False),
        "table": service.export_table("charts", format, limit=3),
        "table, filtered": service.export_table("charts", format, {"chart_type": "natal"}, offset=1),
    }

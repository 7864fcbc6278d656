"""The links by which the export page is found."""

from __future__ import annotations

from typing import Any


def record_actions(datasette: Any, request: Any, database: str, table: str) -> list[dict[str, str]]:
    """The actions on a row's page."""
    row = datasette.urls.row(database, table, request.url_vars["pks"])
    return [
        {
            "href": f"{row}/-/program-export",
            "label": "Export this record",
            "description": "With everything that belongs to it, as one file. You see first what will be in it.",
        }
    ]

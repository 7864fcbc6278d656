"""Files as the application itself writes them, in each of its layouts."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

Rows = dict[str, list[dict[str, Any]]]
READINGS = ("chart_interpretations", "aspect_patterns", "transit_events")
COMPUTED = {
    "birth_data": {"location_string": "Lisbon, Portugal", "coordinates_string": "38.72°N", "has_time": True},
    "charts": {"display_name": "A chart"},
    "chart_interpretations": {"is_pending": True, "is_approved_status": False, "preview_text": "The sun…"},
    "aspect_patterns": {"planet_count": 3, "planet_names_string": "sun, moon"},
    "transit_events": {"description": "x", "is_exact": False, "direction_string": "applying"},
    "app_config": {"has_password": True},
}
JSON = {"charts": ("chart_data", "calculation_params"), "aspect_patterns": ("planets_involved",)}


def rows_of(path: Path, *tables: str) -> Rows:
    """The rows as the application's exporter wrote them: JSON as objects, booleans, keys that it computed."""
    found: Rows = {}
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        for table in tables:
            found[table] = []
            for row in map(dict, connection.execute(f"SELECT * FROM {table} ORDER BY id")):
                for column in JSON.get(table, ()):
                    row[column] = json.loads(row[column]) if row[column] else None
                row.pop("password_hash", None)
                if "time_unknown" in row:
                    row["time_unknown"] = bool(row["time_unknown"])
                found[table].append({**row, **COMPUTED.get(table, {})})
    return found


FULL = ("clients", "birth_data", "charts", *READINGS, "interpretations", "session_notes")


def full(path: Path) -> Any:
    return rows_of(path, *FULL, "app_config")


def full_with_metadata(path: Path) -> Any:
    return {"metadata": {"export_format": "json", "table_counts": {"charts": 3}}, **full(path)}


def full_result(path: Path) -> Any:
    data = full(path)
    counts = {name: len(rows) for name, rows in data.items()}
    return {"format": "json", "tables": list(data), "record_counts": counts, "data": json.dumps(data, indent=2)}


def full_result_with_an_object(path: Path) -> Any:
    return {**full_result(path), "data": full(path)}


def full_result_as_csv(path: Path) -> Any:
    return {"format": "csv", "tables": [], "data": {name: csv_text(rows) for name, rows in full(path).items()}}


def clients_result(path: Path) -> Any:
    related = rows_of(path, *(t for t in FULL if t != "clients"))
    clients = rows_of(path, "clients")["clients"]
    facts = {"format": "json", "clients": clients, "client_count": len(clients), "related_data": related}
    counts = {name: len(rows) for name, rows in related.items()}
    return {**facts, "related_counts": counts, "data": json.dumps({"clients": clients, **related})}


def clients_result_sorted(path: Path) -> Any:
    return dict(sorted(clients_result(path).items()))


def over_http(path: Path) -> Any:
    told = {"success": True, "message": "Database exported successfully (912 records)", "format": "json"}
    told |= {"data": json.dumps(full(path)), "download_filename": "x.json", "record_count": 912, "table_counts": None}
    return {**told, "export_timestamp": "2025-11-16T12:30:45", "compressed": False, "file_size": None, "checksum": None}


def charts_result(path: Path) -> Any:
    found = rows_of(path, "charts", *READINGS)
    return {
        "format": "json",
        "charts": found["charts"],
        "chart_count": len(found["charts"]),
        "interpretations": found["chart_interpretations"],
        "interpretation_count": len(found["chart_interpretations"]),
        "aspect_patterns": found["aspect_patterns"],
        "transit_events": found["transit_events"],
    }


def charts_result_with_data(path: Path) -> Any:
    return {**charts_result(path), "data": json.dumps(charts_result(path))}


def charts_result_as_csv(path: Path) -> Any:
    found = rows_of(path, "charts", *READINGS)
    return {"format": "csv", "chart_count": 3, "data": {name: csv_text(rows) for name, rows in found.items()}}


def nested_charts(path: Path) -> Any:
    found = rows_of(path, "charts", *READINGS)
    charts = found["charts"]
    for chart in charts:
        for key, table in zip(("interpretations", "aspect_patterns", "transit_events"), READINGS):
            own = [
                {k: v for k, v in r.items() if k != "chart_id"} for r in found[table] if r["chart_id"] == chart["id"]
            ]
            chart[key] = own
    return charts


def one_table(path: Path) -> Any:
    charts = rows_of(path, "charts")["charts"]
    facts = {"format": "json", "table": "charts", "record_count": len(charts), "filters": {}, "limit": None}
    return {**facts, "offset": None, "records": charts, "data": json.dumps({**facts, "records": charts})}


def one_table_sorted(path: Path) -> Any:
    return dict(sorted(one_table(path).items()))


def one_table_as_csv(path: Path) -> Any:
    return {"format": "csv", "table": "charts", "data": csv_text(rows_of(path, "charts")["charts"])}


def csv_text(rows: list[dict[str, Any]], **how: Any) -> str:
    """As the application wrote it: True and False, JSON with blanks and escapes, NULL and '' both empty."""
    if not rows:
        return ""
    out = io.StringIO(newline="")
    writer = csv.writer(out, **how)
    writer.writerow(rows[0])
    for row in rows:
        writer.writerow([json.dumps(v) if isinstance(v, (dict, list)) else v for v in row.values()])
    return out.getvalue()


WHOLE: list[Callable[[Path], Any]] = [
    full,
    full_with_metadata,
    full_result,
    full_result_with_an_object,
    full_result_as_csv,
    clients_result,
    clients_result_sorted,
    over_http,
]
CHARTS: list[Callable[[Path], Any]] = [charts_result, charts_result_with_data, charts_result_as_csv, nested_charts]
TABLE: list[Callable[[Path], Any]] = [one_table, one_table_sorted, one_table_as_csv]


def written(found: Any, path: Path) -> Path:
    path.write_text(json.dumps(found), "utf-8")
    return path

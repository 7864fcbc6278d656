"""Check the results of an export: ``ExportService.validate_export``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from .export_models import ValidationReport


def validated(result: Mapping[str, Any]) -> ValidationReport:
    """Return a ValidationReport of an export's result.

    ``warnings`` name the tables without rows; ``errors`` name what is missing or differs;
    ``valid`` is True if there are no errors.
    """
    counts = _counts(result)
    warnings = [f"Table '{name}' has 0 records" for name, count in counts.items() if count == 0]
    missing = ["Export result missing 'data' field"]
    errors = missing if result.get("data") is None else _differences(result, counts)
    return ValidationReport(valid=not errors, warnings=warnings, errors=errors)


def _counts(result: Mapping[str, Any]) -> dict[str, int]:
    """Return the announced row counts, keyed by the table names that ``data`` uses."""
    counts = dict(result.get("record_counts") or {})
    if "client_count" in result:
        counts |= {"clients": result["client_count"], **(result.get("related_counts") or {})}
    if "chart_count" in result:
        counts["charts"] = result["chart_count"]
        names = {"interpretations": "chart_interpretations", "aspect_patterns": None, "transit_events": None}
        counts |= {names[key] or key: len(result[key]) for key in names if key in result}
    if "record_count" in result:
        counts[result.get("table", "table") if result.get("format") == "csv" else "records"] = result["record_count"]
    return counts


def _differences(result: Mapping[str, Any], counts: Mapping[str, int]) -> list[str]:
    """Return a sentence for each difference between ``data`` and the announced counts."""
    data = result["data"]
    if result.get("format") == "csv":
        texts = data if isinstance(data, Mapping) else {result.get("table", "table"): data}
        held = {name: _rows(text) for name, text in texts.items()}
    else:
        try:
            found = msgspec.json.decode(data)
        except (msgspec.DecodeError, TypeError, UnicodeEncodeError):
            return ["'data' is not JSON"]
        if not isinstance(found, dict):
            return ["'data' is not an object of tables"]
        held = {name: len(rows) for name, rows in found.items() if isinstance(rows, list)}
    return [
        f"Table '{name}' should have {count} records but has {held.get(name, 0)}"
        for name, count in counts.items()
        if held.get(name, 0) != count
    ]


def _rows(text: Any) -> int:
    """Count the rows below the header of a CSV text; the delimiter does not affect the count."""
    if not isinstance(text, str):
        return 0
    outside = "".join(text.split('"')[::2]).replace("\r\n", "\n").replace("\r", "\n")  # the text outside quotes
    return max(0, outside.count("\n") + (text != "" and text[-1] not in "\r\n") - 1)

"""Checks an exported file: ``ExportService.validate_export``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from .export_models import ValidationReport


def validated(result: Mapping[str, Any]) -> ValidationReport:
    """``valid``, ``warnings`` for tables without rows, ``errors`` for what is missing or differs."""
    counts = _counts(result)
    warnings = [f"Table '{name}' has 0 records" for name, count in counts.items() if count == 0]
    missing = ["Export result missing 'data' field"]
    errors = missing if result.get("data") is None else _differences(result, counts)
    return ValidationReport(valid=not errors, warnings=warnings, errors=errors)


def _counts(result: Mapping[str, Any]) -> dict[str, int]:
    """The rows that a result says it holds, by the name that its ``data`` has for them."""
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
    """What ``data`` lacks of the counts that go with it."""
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
    """The rows of a csv text below its header; the delimiter does not matter to their number."""
    if not isinstance(text, str):
        return 0
    outside = "".join(text.split('"')[::2]).replace("\r\n", "\n").replace("\r", "\n")  # what stands in no quotes
    return max(0, outside.count("\n") + (text != "" and text[-1] not in "\r\n") - 1)

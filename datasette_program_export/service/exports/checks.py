"""Check and sum up the results of an export: ``ExportService.validate_export`` and ``summarize_export``."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

import msgspec

from ...errors import ExportError, RequestError
from ...files.decompression import compression_of, decompressed
from ...files.reading_limits import TRUSTING
from .results import Summary, Validation

_COUNTED = {  # rows that stand in a result beside ``data``, and where they are counted
    "clients": "client_count",
    "charts": "chart_count",
    "interpretations": "interpretation_count",
    "records": "record_count",
}


def validated(result: Any) -> Validation:
    """Return whether a result is whole.

    ``warnings`` name the tables without rows, and those that are not in it; ``errors`` name what is missing or
    differs; ``valid`` is True if there are no errors."""
    _check_is_result(result)
    counts = _counts(result)
    warnings = [f"Table '{name}' has 0 records" for name, count in counts.items() if count == 0]
    for part in (result.get("left_out") or {}).get("skipped") or ():
        if part["table"] is not None and part["column"] is None and part["why"] is not None:
            warnings.append(f"Table '{part['table']}' is not included: {part['why']}")
    missing = ["Export result missing 'data' field"]
    errors = missing if result.get("data") is None else _differences(result, counts)
    errors += _beside(result)
    return Validation(valid=not errors, warnings=warnings, errors=errors)


def summarized(result: Any) -> Summary:
    """Return a result in few words. Raises RequestError for what is no result."""
    _check_is_result(result)
    counts = _counts(result)
    if "record_count" in result and "table" in result:
        counts = {result["table"]: result["record_count"]}
    data = result.get("data")
    texts = data.values() if isinstance(data, Mapping) else () if data is None else (data,)
    size = sum(len(text) if isinstance(text, bytes) else len(text.encode("utf-8", "replace")) for text in texts)
    said = (result.get("metadata") or {}).get("export_timestamp")
    return Summary(
        total_records=sum(counts.values()),
        tables=list(counts),
        format=result.get("format", ""),
        size_estimate=None if data is None else _size(size),
        timestamp=said or now(),
    )


def now() -> str:
    """Return the time as results tell it: UTC, ISO 8601 with microseconds, without a zone."""
    return datetime.now(timezone.utc).replace(tzinfo=None).isoformat(timespec="microseconds")


def _check_is_result(result: Any) -> None:
    if not isinstance(result, Mapping):
        raise RequestError("result: what an export returned is needed.")


def _size(size: float) -> str:
    for unit in ("bytes", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} bytes" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"


def _counts(result: Mapping[str, Any]) -> dict[str, int]:
    """Return the announced row counts, keyed by the table names that ``data`` uses."""
    counts = dict(result.get("record_counts") or {})
    if "client_count" in result:
        counts |= {result.get("table", "clients"): result["client_count"], **(result.get("related_counts") or {})}
    if "chart_count" in result:
        counts[result.get("table", "charts")] = result["chart_count"]
        names = {"interpretations": "chart_interpretations", "aspect_patterns": None, "transit_events": None}
        counts |= {names[key] or key: len(result[key]) for key in names if key in result}
    if "record_count" in result:
        counts[result.get("table", "table") if result.get("format") == "csv" else "records"] = result["record_count"]
    return counts


def _differences(result: Mapping[str, Any], counts: Mapping[str, int]) -> list[str]:
    """Return a sentence for each difference between ``data`` and the announced counts."""
    data = result["data"]
    try:
        if result.get("format") == "csv":
            texts = data if isinstance(data, Mapping) else {result.get("table", "table"): data}
            held = {name: _rows(_text(text)) for name, text in texts.items()}
        else:
            found = msgspec.json.decode(_text(data))
            if not isinstance(found, dict):
                return ["'data' is not an object of tables"]
            held = {name: len(rows) for name, rows in found.items() if isinstance(rows, list)}
    except ExportError as error:
        return [f"'data' is not whole: {error}"]
    except (msgspec.DecodeError, TypeError, UnicodeError):
        return ["'data' is not JSON"]
    return [
        f"Table '{name}' should have {count} records but has {held.get(name, 0)}"
        for name, count in counts.items()
        if held.get(name, 0) != count
    ]


def _beside(result: Mapping[str, Any]) -> list[str]:
    """Return a sentence for each difference between the rows that stand beside ``data`` and their counts."""
    pairs = [(n, result.get(n), result.get(c)) for n, c in _COUNTED.items() if n in result and c in result]
    related, counts = result.get("related_data"), result.get("related_counts")
    if related is not None or counts is not None:
        names = dict.fromkeys([*(related or {}), *(counts or {})])
        pairs += [(f"related_data.{n}", (related or {}).get(n), (counts or {}).get(n)) for n in names]
    found = []
    for name, rows, count in pairs:
        held = len(rows) if isinstance(rows, Sequence) and not isinstance(rows, (str, bytes)) else 0
        if count is None:
            found.append(f"'{name}' has {held} records and is not counted")
        elif held != count:
            found.append(f"'{name}' should have {count} records but has {held}")
    return found


def _text(data: Any) -> str:
    """Return a text, decompressed if it comes as bytes. Raises TypeError for anything else."""
    if isinstance(data, bytes):
        how = compression_of(data)
        data = (decompressed(io.BytesIO(data), how, TRUSTING).read() if how is not None else data).decode()
    if not isinstance(data, str):
        raise TypeError
    return data


def _rows(text: str) -> int:
    """Count the rows below the header of a CSV text; the delimiter does not affect the count."""
    outside = "".join(text.split('"')[::2]).replace("\r\n", "\n").replace("\r", "\n")  # the text outside quotes
    return max(0, outside.count("\n") + (text != "" and text[-1] not in "\r\n") - 1)

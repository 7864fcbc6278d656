"""The words with which a file tells its reader what it is: the same in a package and in a workbook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def opening(head: Mapping[str, Any], rows: int, tables: int) -> list[str]:
    """Return the lines that say from where and when the data is, what it is, and how much."""
    return [
        f"Data from {head['source']}, taken on {head['created_at'].replace('T', ' at ').replace('Z', ' UTC')}",
        f"by {head['generator']}: {_what(head)}.",
        "",
        f"{rows:,} row{'' if rows == 1 else 's'} in {tables} table{'' if tables == 1 else 's'}:",
    ]


def kept_back_lines(sentences: Sequence[str], where: str) -> list[str]:
    """Return the lines that say what is missing; ``where`` is what the data stands in."""
    return [
        f"All were read at the same moment. What is not in {where}, and why:",
        "",
        *(f"  - {sentence}" for sentence in sentences or ["Nothing was left out."]),
    ]


def _what(head: Mapping[str, Any]) -> str:
    request = head["request"]
    if head["scope"] == "record":
        count = len(request["records"])
        records, them = ("record", "it") if count == 1 else ("records", "them")
        return f"{count} {records} of {request['table']}, with what belongs to {them}"
    if head["scope"] == "table":
        return f"rows of {request['table']}"
    return "the result of a query" if head["scope"] == "query" else "the whole database"

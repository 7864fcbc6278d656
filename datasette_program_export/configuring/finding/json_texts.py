"""Text columns that hold JSON without being declared so."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ...database.schema import Table
from ..look import LONGEST
from ..names import words_of
from ..proposal import Found


def find_json(table: Table, values: Mapping[str, Sequence[Any]], rows_allowed: bool) -> list[str]:
    """Return the text columns whose values are all JSON objects or lists; by name, where no row is looked at."""
    found = []
    for column in table.visible_columns:
        if column.type.upper() == "JSON" or column.affinity not in ("TEXT", "BLOB") or column.generated:
            continue
        texts = [v for v in values.get(column.name, ()) if v not in (None, "")]
        by_name = "json" in words_of(column.name) and column.affinity == "TEXT" and not texts
        if (by_name and (not rows_allowed or column.name in values)) or (texts and all(map(_is_json, texts))):
            found.append(column.name)
    return found


def found_json(table: Table, columns: Sequence[str], rows: bool) -> Found:
    """Return the finding for such columns."""
    why = "every text that was looked at is JSON" if rows else "its name says so"
    return Found(setting="json_columns", table=table.name, value=list(columns), why=why)


def parsed(text: str) -> Any:
    """Return the value of a text that is a JSON object or list; None for any other."""
    if text[:1] in ("{", "[") and len(text) < LONGEST:
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            pass
    return None


def _is_json(text: Any) -> bool:
    if not isinstance(text, str) or text[:1] not in ("{", "["):
        return False
    return len(text) >= LONGEST or parsed(text) is not None

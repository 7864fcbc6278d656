"""Write Python values as JSON and CSV: ``ExportService._to_json`` and ``_to_csv``."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import date, time
from decimal import Decimal
from math import isnan
from typing import Any
from uuid import UUID

import msgspec

from ...errors import RequestError
from ...formats.csv.writing import CsvLines
from ...formats.values import json_value
from .options import check_delimiter


def json_of(data: Any, pretty: bool = True) -> str:
    """Return a value as JSON: dates and times in ISO 8601, UUIDs and decimals as text; bytes and infinities, which JSON
    does not have, as in an export's rows. Raises RequestError for NaN and for objects of other types."""
    how: dict[str, Any] = {"indent": 2} if pretty else {"separators": (",", ":")}
    return json.dumps(_plain(data), ensure_ascii=False, **how)


def csv_of(rows: Iterable[Mapping[str, Any]], table_name: str, delimiter: str = ",") -> str:
    """Return rows as CSV; the header has every column that a row has. Objects and lists are JSON without blanks.

    No rows are an empty text. Raises RequestError for what is no row; ``table_name`` says there whose rows they are."""
    check_delimiter(delimiter)
    given = list(rows)
    if not all(isinstance(row, Mapping) for row in given):
        raise RequestError(f"A row of {table_name} is a mapping of column to value.")
    names = list(dict.fromkeys(str(name) for row in given for name in row))
    if not names:
        return ""
    lines = CsvLines(delimiter, len(names))
    return (lines([tuple(names)]) + lines([tuple(_cell(row.get(name)) for name in names) for row in given])).decode()


def _plain(value: Any) -> Any:
    """Return a value in the types that JSON has."""
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, Mapping):
        return {_name(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, (UUID, Decimal)):
        return str(value)
    if isinstance(value, (str, float, bytes)) and not (isinstance(value, float) and isnan(value)):
        return msgspec.to_builtins(json_value(value))
    raise RequestError(f"JSON has no {'NaN' if isinstance(value, float) else type(value).__name__}.")


def _name(key: Any) -> str:
    found = _plain(key)
    return found if isinstance(found, str) else json.dumps(found)


def _cell(value: Any) -> Any:
    """Return a value as one of SQLite's, or true or false."""
    if value is None or (isinstance(value, (str, int, float, bytes)) and value == value):
        return value
    found = _plain(value)
    return found if isinstance(found, str) else json_of(found, pretty=False)

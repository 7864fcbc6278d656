"""What a Parquet file says of itself, as JSON under the key ``program_export`` of its metadata."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ...errors import UnreadableError
from ...files.reading_limits import Limits
from ..dataset import Dataset
from ..description.parsing import dumped
from ..document import description
from .columns import Column

KEY = "program_export"
FORMAT_NAME, VERSION = "parquet", 1


def document_text(dataset: Dataset, columns: Sequence[Column]) -> str:
    """Return what a file of one table says, after its rows have been written."""
    told = {
        **_begun(columns),
        "export": dataset.head,
        "schema": dumped(dataset.schema),
        "coverage": dumped(dataset.coverage()),
        "integrity": {**dumped(dataset.integrity()), "complete": True},
    }
    return json.dumps(told, separators=(",", ":"))


def table_text(table: str, columns: Sequence[Column]) -> str:
    """Return what a file of a package says, which says more itself."""
    return json.dumps({**_begun(columns), "table": table}, separators=(",", ":"))


def _begun(columns: Sequence[Column]) -> dict[str, Any]:
    pairs = [{"name": c.name, "any": c.beside} if c.beside is not None else {"name": c.name} for c in columns]
    return {"format": FORMAT_NAME, "version": VERSION, "columns": pairs}


def parsed_description(data: bytes | None, limits: Limits) -> Mapping[str, Any]:
    """Return what a file says of itself. Raises UnreadableError."""
    if data is None:
        raise UnreadableError("This Parquet file does not say what it holds.", "unknown")
    found = description(data, "The description in the Parquet file", limits)
    if found.get("format") != FORMAT_NAME:
        raise UnreadableError("This Parquet file is none of this program.", "unknown")
    if found.get("version") != VERSION:
        raise UnreadableError(f"This is version {found.get('version')} of parquet; version {VERSION} is known.")
    return found


def places_of(columns: Any, names: Sequence[str]) -> list[tuple[int, int | None]]:
    """Return the places of each column, and of the one beside it, in the file's columns. Raises ValueError, KeyError,
    TypeError for a description that does not fit."""
    places = {name: place for place, name in enumerate(names)}
    if len(places) != len(names):
        raise ValueError("a name twice")
    found = [(places[c["name"]], places[c["any"]] if "any" in c else None) for c in columns]
    if sorted(p for pair in found for p in pair if p is not None) != list(range(len(names))):
        raise ValueError("a column that is not described")
    return found

"""What a document announces of its rows: by their number and digests it is known to be whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Strict

from .parsing import parsed


@dataclass(frozen=True)
class AnnouncedTable:
    """A table's rows and their digest (docs/programjson.md).

    ``sha256_as_exported``: where a SQLite file keeps its rows in another order, the digest in the export's."""

    rows: Annotated[int, Strict()]
    sha256: str
    sha256_as_exported: str | None = None


@dataclass(frozen=True)
class Announced:
    """All rows; what else stands at a document's end is its format's, and checked by that."""

    rows: Annotated[int, Strict()]
    tables: Mapping[str, AnnouncedTable]


def parsed_integrity(found: Any) -> Announced:
    """What is announced, from its JSON value. Raises UnreadableError."""
    return parsed(Announced, found, "What the file says of itself is not as this program writes it.")

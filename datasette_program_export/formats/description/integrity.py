"""The row counts and digests that a document announces, by which it is known to be complete."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Strict

from .parsing import parsed


@dataclass(frozen=True)
class AnnouncedTable:
    """The row count of a table and its digest (docs/programjson.md).

    ``sha256_as_exported``: the digest in the order of the export, if a SQLite file stores the rows in another."""

    rows: Annotated[int, Strict()]
    sha256: str
    sha256_as_exported: str | None = None


@dataclass(frozen=True)
class Announced:
    """The announced counts and digests; each format checks the rest of its document's end itself."""

    rows: Annotated[int, Strict()]
    tables: Mapping[str, AnnouncedTable]


def parsed_integrity(found: Any) -> Announced:
    """Parse the announced counts and digests from their JSON value. Raises UnreadableError."""
    return parsed(Announced, found, "What the file says of itself is not as this program writes it.")

"""The bad rows of an import, set aside in a file: each with its reasons, one JSON object a line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from ...errors import RequestError
from ...files.atomic import write_whole
from ...files.temporary.folder import TemporaryFolder
from ...files.temporary.room import room_in
from ...formats.values import json_value

Reasons = Mapping[str, Mapping[int, tuple[str, list[str]]]]
_encode = msgspec.json.Encoder(enc_hook=str, decimal_format="number").encode


class BadRows:
    """A context manager. The rows wait in a private file until the import is sure, so that all are written or none.

    ``rows`` counts them. ``path`` is the new file; None keeps nothing but the count."""

    def __init__(self, path: str | Path | None, folder: str | None = None) -> None:
        self.path = Path(path) if path is not None else None
        self.rows = 0
        self._folder = TemporaryFolder(folder) if path is not None else None
        if self.path is not None and self.path.exists():
            raise RequestError(f"{self.path.name} is there already; bad rows replace no file.")

    def __enter__(self) -> BadRows:
        return self

    def __exit__(self, *exc: object) -> None:
        if self._folder is not None:
            self._folder.remove()

    def add(self, table: str, unit: str, number: int, reasons: Iterable[str], row: Any) -> None:
        """Set one row aside. ``row`` is what the file gives: values by column, a list of fields, or a line as text."""
        self.rows += 1
        if self._folder is None:
            return
        shown = {key: json_value(value) for key, value in row.items()} if isinstance(row, dict) else row
        line = {"table": table, unit: number, "reasons": list(reasons), "row": shown}
        with room_in(), (self._folder.path / "rows").open("ab") as file:
            file.write(_encode(line) + b"\n")

    def add_all(self, rows: Mapping[str, Mapping[int, Any]], reasons: Reasons) -> None:
        """Set rows aside, by table and number, each with its unit and its reasons."""
        for table, held in rows.items():
            for number, row in sorted(held.items()):
                unit, why = reasons.get(table, {}).get(number, ("row", []))
                self.add(table, unit, number, why, row)

    def publish(self) -> bool:
        """Write the file, if there are bad rows, and return whether it was written. Raises OSError, RequestError."""
        if self.path is None or self._folder is None or not self.rows:
            return False
        with (self._folder.path / "rows").open("rb") as file:
            write_whole(self.path, iter(lambda: file.read(1 << 20), b""), private=False)
        return True

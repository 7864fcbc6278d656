"""Whether the first line of a CSV file may be the names of a new table's columns, or looks like a row."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ....database.schema import fold
from ....errors import UnreadableError

_ROW_LIKE = (
    ("a date or time", re.compile(r"\d{1,4}([-/.])\d{1,2}\1\d{1,4}(?:[T ].*)?|\d{1,2}:\d{2}(?::\d{2})?.*")),
    ("a number", re.compile(r"[-+]?\W{0,2}(?:\d[\d.,' ]*|[.,]\d+)(?:e[-+]?\d+)?\s?\W{0,2}", re.IGNORECASE)),
    ("a truth value", re.compile(r"true|false", re.IGNORECASE)),
    ("an address", re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+|https?://\S+", re.IGNORECASE)),
    ("an identifier", re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)),
)


def check_names(names: Sequence[str]) -> None:
    """Check that a first line of these cells, of which nobody said what it is, names columns. Raises UnreadableError
    if it looks like a row."""
    if (what := _row_like([name.strip() for name in names])) is not None:
        raise UnreadableError(
            f"The first line has {what}, as a row has it, so it is asked about. If it names the columns of the new "
            "table, use the argument header=True; if it is a row and the file has no header, the argument "
            "header=False. Lines above the header are passed over with the argument skip_lines.",
            "unknown",
        )


def _row_like(cells: list[str]) -> str | None:
    """Return what a row has and a header has not, or None."""
    filled = [cell for cell in cells if cell]
    for what, pattern in _ROW_LIKE:
        if any(pattern.fullmatch(cell) for cell in filled):
            return what
    if len(set(map(fold, filled))) != len(filled):
        return "the same twice"
    return "an empty field" if filled and not all(cells[: max(i for i, cell in enumerate(cells, 1) if cell)]) else None

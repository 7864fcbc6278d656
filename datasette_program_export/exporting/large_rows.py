"""Finds rows that are written although they are larger than readers accept by default: the file says so itself.

They are found while the rows are written and reported in the coverage, which follows the rows. A plan does
not report them: it reads no rows, and ``max(length())`` would read every text of the table.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ..files.reading_limits import CAREFUL, held_as
from ..formats.dataset import Row
from ..formats.values import json_value

_SHORTEST = 6  # bytes of JSON that one byte can become (a control character)
_ROOM = 10_000  # bytes for the names of the columns
_json = msgspec.json.Encoder().encode


class LargeRows:
    """Counts the large rows of one table."""

    def __init__(self) -> None:
        self._rows = 0
        self._largest = 0

    def saw(self, rows: Sequence[Row], size: int) -> None:
        """Look at a batch of rows with ``size`` bytes in all."""
        if size * _SHORTEST < CAREFUL.cell:
            return
        for row in rows:
            cost = held_as(_json(list(map(json_value, row)))) + _ROOM
            if cost > CAREFUL.cell:
                self._rows += 1
                self._largest = max(self._largest, cost)

    def warnings(self, table: str) -> list[str]:
        """Return the warnings for the coverage."""
        if not self._rows:
            return []
        rows = f"{self._rows:,} row{'' if self._rows == 1 else 's'}"
        return [
            f"{table}: {rows} of up to {self._largest / 1e6:,.0f} MB, larger than what is read unseen "
            f"({CAREFUL.cell / 1e6:g} MB): to check or import this file, trust it "
            "(--trust at the command line, trusted=True in Python)."
        ]

"""Decides how many rows to fetch at once: many for speed, few when rows are large."""

from __future__ import annotations

from collections.abc import Iterator

MOST_ROWS = 100  # measured: more rows are no faster, and several copies of a batch are in memory at once
FEW_ROWS = 16  # the first batch; a shorter one holds all rows
AIM_BYTES = 1_000_000


class BatchSizes(Iterator[int]):
    """An endless iterator of batch sizes, which adapts to the sizes reported to ``saw``."""

    def __init__(self) -> None:
        self._next = FEW_ROWS

    def __next__(self) -> int:
        return self._next

    def saw(self, rows: int, size: int) -> None:
        """Record that the last batch had ``rows`` rows of ``size`` bytes in total."""
        self._next = max(1, min(MOST_ROWS, self._next * 4, AIM_BYTES * rows // max(size, 1)))

"""How many rows to fetch at once: many for speed, few when rows are large."""

from __future__ import annotations

from collections.abc import Iterator

MOST_ROWS = 100  # measured: more is no quicker, and a batch of large rows is held several times over
AIM_BYTES = 1_000_000


class BatchSizes(Iterator[int]):
    """An endless iterator of batch sizes that learns from ``saw``."""

    def __init__(self) -> None:
        self._next = 16

    def __next__(self) -> int:
        return self._next

    def saw(self, rows: int, size: int) -> None:
        """The last batch had so many rows, of so many bytes in all."""
        self._next = max(1, min(MOST_ROWS, self._next * 4, AIM_BYTES * rows // max(size, 1)))

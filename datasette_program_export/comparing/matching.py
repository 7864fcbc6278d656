"""Drops the rows that both sides have at about the same place, so that only the others are looked at further.

It changes no answer: a row of one side and an equal one of the other are unchanged, by key and by value. Where both
sides give their rows in the order of a key, as exports do, what remains is what differs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from .packed_rows import split

_ENOUGH = 1000  # rows to look at together

Block = tuple[bytes, int]  # so many rows as bytes, one behind the other
Rows = list[bytes]
Pick = Callable[[Rows], Rows]


class _Waiting:
    """Rows of one side that have met no equal yet: ``rows`` as they are compared, ``whole`` as they are.

    Behind them stand the rows that are not parted yet."""

    def __init__(self, blocks: Iterator[Block], pick: Pick | None) -> None:
        self._blocks, self._pick = blocks, pick
        self._data, self._count = b"", 0
        self.rows: Rows = []
        self.whole: Rows = []

    def fill(self) -> bool:
        """Read on until there are enough rows; return whether there are any."""
        while len(self.rows) < _ENOUGH and self._read():
            block = split(self._data, self._count)
            self._data, self._count = b"", 0
            self._set(self.rows + (block if self._pick is None else self._pick(block)), self.whole + block)
        return bool(self.rows)

    def skip_same(self, other: _Waiting) -> None:
        """Drop the rows that come next on both sides: where the bytes are equal, so are the rows, unparted."""
        if self._pick is not None or other._pick is not None:
            return
        self._join()
        other._join()
        while self._read() and other._read():
            less, more = (self, other) if len(self._data) <= len(other._data) else (other, self)
            if not more._data.startswith(less._data):
                return
            more._data, more._count = more._data[len(less._data) :], more._count - less._count
            less._data, less._count = b"", 0

    def _read(self) -> bool:
        if not self._count:
            self._data, self._count = next(self._blocks, (b"", 0))
        return self._count > 0

    def _join(self) -> None:
        if self.rows:
            self._data, self._count = b"".join(self.rows) + self._data, len(self.rows) + self._count
            self._set([], [])

    def _set(self, rows: Rows, whole: Rows) -> None:
        self.rows, self.whole = rows, rows if self._pick is None else whole

    def drop(self, count: int) -> None:
        """Forget the first rows."""
        self._set(self.rows[count:], self.whole[count:])

    def take(self) -> Rows:
        """Return all rows, whole, and forget them."""
        found = self.whole
        self._set([], [])
        return found

    def without(self, equal: Counter[bytes]) -> Rows:
        """Drop the rows that have an equal, and return those before the last of them, whole."""
        left, behind = equal.copy(), 0
        alone: list[int] = []
        for place, row in enumerate(self.rows):
            if left.get(row):
                left[row] -= 1
                behind = len(alone)
            else:
                alone.append(place)
        found = [self.whole[place] for place in alone[:behind]]
        rest = alone[behind:]
        self._set([self.rows[place] for place in rest], [self.whole[place] for place in rest])
        return found


def unmatched(
    before: Iterator[Block],
    after: Iterator[Block],
    picks: tuple[Pick | None, Pick | None],
    is_before: Callable[[bytes, bytes, int], bool],
) -> Iterator[tuple[Rows, Rows]]:
    """Yield rows of the first side, and of the second, that met no equal.

    ``picks`` make of each side's rows what is compared, None where that is the whole row. ``is_before(row, other,
    side)`` says whether a row of this side (0 or 1) certainly stands before one of the other side. Example: of 1, 2, 3
    and 2, 3, 4 the rows 1 and 4 are yielded."""
    one, other = _Waiting(before, picks[0]), _Waiting(after, picks[1])
    one.skip_same(other)
    while one.fill() & other.fill():
        count = min(len(one.rows), len(other.rows))
        if one.rows[:count] == other.rows[:count]:
            one.drop(count)
            other.drop(count)
            one.skip_same(other)
            continue
        equal = Counter(one.rows) & Counter(other.rows)
        if equal:
            yield one.without(equal), other.without(equal)
        elif is_before(one.whole[-1], other.whole[0], 0):
            yield one.take(), []
        elif is_before(other.whole[-1], one.whole[0], 1):
            yield [], other.take()
        else:
            yield one.take(), other.take()
    while one.fill() | other.fill():
        yield one.take(), other.take()


def order_of(
    keys: tuple[list[int], list[int]], values: Callable[[bytes], list[Any]]
) -> Callable[[Any, Any, int], bool]:
    """Return the function ``is_before`` for rows with keys at these places of both sides; it only guesses the order of
    what is neither number nor text, which costs time where it is wrong, and changes no answer."""

    def is_before(row: bytes, other: bytes, side: int) -> bool:
        mine, theirs = values(row), values(other)
        for own, place in zip(keys[side], keys[1 - side]):
            try:
                if mine[own] != theirs[place]:
                    return bool(mine[own] < theirs[place])
            except TypeError:
                return False
        return False

    return is_before

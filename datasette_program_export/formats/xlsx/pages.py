"""The rows of one table as sheets: a next one where Excel's rows end, or where the part would be 2 GiB large."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ..csv.spreadsheet import MOST_LINES
from .parts import sheet_begin, sheet_end

Cells = Sequence[str]
_MOST_BYTES = 1_600_000_000


class Pages:
    """Writes rows of cells below a header, sheet by sheet, until ``ended``. ``header`` is empty for plain lines."""

    def __init__(self, header: Cells, columns: str, batches: Iterable[Sequence[Cells]], chosen: bool = False) -> None:
        self._header, self._columns, self._batches = header, columns, iter(batches)
        self._letters = [letters(place) for place in range(max(len(header), 1))]
        self._left: Sequence[Cells] = ()
        self._chosen = chosen
        self.ended = False

    def page(self) -> Iterator[bytes]:
        """Yield one sheet."""
        yield sheet_begin(self._columns, frozen=bool(self._header), chosen=self._chosen)
        rows = size = 0
        if self._header:
            yield self._written([self._header], 1)
            rows = 1
        while self._has_more() and rows < MOST_LINES and size < _MOST_BYTES:
            for first in range(0, min(len(self._left), MOST_LINES - rows), 100):
                some = self._left[first : min(first + 100, MOST_LINES - rows)]
                chunk = self._written(some, rows + first + 1)
                size += len(chunk)
                yield chunk
            taken = min(len(self._left), MOST_LINES - rows)
            rows, self._left = rows + taken, self._left[taken:]
        yield sheet_end(f"A1:{self._letters[-1]}{rows}" if self._header else None)

    def _has_more(self) -> bool:
        """Return whether rows are left, and fetch some."""
        while not self._left:
            found = next(self._batches, None)
            if found is None:
                self.ended = True
                return False
            self._left = found
        return True

    def _written(self, rows: Sequence[Cells], first: int) -> bytes:
        found = []
        for number, cells in enumerate(rows, first):
            written = [f'<c r="{at}{number}"{cell}' for at, cell in zip(self._letters, cells) if cell]
            found.append(f'<row r="{number}">{"".join(written)}</row>')
        return "".join(found).encode()


def letters(place: int) -> str:
    """Return the letters of a column, counted from 0: A, Z, AA."""
    name = ""
    place += 1
    while place:
        place, last = divmod(place - 1, 26)
        name = chr(65 + last) + name
    return name

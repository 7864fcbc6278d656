"""Reads lines of JSON as packed rows in C, where nobody wants the rows one by one; see ``LinesInC``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from typing import Any

import msgspec

from ...database.fetching.read_in_c import LinePlan, LinesInC
from ...database.text import decode_text
from ...files.lines import DigestingLines
from ..dataset import Field, PackedRows, Row
from .reading import Quick, not_quick
from .writing import RowLines

_FEW = 16 * 1024  # bytes of lines for which it is not worth it
Reading = Iterator[list[Row] | PackedRows]


def rows_in_c(
    fields: Sequence[Field], start: bytes, end: bytes, rows: Callable[[Quick], Reading]
) -> Callable[[Sequence[int] | None], Reading]:
    """Return how ``rows`` are read for ``Batches``: with what reads them in C, if their values are not wanted.

    ``start`` and ``end`` stand around the values in a line, with the LF."""

    def read(places: Sequence[int] | None) -> Reading:
        names = {field.name for field in fields}
        if places is None or not names or len(names) < len(fields) or any(field.generated for field in fields):
            yield from rows(not_quick)
            return
        with closing(_Quick(fields, start, end, places)) as quick:
            yield from rows(quick)

    return read


class _Quick:
    """Reads the next lines in C, as long as it can; it is made ready at the first that are worth it."""

    def __init__(self, fields: Sequence[Field], start: bytes, end: bytes, places: Sequence[int]) -> None:
        plan = RowLines(fields).plan(start, end)
        self._start, self._places = start, sorted(places)
        self._plan = LinePlan(plan.before, plan.row_end, plan.holds_json, self._places)
        self._lines: LinesInC | None = None

    def __call__(self, lines: DigestingLines) -> Iterator[PackedRows]:
        while len(ahead := lines.ahead(self._start)) >= _FEW:
            self._lines = self._lines or LinesInC(self._plan)
            found = self._lines.read(ahead)
            if found is None:
                return
            lines.skip(ahead[: found.size], found.rows)
            del ahead
            columns = dict(zip(self._places, _columns(found.kept))) if self._places else {}
            yield PackedRows(found.rows, found.packed, columns)
            del found, columns

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._lines is not None:
            self._lines.close()


def _bad_text(_: int, data: memoryview) -> Any:
    return decode_text(bytes(data))


_columns = msgspec.msgpack.Decoder(list[list[Any]], ext_hook=_bad_text).decode

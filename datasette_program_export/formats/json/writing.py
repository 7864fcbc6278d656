"""Writes rows as lines of JSON, for programjson and ndjson."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from itertools import chain, starmap
from typing import Any

import msgspec

from ...database.fetching.rows_in_c import Chunk, RowPlan
from ..dataset import Field, Row, Value
from ..values import is_plain, json_value
from .embedding import embeddable

_encode = msgspec.json.Encoder().encode
_encode_lines = msgspec.json.Encoder().encode_lines


@lru_cache(maxsize=256)  # a class takes longer to make than the rows of a small table to write
def _object_of(names: tuple[str, ...]) -> Callable[..., Any]:
    """Return what makes an object with these names of a row's values."""
    places = [f"c{i}" for i in range(len(names))]
    try:
        made: Callable[..., Any] = msgspec.defstruct(
            "Row", [(p, object) for p in places], rename=dict(zip(places, names)), gc=False
        )
        return made
    except ValueError:  # a name with a quote, a backslash or a control character: same bytes, slower
        return lambda *values: dict(zip(names, values))


class RowLines:
    """Encodes one table's rows as JSON objects, each on its own line, ended by LF.

    ``not_embedded`` counts, per column that holds JSON, the texts that had to be written as strings."""

    def __init__(self, fields: Sequence[Field]) -> None:
        names = [f.name for f in fields]
        self._computed = [i for i, f in enumerate(fields) if f.generated]
        self._json = [i for i, f in enumerate(fields) if f.holds_json]
        self._names = names
        self.not_embedded = dict.fromkeys(self._json, 0)
        self._object = _object_of(tuple(names))

    def __call__(self, rows: list[Row]) -> bytes:
        return self._lines(rows, lambda written: list(starmap(self._object, written)), len(rows))

    def _lines(self, rows: list[Row], items: Callable[[Iterable[Iterable[Any]]], list[Any]], count: int) -> bytes:
        """Encode what ``items`` makes of the rows' values, ``count`` items, each on its own line."""
        counted = self.not_embedded.copy()
        try:
            data = _encode_lines(items(self._written(rows, is_plain(rows))))
        except UnicodeEncodeError:
            self.not_embedded = counted  # the texts are looked at again
            data = _encode_lines(items(self._written(rows, False)))
        if data.count(b"\n") != count:
            raise AssertionError("a row broke its line")  # never happens: embedded JSON has no line breaks
        return data

    def plan(self, start: bytes = b"{", end: bytes = b"}\n", comma: bytes = b",", colon: bytes = b":") -> RowPlan:
        """Return how these rows are written: ``start`` and ``end`` stand around each, ``comma`` between two columns."""
        before = [(comma if i else start) + _encode(name) + colon for i, name in enumerate(self._names)]
        return RowPlan(before, end, holds_json=self._json, computed=self._computed)

    def saw(self, chunk: Chunk) -> None:
        """Count the texts of a chunk that had to be written as strings."""
        for place in self.not_embedded:
            self.not_embedded[place] += chunk.not_embedded[place]

    def indented(self, rows: list[Row], depth: int) -> bytes:
        """Return rows as objects with a comma between them, every value on its own line; embedded JSON keeps its text.

        ``depth`` is how many blanks stand before each object."""
        blanks = b" " * depth
        start, comma = blanks + b"{\n  " + blanks, b",\n  " + blanks
        plan = self.plan(start, b"\n" + blanks + b"},\n", comma, b": ")
        return self.spread(rows, plan).removesuffix(b",\n")

    def spread(self, rows: list[Row], plan: RowPlan) -> bytes:
        """Return rows as a plan says, every value encoded by itself; what is embedded keeps its text.

        All values of the rows are encoded at once, and what stands between two values is the same in every row."""
        if not rows:
            return b""
        width = len(self._names)
        between = [*plan.before]
        between[0] = plan.row_end + between[0]
        parts: list[bytes] = [b""] * (2 * width * len(rows))
        parts[::2] = between * len(rows)
        parts[0] = plan.before[0]
        parts[1::2] = self._lines(rows, lambda w: list(chain.from_iterable(w)), width * len(rows)).split(b"\n")[:-1]
        return b"".join(parts) + plan.row_end

    def _written(self, rows: list[Row], plain: bool) -> Iterable[Iterable[Any]]:
        if plain and not self._json:
            return rows
        columns: list[Iterable[Any]] = list(zip(*rows))
        for i, column in enumerate(columns):
            if i in self.not_embedded:
                columns[i] = [self._embed(i, value) for value in column]
            elif not plain:
                columns[i] = map(json_value, column)
        return zip(*columns)

    def _embed(self, place: int, value: Value) -> Any:
        if isinstance(value, str):
            data = embeddable(value)
            if data is not None:
                return msgspec.Raw(data)
            self.not_embedded[place] += 1
        return json_value(value)

    def warnings(self, table: str) -> list[str]:
        """Return a sentence for each JSON column with texts that were written as strings."""
        return [
            f"{table}.{self._names[place]}: {count:,} text(s) are not JSON that can be embedded as it is; "
            "they are written as strings."
            for place, count in self.not_embedded.items()
            if count
        ]

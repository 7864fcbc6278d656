"""Reads lines of JSON as rows, for programjson and ndjson."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from ...errors import UnreadableError
from ..dataset import Field, Row, Value
from ..values import of_tag

_decode = msgspec.json.Decoder().decode


class RowReader:
    """Reads one table's rows. Raises UnreadableError for anything that ``RowLines`` would not have written."""

    def __init__(self, table: str, fields: Sequence[Field]) -> None:
        self.table = table
        self._names = [f.name for f in fields]
        self._json = [f.holds_json for f in fields]
        self._rows: Callable[[bytes], list[Row]]
        places = [f"c{i}" for i in range(len(fields))]
        types = [(p, msgspec.Raw if j else object) for p, j in zip(places, self._json)]
        try:
            row = msgspec.defstruct(
                "Row", types, rename=dict(zip(places, self._names)), forbid_unknown_fields=True, gc=False
            )
        except ValueError:  # a name that msgspec does not take; see RowLines
            named = msgspec.json.Decoder(list[dict[str, msgspec.Raw]]).decode
            self._rows = lambda data: list(map(self._of_dict, named(data)))
        else:
            decode = msgspec.json.Decoder(list[row]).decode  # type: ignore[valid-type]
            self._rows = lambda data: list(map(msgspec.structs.astuple, decode(data)))

    def __call__(self, lines: Sequence[bytes], first: int) -> list[Row]:
        """The rows of these lines, each one JSON object; ``first`` is the first one's number in the file."""
        try:
            return self._read(lines)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError, KeyError):
            pass
        for number, line in enumerate(lines, first):
            try:
                self._read([line])
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError, KeyError):
                raise UnreadableError(f"Line {number:,} is not a row of {self.table}.") from None
        raise UnreadableError(f"Lines {first:,} to {first + len(lines) - 1:,} are not rows of {self.table}.")

    def _read(self, lines: Sequence[bytes]) -> list[Row]:
        rows = self._rows(b"[" + b",".join(lines) + b"]")
        if len(rows) != len(lines):
            raise ValueError
        columns: list[Sequence[Any]] = list(zip(*rows))
        changed = False
        for i, column in enumerate(columns):
            if self._json[i]:
                columns[i], changed = [_of_raw(value) for value in column], True
            elif not {dict, list, bool}.isdisjoint(map(type, column)):
                columns[i], changed = [of_tag(value) for value in column], True
        return list(zip(*columns)) if changed else rows

    def _of_dict(self, row: dict[str, msgspec.Raw]) -> Row:
        if list(row) != self._names:
            raise ValueError
        return tuple(raw if holds else _decode(raw) for raw, holds in zip(row.values(), self._json))


def _of_raw(raw: msgspec.Raw) -> Value:
    """A value of a column that holds JSON: an object or array is the text itself, tags excepted."""
    data = bytes(raw)
    if data[:1] not in (b"{", b"["):
        return of_tag(_decode(data))
    if data.startswith(b'{"$'):
        return of_tag(_decode(data))
    _decode(data)  # msgspec passes over what is inside a Raw; it is to be JSON all the same
    return data.decode()

"""The road back for the JSON formats: lines of JSON to rows, as exact as they were written."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from pydantic import ValidationError

from ..document import DocumentSchema
from ..errors import UnreadableError
from ..records import Field, Row, Value

_REALS = {"Infinity": float("inf"), "-Infinity": float("-inf")}
_MOST_PARTS = 3_000_000  # of a description: each takes some hundred bytes of memory
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


def of_tag(value: Any) -> Value:
    """A decoded value, as itself or out of the tag that JSON has no word for (see ``values``)."""
    if value is None or isinstance(value, (str, float)) or (type(value) is int and -(2**63) <= value < 2**63):
        return value
    if isinstance(value, dict):
        keys = list(value)
        if keys == ["$real"]:
            return _REALS[value["$real"]]
        if keys[:2] == ["$base64", "encoded"] and value["$base64"] is True:
            try:
                data = b64decode(value["encoded"], validate=True)
            except (Base64Error, TypeError):
                raise ValueError from None
            if keys[2:] == []:
                return data
            if keys[2:] == ["type"] and value["type"] == "text":
                return data.decode("utf-8", "surrogateescape")
    raise ValueError


def description(data: bytes, where: str) -> Mapping[str, Any]:
    """A JSON object that describes. Raises UnreadableError."""
    if data.count(b",") + data.count(b"[") + data.count(b"{") > _MOST_PARTS:
        raise UnreadableError(f"{where} has far too many parts.")
    try:
        found = msgspec.json.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise UnreadableError(f"{where} cannot be read: it is not JSON as this program writes it.")
    return found


def check_integrity(found: Any, document: str) -> None:
    """Raise UnreadableError unless this is the end of a complete document with that digest."""
    if not isinstance(found, dict) or list(found) != ["rows", "tables", "document", "complete"]:
        raise UnreadableError("The end is not as this program writes it.")
    if found["document"] != document:
        raise UnreadableError("The file was changed after it was written: its digest is another.", "changed")
    if found["complete"] is not True:
        raise UnreadableError("The file says itself that it is not complete.")


def tables_of(schema: Any) -> dict[str, tuple[Field, ...]]:
    """The columns of each table of a document's schema. Raises UnreadableError for one that is formed otherwise."""
    try:
        found = DocumentSchema.model_validate(schema)
    except (ValidationError, RecursionError):
        raise UnreadableError("The schema is not as this program writes it.") from None
    return {
        name: tuple(Field(c.name, c.type, c.json_, c.generated) for c in table.columns)
        for name, table in found.tables.items()
    }

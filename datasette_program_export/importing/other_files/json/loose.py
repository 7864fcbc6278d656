"""JSON that names no tables: one row, rows under a key, or objects one behind the other, into the table that was named.

The file is read once before, for its outline: what its outermost keys hold.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from ....database.schema import Schema, fold
from ....errors import RequestError, UnreadableError
from .events import Event, JsonText, skip

_DEEP, _MOST, _TOLD = 5, 200, 10
_INSIDE = ("data", "related_data")
_SAID = {"row": "one row", "under": "rows under {path}", "values": "values one behind the other"}


@dataclass(frozen=True)
class LooseForm:
    """How the rows of a file are found: the object itself is one, ``under`` a path of keys, or ``values`` in a row."""

    kind: Literal["row", "under", "values"]
    path: list[str]

    @property
    def said(self) -> str:
        """What the report calls it."""
        return _SAID[self.kind].format(path=".".join(self.path))


@dataclass
class Outline:
    """What the first value of a file holds, by paths of keys. ``keys`` are the outermost, with the event that begins
    their values; ``lists`` lead to lists of objects, ``empty`` to empty lists; ``several`` if more values follow."""

    keys: dict[str, str] = field(default_factory=dict)
    lists: list[list[str]] = field(default_factory=list)
    empty: list[list[str]] = field(default_factory=list)
    objects: list[list[str]] = field(default_factory=list)
    several: bool = False


def outline_of(events: Iterator[Event]) -> Outline:
    """Return the outline of a file. Raises JsonFault, UnreadableError."""
    found = Outline()
    event, _ = next(events, ("end", None))
    if event == "start_map":
        _look(events, [], found)
    elif event == "start_array":
        skip(events)
    found.several = next(events, None) is not None
    return found


def _look(events: Iterator[Event], path: list[str], found: Outline) -> None:
    for event, key in events:
        if event == "end_map":
            return
        event, _ = next(events)
        here = [*path, key]
        if not path:
            found.keys[key] = event
        if event == "start_map":
            _note(found.objects, here)
            _look(events, here, found) if len(here) < _DEEP else skip(events)
        elif event == "start_array":
            inner, _ = next(events)
            if inner == "end_array":
                _note(found.empty, here)
                continue
            if inner == "start_map":
                _note(found.lists, here)
            if inner.startswith("start"):
                skip(events)
            skip(events)


def _note(paths: list[list[str]], path: list[str]) -> None:
    if len(paths) < _MOST:
        paths.append(path)


def loose_form(text: JsonText, name: str, rows_at: str | None, schema: Schema) -> LooseForm | None:
    """Return how a file is read into the table ``name``, or None if it is of a layout with tables of its own.

    Raises UnreadableError where that must be asked, RequestError where the table contradicts the file."""
    outline, table = outline_of(text.events()), schema.find(name)
    if rows_at is not None:
        return _at(outline, rows_at)
    if outline.several:
        return LooseForm("values", [])
    if _names_tables(outline, name, schema):
        return None
    if table is None:
        return _into_new_table(outline)
    lists = [path for path in outline.lists or outline.empty if len(path) > 1 or table.column(path[0]) is None]
    beside = [key for key in outline.keys if not any(path[0] == key for path in lists)]
    if not lists or (beside and all(table.column(key) is not None for key in beside)):
        if not any(table.column(key) is not None for key in outline.keys):
            raise UnreadableError(
                f"There is no table of rows in the file, and none of its keys is a column of {table.name}.", "unknown"
            )
        return LooseForm("row", [])
    if len(lists) > 1:
        raise UnreadableError(
            f"The file has several lists of rows ({_told(lists)}): name one of them with the argument rows_at.",
            "unknown",
        )
    return LooseForm("under", lists[0])


def _into_new_table(outline: Outline) -> LooseForm | None:
    """Return how rows are found for a table that is not there: only where the file can be read in one way."""
    lists = outline.lists
    if not lists:
        return LooseForm("row", []) if set(outline.keys) - {path[0] for path in outline.empty} else None
    return LooseForm("under", lists[0]) if len(lists) == 1 and set(outline.keys) == {lists[0][0]} else None


def _at(outline: Outline, rows_at: str) -> LooseForm:
    places = [*outline.lists, *outline.empty, *outline.objects]
    found = next((path for path in places if ".".join(path) == rows_at), None)
    if found is None or outline.several:
        lists = outline.lists or outline.objects
        raise RequestError(
            f"There are no rows at {rows_at} in the file."
            + (f" It has some at: {_told(lists)}." if lists else " It is no object that holds rows.")
        )
    return LooseForm("under", found)


def _told(paths: list[list[str]]) -> str:
    return ", ".join(".".join(path) for path in paths[:_TOLD]) + " …" * (len(paths) > _TOLD)


def _names_tables(outline: Outline, name: str, schema: Schema) -> bool:
    """Return whether the file is of a layout that names its tables. Raises RequestError if none of them is this."""
    keys = outline.keys
    inner = [path[1] for path in outline.lists if len(path) == 2 and path[0] in _INSIDE]
    keyed = [path[0] for path in outline.lists if len(path) == 1] + inner
    if fold(name) in map(fold, keyed):
        return True
    if full := [one for one in keyed if schema.find(one)]:
        raise RequestError(
            f"The file names its tables itself ({', '.join(full[:_TOLD])}), and has no rows of {name}: leave out "
            "the argument table, or use the argument rows_at."
        )
    if "format" in keys or keys.get("data") == "string" or {"records", "table"} <= set(keys):
        return True
    return any(len(path) == 1 and schema.find(path[0]) is not None for path in outline.empty)

"""Reads JSON of other programs as a stream: tables of rows, and documents of The Program.

The layouts are recognised by their keys alone: ``{table: rows}`` with or without ``metadata``; the
results of an export of charts, clients, one table (``records``) or everything, with rows beside or as
text in ``data``; an HTTP response with such a text; a bare list of rows; rows that contain rows of other tables.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from itertools import islice
from typing import IO, Any

from ...errors import RequestError, UnreadableError, UnsupportedError
from ...files.reading_limits import LARGE, TRUSTING, Limits
from ...formats.registry import NAMES, get_format
from .rows import ForeignRows
from .surrogates import ShortTokens, WholeCharacters

Event = tuple[str, Any]
_DEEPEST = 10_000
_MOST_KEYS = 10_000
_MOST_EVENTS = 150_000  # in one row: as objects, each takes some hundred bytes
_ROWS_INSIDE = ("data", "related_data")
_KNOWN_LISTS = ("tables", "missing_ids", "errors", "warnings")
_LAYOUTS = (  # a key that shows the layout, in the order in which they are tried
    ("success", "an answer of the export service"),
    ("record_count", "an export of one table"),
    ("chart_count", "an export of charts"),
    ("client_count", "an export of clients"),
    ("record_counts", "a full export"),
    ("metadata", "a full export"),
)


def _is_ours(name: object) -> bool:
    """Return whether ``name`` is a format of this program whose documents are JSON."""
    marks = get_format(name).beginnings if isinstance(name, str) and name in NAMES else ()
    return any(mark.startswith(b"{") for mark in marks)


class JsonDocument:
    """One JSON document. ``opened`` opens it from its start; ``table`` names the table of a bare list of rows."""

    def __init__(
        self,
        opened: Callable[[], AbstractContextManager[IO[bytes]]],
        rows: ForeignRows,
        table: str | None,
        limits: Limits = TRUSTING,
    ) -> None:
        self._limits = limits
        self._opened = opened
        self._rows = rows
        self._table = table
        self._kept = 0
        self.facts: dict[str, Any] = {}
        self.texts: dict[str, str] = {}  # JSON or CSV in a string, by table; "" if it names none
        self.layout = "a list of rows"

    def read(self) -> None:
        """Stage all rows. Raises UnreadableError, and RequestError if a table must be named."""
        with self._opened() as file:
            events = _events(file, self._limits)
            event, _ = next(events, ("end", None))
            if event == "start_array":
                self._list(events, None)
            elif event == "start_map":
                self._object(events)
            else:
                raise UnreadableError("The file is JSON, but neither an object nor a list.", "unknown")
            for _ in events:
                pass

    def _keep(self, where: dict[str, Any], key: str, value: Any) -> None:
        """Keep a value that is not a row, within the size limit for such values."""
        where[key] = value
        self._kept += len(key) + (len(value) if isinstance(value, str) else 8)
        self._limits.fits(self._kept, "What the file holds beside its rows")

    def _object(self, events: Iterator[Event]) -> None:
        self.layout = "tables of rows"
        for _, key in _keys(events):
            event, value = next(events)
            if event == "start_array":
                self._list(events, key)
            elif event == "start_map":
                if key in _ROWS_INSIDE:
                    self._inside(events)
                else:
                    self._keep(self.facts, key, None)
                    _skip(events)
                    if self._rows.intake.schema.find(key) is not None:
                        raise UnreadableError(f"{key} is a table of the target, but no list of rows in the file.")
            elif key == "data" and event == "string":
                self._keep(self.texts, "", value)
            elif key == "format" and _is_ours(value):
                raise UnreadableError(
                    f"This was a {value} file, but another program wrote it anew: it cannot be proven any more. "
                    "Take the file as it was exported.",
                    "changed",
                )
            else:
                self._keep(self.facts, key, value)
        names = {**self.facts, **self._rows.seen}
        self.layout = next((what for key, what in _LAYOUTS if key in names), self.layout)

    def _inside(self, events: Iterator[Event]) -> None:
        for _, key in _keys(events):
            event, value = next(events)
            if event == "start_array":
                self._list(events, key)
            elif event == "string":
                self._keep(self.texts, key, value)
            else:
                raise UnreadableError(f"{key} in the file is neither a list of rows nor CSV.")

    def _list(self, events: Iterator[Event], key: str | None) -> None:
        name: str | None = None
        for number, (event, value) in enumerate(_elements(events), 1):
            if event != "start_map":
                _value(events, event, value)
                if key not in _KNOWN_LISTS:
                    raise UnreadableError(f"Entry {number:,} of {key or 'the list'} is no object, so it is no row.")
                continue
            row = _map(_counted(events, number, self._limits))
            name = name or self._name(key, row)
            self._rows.add(name, row)
            del row
        if name is None and key not in (None, "records", *_KNOWN_LISTS):
            self._empty(str(key))

    def _empty(self, key: str) -> None:
        if self._rows.intake.schema.find(key) is not None:
            self._rows.begin(key)
        else:
            self._rows.seen.setdefault(key, 0)

    def _name(self, key: str | None, row: dict[str, Any]) -> str:
        if key == "records" and self._rows.intake.schema.find("records") is None:
            named = self.facts.get("table") or self._table or self._look_for("table")
            if isinstance(named, str):
                return named
            key = None
        if key is not None:
            return self._rows.called(key, row)
        if self._table is None:
            raise RequestError("The file is a list of rows and names no table: give the argument table.")
        return self._table

    def _look_for(self, key: str) -> Any:
        """Return a text of the outermost object that comes after its rows, or None."""
        depth, last = 0, None
        with self._opened() as file:
            for event, value in _events(file, self._limits):
                if depth == 1 and last == key and event == "string":
                    return value
                depth += {"start_map": 1, "start_array": 1, "end_map": -1, "end_array": -1}.get(event, 0)
                last = value if event == "map_key" and depth == 1 else None
        return None


def _events(file: IO[bytes], limits: Limits) -> Iterator[Event]:
    """Yield ijson's events. Raises UnreadableError if the file is not JSON, UnsupportedError without ijson."""
    try:
        import ijson
    except ImportError:
        raise UnsupportedError(
            "To read JSON of other programs the package ijson is needed: pip install datasette-program-export[import]."
        ) from None
    try:
        yield from ijson.basic_parse(WholeCharacters(ShortTokens(file, limits)), use_float=False)
    except ijson.IncompleteJSONError as error:
        if "premature" in str(error).lower() or "incomplete" in str(error).lower():
            raise UnreadableError("The file is cut: it ends within its JSON.", "cut") from None
        raise UnreadableError("The file is not JSON (a bare NaN or Infinity is none, either).") from None
    except (ijson.JSONError, UnicodeDecodeError, ValueError, ArithmeticError):  # ArithmeticError: a huge exponent
        raise UnreadableError("The file is not JSON (a bare NaN or Infinity is none, either).") from None


def _counted(events: Iterator[Event], number: int, limits: Limits) -> Iterator[Event]:
    """Yield the events of one row. Raises UnreadableError if it is too large to be held as objects."""
    if limits is TRUSTING:
        yield from events
        return
    size = 0
    for event, value in islice(events, _MOST_EVENTS):
        if isinstance(value, str):
            size += len(value)
            if size > LARGE:
                limits.fits(size * 2, f"Row {number:,}")
        yield event, value
        del value
    raise UnreadableError(
        f"Row {number:,} has far too many parts. If you know where the file is from, give the argument trusted."
    )


def _keys(events: Iterator[Event]) -> Iterator[Event]:
    """Yield the keys of an object; take each value before the next key. Raises UnreadableError for a repeated key."""
    seen: set[str] = set()
    for event, value in events:
        if event == "end_map":
            return
        if value in seen:
            raise UnreadableError(f"The file has {value} twice in one object.")
        if len(seen) >= _MOST_KEYS:
            raise UnreadableError("The file has far too many keys in one object.")
        seen.add(value)
        yield event, value


def _skip(events: Iterator[Event]) -> None:
    """Skip the rest of an object that holds no rows."""
    depth = 1
    for event, _ in events:
        depth += {"start_map": 1, "start_array": 1, "end_map": -1, "end_array": -1}.get(event, 0)
        if depth == 0:
            return
        if depth > _DEEPEST:
            raise UnreadableError("The file is nested far too deeply.")


def _elements(events: Iterator[Event]) -> Iterator[Event]:
    for event, value in events:
        if event == "end_array":
            return
        yield event, value


def _map(events: Iterator[Event]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    key = ""
    for event, value in events:
        if event == "map_key":
            if value in found:
                raise UnreadableError(f"The file has {value} twice in one object.")
            key = value
        elif event == "end_map":
            return found
        else:
            found[key] = _value(events, event, value)
    return found


def _value(events: Iterator[Event], event: str, value: Any) -> Any:
    if event == "start_map":
        return _map(events)
    if event == "start_array":
        return [_value(events, e, v) for e, v in _elements(events)]
    return value


def from_text(text: str) -> Callable[[], AbstractContextManager[IO[bytes]]]:
    """Return a function that opens a document contained as text in another one."""
    data = text.encode("utf-8", "surrogatepass")
    return lambda: io.BytesIO(data)

"""Reads JSON of other programs as a stream: tables of rows, and documents of The Program.

The layouts are recognised by their keys alone: ``{table: rows}`` with or without ``metadata``; the
results of an export of charts, clients, one table (``records``) or everything, with rows beside or as
text in ``data``; an HTTP response with such a text; a bare list of rows; rows that contain rows of other tables.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import IO, Any

from ....database.schema import fold
from ....errors import RequestError, UnreadableError
from ....files.reading_limits import TRUSTING, Limits
from ....formats.registry import NAMES, get_format
from ...choices import ImportChoices
from ..destination import destination
from ..rows import ForeignRows
from ..survey import Survey
from .events import DEPTH, Event, JsonFault, JsonText, counted, elements, keys_of, object_of, skip, value_from
from .loose import LooseForm, loose_form

_TOLD = 10
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
    """One JSON file. ``opened`` opens it as UTF-8; ``choices`` name the table of bare rows, and where they are."""

    def __init__(
        self,
        opened: Callable[[], AbstractContextManager[IO[bytes]]],
        rows: ForeignRows | Survey,
        choices: ImportChoices,
        limits: Limits = TRUSTING,
        encoding: str = "utf-8",
    ) -> None:
        self._limits = limits
        self._text = JsonText(opened, limits, encoding)
        self._rows = rows
        self._table, self._choices = choices.table, choices
        self._rows_at = choices.rows_at
        self._kept = 0
        self.facts: dict[str, Any] = {}
        self.texts: dict[str, str] = {}  # JSON or CSV in a string, by table; "" if it names none
        self.layout = "a list of rows"

    def read(self) -> None:
        """Stage all rows. Raises UnreadableError, and RequestError if a table must be named."""
        try:
            self._read()
        except JsonFault as fault:
            raise self._text.told(fault) from None

    def _read(self) -> None:
        plan = self._planned()
        events = self._text.events()
        event, _ = next(events, ("end", None))
        if plan is not None:
            self._loose(plan, event, events)
        elif event == "start_array":
            self._list(events, None)
        elif event == "start_map":
            self._object(events)
        else:
            raise UnreadableError("The file is JSON, but neither an object nor a list.", "unknown")
        for _ in events:
            raise RequestError(
                "The file holds several JSON values one behind the other: give the argument table for their rows."
            )

    def _planned(self) -> LooseForm | None:
        """Return how a file that names no tables is read into the one that was named, or None for a known layout."""
        if self._table is None:
            if self._rows_at is not None:
                raise RequestError(
                    "With the argument rows_at, also give the argument table, for the rows that it leads to."
                )
            return None
        if self._rows_at is None and self._begins_with_list():
            return LooseForm("values", []) if self._is_followed() else None
        return loose_form(self._text, self._table, self._rows_at, self._rows.intake.schema)

    def _begins_with_list(self) -> bool:
        return next(self._text.events(), ("end", None))[0] == "start_array"

    def _is_followed(self) -> bool:
        """Return whether more values stand behind the first."""
        depth = 0
        for event, _ in (events := self._text.events()):
            if depth == 0 and event.startswith("end"):
                break
            depth += DEPTH.get(event, 0)
            if depth == 0:
                return next(events, None) is not None
        return False

    def _loose(self, form: LooseForm, event: str, events: Iterator[Event]) -> None:
        assert self._table is not None
        self.layout = f"{form.said}, into {self._table}"
        if form.kind == "under":
            self._under(form.path, events)
            return
        first = True
        while event.startswith("start"):
            if event == "start_map":
                self._rows.add(self._table, object_of(counted(events, 1, self._limits)))
            else:
                self._list(events, None)
            event, first = next(events, ("end", None))[0], False
        if event != "end":
            raise UnreadableError("The file is JSON, but neither an object nor a list.", "unknown")
        assert not first

    def _under(self, path: list[str], events: Iterator[Event]) -> None:
        """Read the rows to which the keys of ``path`` lead, and skip what stands beside them."""
        assert self._table is not None
        beside = []
        for _, key in keys_of(events):
            event, _ = next(events)
            if key != path[0]:
                beside.append(key)
                if event.startswith("start"):
                    skip(events)
            elif len(path) > 1:
                self._under(path[1:], events)
            elif event == "start_array":
                self._list(events, None)
            else:
                self._rows.add(self._table, object_of(counted(events, 1, self._limits)))
        if beside:
            told = (
                f"What stands beside the rows is not read: {', '.join(beside[:_TOLD])}{' …' * (len(beside) > _TOLD)}."
            )
            self._rows.note(told, self._table)

    def _keep(self, where: dict[str, Any], key: str, value: Any) -> None:
        """Keep a value that is not a row, within the size limit for such values."""
        where[key] = value
        self._kept += len(key) + (len(value) if isinstance(value, str) else 8)
        self._limits.fits(self._kept, "What the file holds beside its rows")

    def _object(self, events: Iterator[Event]) -> None:
        self.layout = "tables of rows"
        for _, key in keys_of(events):
            event, value = next(events)
            if event == "start_array":
                self._list(events, key)
            elif event == "start_map":
                if key in _ROWS_INSIDE:
                    self._inside(events)
                else:
                    self._keep(self.facts, key, None)
                    skip(events)
                    if self._rows.intake.schema.find(key) is not None:
                        raise UnreadableError(f"{key} is a table of the target, but no list of rows in the file.")
            elif key == "data" and event == "string":
                self._keep(self.texts, "", value)
            elif key == "format" and _is_ours(value):
                raise UnreadableError(
                    f"This was a file of the format {value}, but another program wrote it anew: it cannot be proven "
                    "any more. Take the file as it was exported.",
                    "changed",
                )
            else:
                self._keep(self.facts, key, value)
        names = {**self.facts, **self._rows.seen}
        self.layout = next((what for key, what in _LAYOUTS if key in names), self.layout)

    def _inside(self, events: Iterator[Event]) -> None:
        for _, key in keys_of(events):
            event, value = next(events)
            if event == "start_array":
                self._list(events, key)
            elif event == "string":
                self._keep(self.texts, key, value)
            else:
                raise UnreadableError(f"{key} in the file is neither a list of rows nor CSV.")

    def _list(self, events: Iterator[Event], key: str | None) -> None:
        name: str | None = None
        for number, (event, value) in enumerate(elements(events), 1):
            if event != "start_map":
                value_from(events, event, value)
                if key not in _KNOWN_LISTS:
                    raise UnreadableError(f"Entry {number:,} of {key or 'the list'} is no object, so it is no row.")
                continue
            row = object_of(counted(events, number, self._limits))
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
                if self._table is not None and fold(named) != fold(self._table):
                    raise RequestError(
                        f"The file holds rows of {named}, not of {self._table}: leave out the argument table."
                    )
                return named
            key = None
        if key is not None:
            return self._rows.called(key, row)
        return destination(self._rows.intake, self._choices, list(row))

    def _look_for(self, key: str) -> Any:
        """Return a text of the outermost object that comes after its rows, or None."""
        depth, last = 0, None
        for event, value in self._text.events():
            if depth == 1 and last == key and event == "string":
                return value
            depth += DEPTH.get(event, 0)
            last = value if event == "map_key" and depth == 1 else None
        return None


def from_text(text: str) -> Callable[[], AbstractContextManager[IO[bytes]]]:
    """Return a function that opens a document contained as text in another one."""
    data = text.encode("utf-8", "surrogatepass")
    return lambda: io.BytesIO(data)

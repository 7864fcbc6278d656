"""Takes the elements of an XML document of this program, one by one, and makes rows and descriptions of them."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable
from typing import Any

from ....database.text import decode_text
from ....errors import UnreadableError
from ....files.reading_limits import LARGE, Limits
from ...dataset import Row, Value
from .form import BASE64, NAMESPACE, ROOT, real_text, spelled

_DESCRIPTIONS = ("export", "schema", "coverage")
_ENCODED = ["encoding", "base64"]
assert ' {}="{}"'.format(*_ENCODED) == BASE64


def _integer(text: str) -> int:
    value = int(text)
    if str(value) != text or not -(2**63) <= value < 2**63:
        raise ValueError
    return value


def _real(text: str) -> float:
    value = float(text)
    if real_text(value) != text:
        raise ValueError
    return value


def _null(text: str) -> None:
    if text:
        raise ValueError


_VALUES: dict[str, Callable[[str], Value]] = {
    "null": _null,
    "integer": _integer,
    "real": _real,
    "text": str,
    "blob": lambda text: b64decode(text, validate=True),
}


class Elements:
    """The handler of a document. ``take`` returns what was found since, as pairs of a kind and a value.

    The kinds: "document" (its version), "export", "schema", "coverage" (their texts), "table" (its name and columns),
    "rows", "table end", "integrity". Raises UnreadableError for any element that is out of its place."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._items: list[tuple[str, Any]] = []
        self._rows: list[Row] = []
        self._path: list[str] = []
        self._name, self._columns = "", list[tuple[str, str]]()
        self._expected: list[list[str]] | None = None  # the attributes of a row's values, once rows have begun
        self._row: list[Value] = []
        self._pieces: list[str] = []
        self._size = 0
        self._encoded = self._gathers = False
        self._integrity: dict[str, Any] = {}

    def take(self) -> list[tuple[str, Any]]:
        """Return what was found, and begin anew."""
        self._flush()
        found, self._items = self._items, []
        return found

    def _flush(self) -> None:
        if self._rows:
            self._items.append(("rows", self._rows))
            self._rows = []

    def begin(self, name: str, found: list[str]) -> None:
        """Take the beginning of an element, with its attributes."""
        if len(self._path) == 3 and self._path[2] == "row":
            self._begin_value(name, found)
        else:
            begin = _BEGIN.get((*self._path, name))
            if begin is None:
                raise self._wrong()
            try:
                begin(self, name, found)
            except (ValueError, KeyError, IndexError):
                raise self._wrong() from None
        self._path.append(name)

    def _wrong(self) -> UnreadableError:
        where = f" in the table {self._name}" if self._name else ""
        return UnreadableError(f"The file is not as this program writes it: an element{where} is out of its place.")

    def _begin_value(self, name: str, found: list[str]) -> None:
        expected, place = self._expected, len(self._row)
        if name not in _VALUES or expected is None or place == len(expected):
            raise self._wrong()
        if found != expected[place]:
            if found != expected[place] + _ENCODED or name != "text":
                raise self._wrong()
            self._encoded = True
        self._gathers = True

    def _begin_root(self, name: str, found: list[str]) -> None:
        if found[:3] != ["xmlns", NAMESPACE, "version"]:
            raise ValueError
        self._items.append(("document", found[3]))

    def _begin_description(self, name: str, found: list[str]) -> None:
        self._gathers = True

    def _begin_table(self, name: str, found: list[str]) -> None:
        self._name, self._columns, self._expected = _named(found, "name"), [], None

    def _begin_column(self, name: str, found: list[str]) -> None:
        if self._expected is not None:
            raise ValueError
        self._columns.append((_named(found[:2], "name"), _named(found[2:], "type")))

    def _begin_rows(self) -> None:
        if self._expected is None:
            self._items.append(("table", (self._name, self._columns)))
            self._expected = [[*spelled("column", column)] for column, _ in self._columns]

    def _begin_row(self, name: str, found: list[str]) -> None:
        self._begin_rows()
        self._row = []
        self._size = 0

    def _begin_integrity(self, name: str, found: list[str]) -> None:
        about = dict(zip(found[::2], found[1::2]))
        self._name = ""
        self._integrity = {
            "rows": int(about["rows"]),
            "tables": {},
            "document": about["document"],
            "complete": about["complete"] == "true",
        }

    def _begin_announced(self, name: str, found: list[str]) -> None:
        about = dict(zip(found[2::2], found[3::2]))
        announced = {"rows": int(about["rows"]), "sha256": about["sha256"]}
        self._integrity["tables"][_named(found[:2], "name")] = announced

    def text(self, text: str) -> None:
        """Take a piece of text; between elements it is the end of a line."""
        if self._gathers:
            self._size += len(text)
            if self._size > LARGE:
                if len(self._path) == 2 and self._size > self._limits.description:
                    raise UnreadableError("A description in the file is far too large.")
                self._limits.fits(self._size, f"A row of {self._name}")
            self._pieces.append(text)
        elif text.strip("\n"):
            raise self._wrong()

    def end(self, name: str) -> None:
        """Take the end of an element."""
        self._path.pop()
        if self._gathers:
            self._gathers = False
            text = "".join(self._pieces)
            self._pieces.clear()
            if name in _DESCRIPTIONS:
                self._size = 0
                self._items.append((name, text))
            else:
                self._end_value(name, text)
        elif name == "row":
            if len(self._row) != len(self._columns):
                raise self._wrong()
            self._rows.append(tuple(self._row))
        elif (name == "table" and len(self._path) == 1) or name == "integrity":
            self._end_part(name)

    def _end_value(self, name: str, text: str) -> None:
        if len(text) > LARGE:
            self._limits.fits_row(text.encode("utf-8", "surrogatepass"), f"A row of {self._name}")
        try:
            if self._encoded:
                self._encoded = False
                self._row.append(decode_text(b64decode(text, validate=True)))
            else:
                self._row.append(_VALUES[name](text))
        except ValueError:
            row = f"A row of {self._name} has a value that is not as this program writes it."
            raise UnreadableError(row) from None

    def _end_part(self, name: str) -> None:
        if name == "integrity":
            self._items.append((name, self._integrity))
            return
        self._begin_rows()
        self._flush()
        self._items.append(("table end", None))


def _named(found: list[str], name: str) -> str:
    """Return the text of an attribute, the only one of these. Raises ValueError."""
    key, value = found
    if key == name:
        return value
    if key == f"{name}-base64":
        return decode_text(b64decode(value, validate=True))
    raise ValueError


_TABLE = (ROOT, "table")
_BEGIN: dict[tuple[str, ...], Callable[[Elements, str, list[str]], None]] = {
    (ROOT,): Elements._begin_root,
    **{(ROOT, name): Elements._begin_description for name in _DESCRIPTIONS},
    _TABLE: Elements._begin_table,
    (*_TABLE, "column"): Elements._begin_column,
    (*_TABLE, "row"): Elements._begin_row,
    (ROOT, "integrity"): Elements._begin_integrity,
    (ROOT, "integrity", "table"): Elements._begin_announced,
}

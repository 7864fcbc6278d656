"""Reads the cells of a worksheet as a stream, as any program writes them (ECMA-376, part 1, 18.3)."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from ...errors import UnreadableError
from ...files.reading_limits import Limits
from ..markup.xml.parsing import Faults

_MOST_COLUMNS = 16_384
_unescaped = re.compile(r"_x([0-9A-Fa-f]{4})_").sub

FAULTS = Faults(
    "A part of the workbook is no XML: it is damaged.",
    "A part of the workbook has a document type, which no spreadsheet writes.",
)

# the place of a cell from 0, what it is, and its text. A number is "number", or the kind of its style: "date",
# "date time", "dateTtime", "time"; else "text", "boolean", "error", or "formula" for one without a result
Cell = tuple[int, str, str]
SheetRow = tuple[int, list[Cell]]  # its number from 1


class Texts:
    """Gathers the texts of a shared string or of a cell: its runs, without what tells how to pronounce it."""

    def __init__(self, limits: Limits, where: str) -> None:
        self._limits, self._where = limits, where
        self._pieces: list[str] = []
        self._size = 0
        self._wanted = self._spoken = False

    def begin(self, name: str) -> None:
        """Note the beginning of an element."""
        if name == "rPh":
            self._spoken = True
        self._wanted = name in ("t", "v") and not self._spoken

    def end(self, name: str) -> None:
        """Note the end of an element."""
        self._wanted = False
        if name == "rPh":
            self._spoken = False

    def text(self, text: str) -> None:
        """Take a piece of text, if it belongs to the value."""
        if self._wanted:
            self._size += len(text)
            self._limits.fits(self._size, self._where)
            self._pieces.append(text)

    def take(self) -> str:
        """Return the text, and begin anew."""
        text = "".join(self._pieces)
        self._pieces.clear()
        self._size = 0
        return text


def plain(text: str) -> str:
    """Return a text with Excel's escapes, such as _x000D_, as what they stand for."""
    return _unescaped(_character, text) if "_x" in text else text


def _character(found: re.Match[str]) -> str:
    code = int(found[1], 16)
    return found[0] if 0xD800 <= code < 0xE000 else chr(code)


class SheetRows:
    """Takes the XML of a sheet; ``rows`` are those that are complete."""

    def __init__(self, styles: Sequence[str], shared: Callable[[int], str], limits: Limits, name: str) -> None:
        self.rows: list[SheetRow] = []
        self._styles, self._shared, self._name = styles, shared, name
        self._texts = Texts(limits, f"A cell of the sheet {name}")
        self._number = 0
        self._cells: list[Cell] = []
        self._place = -1
        self._type, self._style, self._formula = "n", 0, False

    def begin(self, name: str, found: dict[str, str]) -> None:
        """Take the beginning of an element."""
        if name == "c":
            self._place = _place(found["r"]) if "r" in found else self._place + 1
            self._type, self._formula = found.get("t", "n"), False
            self._style = int(found.get("s", 0))
        elif name == "row":
            self._number = int(found["r"]) if "r" in found else self._number + 1
            self._cells, self._place = [], -1
        elif name == "f":
            self._formula = True
        self._texts.begin(name)

    def end(self, name: str) -> None:
        """Take the end of an element."""
        self._texts.end(name)
        if name == "c":
            self._cell(self._texts.take())
        elif name == "row":
            self.rows.append((self._number, self._cells))

    def text(self, text: str) -> None:
        """Take a piece of text."""
        self._texts.text(text)

    def _cell(self, text: str) -> None:
        kind = self._type
        if kind == "inlineStr" or kind == "str":
            found = ("text", plain(text))
        elif not text:
            if not self._formula:
                return
            found = ("formula", "")
        elif kind == "s":
            found = ("text", self._shared(int(text)))
        elif kind == "n":
            found = (self._styles[self._style] if 0 < self._style < len(self._styles) else "number", text)
        else:
            found = ({"b": "boolean", "e": "error"}.get(kind, "text"), text)
        self._cells.append((self._place, *found))


def _place(address: str) -> int:
    place = 0
    for letter in address:
        if not "A" <= letter <= "Z":
            break
        place = place * 26 + ord(letter) - 64
    if not 0 < place <= _MOST_COLUMNS:
        raise UnreadableError("A sheet has a cell in a place where none can be.")
    return place - 1

"""Reads any workbook: its sheets, its styles as far as they tell dates, and its shared texts."""

from __future__ import annotations

import posixpath
import re
import tempfile
import weakref
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from ...errors import UnreadableError
from ...files.reading_limits import Limits
from ...files.temporary.room import room_in
from ...files.zip_reading import Unpacking
from ..markup.xml.parsing import parse
from .parts import WORKBOOK
from .sheet_reading import FAULTS, SheetRow, SheetRows, Texts, plain

_MEMORY = 8_000_000
_MOST_SHEETS = 20_000
_IN_QUOTES = re.compile(r'"[^"]*"|\[[^\]]*\]|\\.|_.|\*.')
_BUILT_IN = dict.fromkeys((*range(14, 18), *range(27, 32), *range(34, 37), *range(50, 59)), "date") | {
    **dict.fromkeys((18, 19, 20, 21, 32, 33, 45, 46, 47), "time"),
    22: "date time",
}


@dataclass(frozen=True)
class BookSheet:
    """A sheet of a workbook: its name, the path of its part, and whether people see it."""

    name: str
    path: str
    hidden: bool


class Book:
    """A workbook of any program. ``counts_from_1904``: how it counts days. A context manager.

    Raises UnreadableError for what is none."""

    def __init__(self, file: IO[bytes], limits: Limits) -> None:
        self._zip, self._limits = Unpacking(file, limits), limits
        if WORKBOOK not in self._zip.names:
            raise UnreadableError("This zip is no workbook.", "unknown")
        self._shared = SharedTexts(limits)
        try:
            self._read()
        except (ValueError, KeyError):
            self._shared.close()
            raise UnreadableError("The workbook is not as spreadsheets write it.") from None
        except BaseException:
            self._shared.close()
            raise

    def _read(self) -> None:
        main = _Elements()
        self._parse(WORKBOOK, main)
        self.counts_from_1904 = any(_true(f.get("date1904")) for f in main.found.get("workbookPr", ()))
        links = _Elements()
        self._parse("xl/_rels/workbook.xml.rels", links)
        targets = {f["Id"]: f for f in links.found.get("Relationship", ())}
        self.sheets: list[BookSheet] = []
        for found in main.found.get("sheet", ()):
            link = targets[next(value for name, value in found.items() if name.endswith("/relationships id"))]
            if link["Type"].endswith("/worksheet"):  # not a chart
                hidden = found.get("state", "visible") != "visible"
                self.sheets.append(BookSheet(found["name"], _path(link["Target"]), hidden))
        kinds = {f["Type"].rpartition("/")[2]: _path(f["Target"]) for f in targets.values()}
        styles = _Styles()
        if (path := kinds.get("styles", "")) in self._zip.names:
            self._parse(path, styles)
        self._styles = styles.kinds
        if (path := kinds.get("sharedStrings", "")) in self._zip.names:
            self._parse(path, self._shared)

    def _parse(self, path: str, handler: object) -> None:
        with self._zip.open(path) as part:
            for _ in parse(part, handler, self._limits, FAULTS, namespaces=True):
                pass

    def __enter__(self) -> Book:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Delete what is kept in a temporary file."""
        self._shared.close()

    def sheet(self, name: str) -> BookSheet | None:
        """Return the sheet of that name."""
        return next((sheet for sheet in self.sheets if sheet.name == name), None)

    def rows(self, sheet: BookSheet) -> Iterator[list[SheetRow]]:
        """Yield the rows of a sheet that have cells, in lists. Raises UnreadableError."""
        handler = SheetRows(self._styles, self._shared.text_of, self._limits, sheet.name)
        with self._zip.open(sheet.path) as part:
            try:
                for _ in parse(part, handler, self._limits, FAULTS, namespaces=True):
                    if handler.rows:
                        found, handler.rows = handler.rows, []
                        yield found
            except (ValueError, KeyError, IndexError):
                raise UnreadableError(f"The sheet {sheet.name} is not as spreadsheets write it.") from None


def _path(target: str) -> str:
    return posixpath.normpath(target.lstrip("/") if target.startswith("/") else f"xl/{target}")


def _true(text: str | None) -> bool:
    return text in ("1", "true")


class _Elements:
    """The attributes of a small part's elements, by their name."""

    def __init__(self) -> None:
        self.found: dict[str, list[dict[str, str]]] = {}

    def begin(self, name: str, found: dict[str, str]) -> None:
        kept = self.found.setdefault(name, [])
        if len(kept) > _MOST_SHEETS:
            raise UnreadableError(f"The workbook has more than {_MOST_SHEETS:,} sheets.")
        kept.append(found)

    def end(self, name: str) -> None:
        pass

    def text(self, text: str) -> None:
        pass


class _Styles:
    """What the styles of cells make of a number, in their order: "number", or a kind of date."""

    def __init__(self) -> None:
        self.kinds: list[str] = []
        self._formats: dict[int, str] = {}
        self._inside = False

    def begin(self, name: str, found: dict[str, str]) -> None:
        if name == "numFmt":
            self._formats[int(found["numFmtId"])] = kind_of_format(found["formatCode"])
        elif name == "cellXfs":
            self._inside = True
        elif name == "xf" and self._inside:
            number = int(found.get("numFmtId", 0))
            self.kinds.append(self._formats.get(number) or _BUILT_IN.get(number, "number"))

    def end(self, name: str) -> None:
        if name == "cellXfs":
            self._inside = False

    def text(self, text: str) -> None:
        pass


def kind_of_format(code: str) -> str:
    """Return what a number format shows: "date", "date time", "dateTtime", "time" or "number"."""
    first = code.partition(";")[0]
    signs = _IN_QUOTES.sub("", first).lower()
    if "general" in signs or not re.search("[ymdhs]", signs):
        return "number"
    day = "y" in signs or "d" in signs
    if "h" not in signs and "s" not in signs:
        return "date"
    if not day:
        return "time"
    return "dateTtime" if re.search(r'd("T"|\\T|T)h', first, re.IGNORECASE) else "date time"


class SharedTexts:
    """The texts that cells share, kept in memory first, then in a temporary file."""

    def __init__(self, limits: Limits) -> None:
        self._file = tempfile.SpooledTemporaryFile(_MEMORY, dir=limits.folder)  # noqa: SIM115
        weakref.finalize(self, self._file.close)  # also where reading ends with an error
        self._places = array("Q", [0])
        self._texts = Texts(limits, "A shared text of the workbook")
        self._disk = limits.disk
        self._last: tuple[int, str] = (-1, "")

    def begin(self, name: str, found: dict[str, str]) -> None:
        """Take the beginning of an element."""
        self._texts.begin(name)

    def end(self, name: str) -> None:
        """Take the end of an element."""
        self._texts.end(name)
        if name == "si":
            self.keep(plain(self._texts.take()))

    def text(self, text: str) -> None:
        """Take a piece of text."""
        self._texts.text(text)

    def keep(self, text: str) -> None:
        """Keep a text as the next. Raises SpoolFullError, UnreadableError if there is no room."""
        with room_in():
            size = self._file.write(text.encode("utf-8", "surrogatepass"))
        self._places.append(self._places[-1] + size)
        if self._places[-1] > self._disk:
            raise UnreadableError(f"The workbook's texts take more than {self._disk / 1e6:,g} MB (spool_disk_mb).")

    def text_of(self, number: int) -> str:
        """Return a text by its number. Raises IndexError."""
        if self._last[0] != number:
            begin, end = self._places[number], self._places[number + 1]
            self._file.seek(begin)
            self._last = (number, self._file.read(end - begin).decode("utf-8", "surrogatepass"))
        return self._last[1]

    def close(self) -> None:
        """Delete the file."""
        self._file.close()

"""Finds rows by what people call them, where no key was given."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field
from difflib import SequenceMatcher

from ...database.snapshot import Snapshot
from ...database.source import Source
from ...options.grammar import parse_row_path
from ...options.request import Request
from ...options.settings import Settings
from ..annotated_schema import annotate
from . import scope_of
from .records import RecordScope

LISTED = 10  # rows of one name that are told; one more is kept, so that it is known that there are more
_COMPARED = 5_000  # titles that are compared with a name that no row has: each takes some time
_ALIKE = 0.7
_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe", "ı": "i", "’": "'", "ʼ": "'"})


@dataclass(frozen=True)
class NamedRow:
    """A row: its key, its title, and what tells it apart from others with the same title."""

    record: tuple[str, ...]
    title: str = ""
    detail: str = ""


@dataclass(frozen=True)
class FoundRows:
    """The rows that one name means; ``likely`` is a title like it, if there are none. ``by_key``: it is a key."""

    name: str
    rows: list[NamedRow]
    by_key: bool = False
    likely: str = ""


def find_rows(
    source: Source, table: str, names: Iterable[str], settings: Settings, without: tuple[str, ...] = ()
) -> list[FoundRows]:
    """Return for each of ``names`` the row whose key it is, or else the rows that are called so.

    A name is a part of a row's title, or of that with what tells it apart, whatever its case and accents; the closest
    rows are returned: those with this whole title before others. Every character stands for itself, ``%`` too. Digits
    without a letter are only ever a key: the row that they named may be gone. Secret columns, and those ``without``,
    are not read. Raises the errors of a request for the table's rows."""
    with closing(Snapshot(source)) as snapshot:
        known = annotate(snapshot.schema, settings)
        request = Request(table=table, cascade=False, without=tuple(w for w in without if "." in w))
        scope = scope_of(snapshot, known, request)
        assert isinstance(scope, RecordScope)
        return [_meant(scope, name) for name in names]


def folded_name(text: str) -> str:
    """Return a text as names are compared: without case, accents and the forms of an apostrophe."""
    apart = unicodedata.normalize("NFKD", text.casefold().translate(_LETTERS))
    return "".join(c for c in apart if not unicodedata.combining(c))


def _meant(scope: RecordScope, name: str) -> FoundRows:
    record = parse_row_path(name)
    words = folded_name(name).split()
    is_number = any(map(str.isdigit, name)) and not any(map(str.isalpha, name))
    if scope.has_row(record) or is_number or not words:
        return FoundRows(name, [NamedRow(record)], by_key=True)
    if not scope.tables:
        scope.find_rows()
    search = _Search(words)
    for row in scope.titles():
        search.saw(NamedRow(*row))
    rows = next((rows for rows in search.found if rows), [])
    return FoundRows(name, rows, likely="" if rows else search.likely)


@dataclass
class _Search:
    """What the titles of a table tell about the words of one name.

    ``found`` holds rows with just this title, with it as a part, and with it as a part of title and detail."""

    words: list[str]
    found: tuple[list[NamedRow], ...] = field(default_factory=lambda: ([], [], []))
    likely: str = ""
    _compared: int = 0
    _ratio: float = _ALIKE

    def saw(self, row: NamedRow) -> None:
        """Look at one row."""
        title = folded_name(row.title)
        if all(word in title for word in self.words):
            rows = self.found[0 if title.split() == self.words else 1]
        elif all(word in f"{title} {folded_name(row.detail)}" for word in self.words):
            rows = self.found[2]
        else:
            self._compare(row.title, title.split())
            return
        if len(rows) <= LISTED:
            rows.append(row)

    def _compare(self, title: str, parts: list[str]) -> None:
        self._compared += 1
        if self._compared > _COMPARED or any(self.found):
            return
        matcher = SequenceMatcher(None, b=" ".join(self.words))
        for start in range(len(parts)):
            matcher.set_seq1(" ".join(parts[start : start + len(self.words)]))
            if matcher.quick_ratio() > self._ratio and (ratio := matcher.ratio()) > self._ratio:
                self._ratio, self.likely = ratio, title

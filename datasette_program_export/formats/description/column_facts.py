"""Facts about the values of a column, found by reading all of them; they decide how plain text can express them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...database.fetching.rows_in_c import Chunk, RowPlan, Seen

_NULL = "NULL"
_CLASSES = {Seen.NULL: type(None), Seen.INTEGER: int, Seen.REAL: float, Seen.TEXT: str, Seen.BLOB: bytes}


@dataclass
class ColumnFacts:
    """The storage classes of a column's values, and which of the values could be misread.

    ``null`` is how a text format writes NULL: as nothing if the column has no empty text or BLOB,
    otherwise as a word that is not a value of the column."""

    classes: set[type] = field(default_factory=set)
    has_empty: bool = False
    has_infinity: bool = False
    has_odd_text: bool = False  # not UTF-8, or with a NUL: not every reader of text files accepts these
    has_carriage_return: bool = False  # a reader of lines may take it for the end of a line
    longest_like_null: int = 0
    alone: bool = False  # the only column: an empty field would be an empty line

    def saw(self, column: Sequence[Any]) -> int:
        """Look at some values of the column; return the size of the texts and BLOBs among them."""
        try:
            joined = "\n".join(column)  # quicker than a look at each type; succeeds if all are text
        except TypeError:
            classes = set(map(type, column))
            self.classes |= classes
            if float in classes and not self.has_infinity:
                self.has_infinity = any(isinstance(v, float) and v - v != 0 for v in column)
            self.has_empty = self.has_empty or (bytes in classes and b"" in column)
            size = sum(len(v) for v in column if isinstance(v, bytes)) if bytes in classes else 0
            return size + self._saw_texts([v for v in column if isinstance(v, str)]) if str in classes else size
        return self._saw_texts(column, joined)

    def _saw_texts(self, texts: Sequence[str], joined: str | None = None) -> int:
        if not texts:
            return 0
        joined = "\n".join(texts) if joined is None else joined
        self.classes.add(str)
        self.has_empty = self.has_empty or not all(texts)
        self.has_odd_text = self.has_odd_text or "\0" in joined or not (joined.isascii() or is_utf8(joined))
        self.has_carriage_return = self.has_carriage_return or "\r" in joined
        if _NULL in joined:
            like = (len(v) for v in texts if v.startswith(_NULL))
            self.longest_like_null = max(self.longest_like_null, max(like, default=0))
        return len(joined)

    def saw_kinds(self, seen: int) -> None:
        """Take over what C saw of some values of the column, as bits of ``Seen``."""
        self.classes.update(kind for bit, kind in _CLASSES.items() if seen & bit)
        self.has_empty = self.has_empty or bool(seen & Seen.EMPTY)
        self.has_odd_text = self.has_odd_text or bool(seen & Seen.ODD_TEXT)
        self.has_infinity = self.has_infinity or bool(seen & Seen.INFINITE)
        self.has_carriage_return = self.has_carriage_return or bool(seen & Seen.CARRIAGE_RETURN)

    @property
    def has_null(self) -> bool:
        """Whether one of the values was NULL."""
        return type(None) in self.classes

    @property
    def null(self) -> str:
        """How NULL is spelled in this column, so that no other value reads like it."""
        mistaken = self.alone or (self.has_empty and self.kind in ("text", "blob"))
        if not (self.has_null and mistaken):
            return ""
        if self.kind == "blob":
            return _NULL + "_"  # which is no base64
        return _NULL if not self.longest_like_null else _NULL + "_" * (self.longest_like_null - len(_NULL) + 1)

    @property
    def kind(self) -> str:
        """``integer``, ``number``, ``text`` or ``blob``; ``mixed`` if a bare text could be of two storage classes."""
        classes = self.classes - {type(None)}
        if classes <= {int}:
            return "integer" if classes else "text"
        if classes <= {int, float}:
            return "number"
        if classes == {str}:
            return "mixed" if self.has_odd_text else "text"
        return "blob" if classes == {bytes} else "mixed"


def is_utf8(text: str) -> bool:
    """Return whether a text is valid UTF-8: without the surrogates that stand for other bytes."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def survey(
    batches: Iterable[list[tuple[Any, ...]]], columns: int, sized: Callable[[int, int], None] | None = None
) -> tuple[ColumnFacts, ...]:
    """Read all rows and return the facts of each column; ``columns`` is their number.

    ``sized`` is told the number of rows in each batch, and their size, so that the next has a good size."""
    found = tuple(ColumnFacts(alone=columns == 1) for _ in range(columns))
    for rows in batches:
        size = sum([facts.saw(column) for facts, column in zip(found, zip(*rows))])
        if sized is not None:
            sized(len(rows), size)
    return found


def survey_plan(columns: int) -> RowPlan:
    """Return how C looks at the rows for ``survey_written``: it writes none of them."""
    return RowPlan([b""] * columns, b"", survey=True, packed=False)


def survey_written(chunks: Iterable[Chunk], columns: int) -> tuple[ColumnFacts, ...] | None:
    """Return what ``survey`` returns, from what C has seen by ``survey_plan``.

    None if C does not see enough: a text begins with NULL."""
    found = tuple(ColumnFacts(alone=columns == 1) for _ in range(columns))
    for chunk in chunks:
        for facts, seen in zip(found, chunk.seen):
            facts.saw_kinds(seen)
        if chunk.stopped:
            return None
    return found

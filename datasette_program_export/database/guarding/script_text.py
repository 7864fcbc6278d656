"""Splits an SQL script into its statements, as the sqlite3 program does, holding one of them at a time."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import IO, NamedTuple

from ..library import sqlite3

_PIECE = 256 * 1024
_MARK = re.compile(rb"""['"`\[;]|--|/\*""")
_ENDS = {b"'": b"'", b'"': b'"', b"`": b"`", b"[": b"]", b"--": b"\n", b"/*": b"*/"}
_HALF_MARKS = b"-/*"  # a piece may end in the middle of a mark
_BLANK = re.compile(rb"[\s;]+|--[^\n]*(?:\n|\Z)|/\*[^*]*(?:\*(?!/)[^*]*)*\*/|\xef\xbb\xbf")
_TRIGGER = re.compile(rb"create\s+(?:temp\s+|temporary\s+)?trigger\b", re.IGNORECASE)
_LONGEST_TRIGGER = 1_000_000


class ScriptStatement(NamedTuple):
    """A statement with its semicolon, without the blanks and comments before it; ``line`` is that of its first word."""

    line: int
    text: bytes


class NoEndError(ValueError):
    """The script ends in the middle of a statement, which begins in the line that is the argument."""


def statements(file: IO[bytes], seen: Callable[[bytearray], None]) -> Iterator[ScriptStatement]:
    """Yield the statements of a script.

    ``seen`` is called with what is held of an unfinished statement whenever more is read; it may raise.
    Raises NoEndError."""
    return _Splitting(file, seen).statements()


class _Splitting:
    """``_held`` is what was read; ``_start`` where the next statement begins, ``_at`` how far it was looked at."""

    def __init__(self, file: IO[bytes], seen: Callable[[bytearray], None]) -> None:
        self._file, self._seen = file, seen
        self._held = bytearray()
        self._start = self._at = 0
        self._line = 1

    def statements(self) -> Iterator[ScriptStatement]:
        while (end := self._next_end()) is not None:
            text = bytes(memoryview(self._held)[self._start : end])
            blank = _skipped(text)
            if _TRIGGER.match(text, blank) and not _is_whole(text[blank:]):
                self._at = end
                continue
            if blank < len(text):
                yield ScriptStatement(self._line + text.count(b"\n", 0, blank), text[blank:])
            self._line += text.count(b"\n")
            self._start = self._at = end
        rest = bytes(memoryview(self._held)[self._start :])
        if (blank := _skipped(rest)) < len(rest) and not rest.startswith(b"/*", blank):  # SQLite closes such a comment
            raise NoEndError(self._line + rest.count(b"\n", 0, blank))

    def _next_end(self) -> int | None:
        """Return where the next semicolon ends that is in no quotes and no comment; None at the end of the file."""
        while True:
            found = _MARK.search(self._held, self._at)
            if found is None:
                self._at = max(self._at, len(self._held) - (self._held[-1:] in _HALF_MARKS))
                if not self._more():
                    return None
            elif found[0] == b";":
                return found.end()
            elif not self._passed(found.start() - self._start, _ENDS[found[0]], len(found[0])):
                return None

    def _passed(self, mark: int, end: bytes, size: int) -> bool:
        """Pass over quotes or a comment that begin at ``mark``, from the start; False if the file ends before them."""
        looked = mark + size
        while (place := self._held.find(end, self._start + looked)) < 0:
            looked = max(looked, len(self._held) - self._start - len(end) + 1)
            if not self._more():
                return False
        self._at = place + len(end)
        return True

    def _more(self) -> bool:
        if self._start:
            del self._held[: self._start]
            self._at -= self._start
            self._start = 0
        piece = self._file.read(_PIECE)
        self._held += piece
        self._seen(self._held)
        return bool(piece)


def _skipped(text: bytes) -> int:
    """Return the place after the blanks and comments with which a text begins."""
    place = 0
    while found := _BLANK.match(text, place):
        place = found.end()
    return place


def _is_whole(trigger: bytes) -> bool:
    return len(trigger) > _LONGEST_TRIGGER or sqlite3.complete_statement(trigger.decode("utf-8", "replace"))

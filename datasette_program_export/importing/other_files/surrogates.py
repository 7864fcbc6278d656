"""Refuses JSON with half of a surrogate pair, which the parser would replace without an error."""

from __future__ import annotations

import re
from typing import IO

from ...errors import UnreadableError

_HALF = re.compile(rb"\\u[dD][89a-fA-F]")
_PAIR = re.compile(rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}")
_ESCAPE = re.compile(rb"\\(?:u[dD][89a-fA-F]|.)", re.DOTALL)
_LENGTH = 12  # of a character in two halves


class WholeCharacters:
    """Looks for halves of characters (one surrogate alone): the parser would silently write a question mark."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._tail = b""
        self._start = True

    def read(self, size: int = -1) -> bytes:
        """As a file's. Raises UnreadableError."""
        data = self._file.read(size)
        if self._start and data:
            self._start = False
            if data.startswith((b"\xff\xfe", b"\xfe\xff")):
                raise UnreadableError("The file is not UTF-8, as JSON is.")
            data = data.removeprefix(b"\xef\xbb\xbf") or self._file.read(size)
        if size != 0:
            self._tail = self._look(self._tail + data, last=not data)
        return data

    def _look(self, seen: bytes, last: bool) -> bytes:
        """What is to be looked at again with what follows."""
        if not _HALF.search(seen):
            start = max(0, len(seen) - _LENGTH)
            while start and seen[start - 1 : start] == b"\\":
                start -= 1
            return seen[start:]
        place = 0
        while found := _ESCAPE.search(seen, place):
            if found.start() > len(seen) - _LENGTH and not last:
                return seen[found.start() :]
            place = found.end()
            if len(found.group()) > 2:
                pair = _PAIR.match(seen, found.start())
                if pair is None:
                    raise UnreadableError("The file has half a character (a lone surrogate) in its JSON.")
                place = pair.end()
        return b"\\" if place < len(seen) and seen.endswith(b"\\") else b""

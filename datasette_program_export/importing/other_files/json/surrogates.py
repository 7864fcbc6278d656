"""Refuses JSON with a lone surrogate, which the parser would replace without an error."""

from __future__ import annotations

import re
from typing import IO

from ....errors import UnreadableError
from ....files.reading_limits import TRUSTING, Limits

_DIGITS = bytes(48 if byte in b"0123456789.eE+-" else 32 for byte in range(256))
_WIDE = re.compile(rb"[\x80-\xff]|\\u").search
_COPIES, _WIDE_COPIES = 3, 8  # how much more memory a string takes here than a row elsewhere
_MANY_DIGITS = b"0" * 1000
_HALF = re.compile(rb"\\u[dD][89a-fA-F]")
_PAIR = re.compile(rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}")
_ESCAPE = re.compile(rb"\\(?:u[dD][89a-fA-F]|.)", re.DOTALL)
_LENGTH = 12  # bytes of a character that is escaped as two surrogates


class ShortTokens:
    """Limits the length of strings and numbers: the parser holds each of them whole and grows its buffer by doubling.

    So a string may be at most a third as large as a row elsewhere, and less if it is not plain ASCII."""

    def __init__(self, file: IO[bytes], limits: Limits) -> None:
        self._file, self._limits = file, limits
        self._run = 0
        self._inside = self._escape = self._wide = False

    def read(self, size: int = -1) -> bytes:
        """Read as a file does. Raises UnreadableError."""
        data = self._file.read(size)
        if self._limits is TRUSTING or not data:
            return data
        self._look(data)
        return data

    def _look(self, data: bytes) -> None:
        seen = b"_" + data[1:] if self._escape else data  # the last block escapes the first character
        self._escape = (len(seen) - len(seen.rstrip(b"\\"))) % 2 == 1
        if b"\\" in seen:
            seen = seen.replace(b"\\\\", b"__").replace(b'\\"', b"__")
        pieces = seen.split(b'"')
        if self._inside:
            self._run += len(pieces[0])
            self._wide |= _WIDE(data) is not None
            self._limits.fits((_WIDE_COPIES if self._wide else _COPIES) * self._run, "A string in the file")
        if _MANY_DIGITS in seen.translate(_DIGITS) and any(
            _MANY_DIGITS in piece.translate(_DIGITS) for piece in pieces[self._inside :: 2]
        ):
            raise UnreadableError("The file holds a number of more than a thousand digits.")
        self._inside ^= not len(pieces) % 2
        if len(pieces) > 1:
            self._run, self._wide = len(pieces[-1]), _WIDE(data) is not None


class WholeCharacters:
    """Looks for lone surrogates: the parser would silently write a question mark for each."""

    def __init__(self, file: ShortTokens) -> None:
        self._file = file
        self._tail = b""
        self._start = True

    def read(self, size: int = -1) -> bytes:
        """Read as a file does. Raises UnreadableError."""
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
        """Return the bytes that must be looked at again together with the next block."""
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

"""A JSON file as UTF-8: other encodings are converted, and a bare NaN becomes null where that was asked for."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import IO

from ....errors import UnreadableError
from ...choices import ImportChoices
from ..csv.encoding import encoding_of, faulty, told

Content = Callable[[], AbstractContextManager[IO[bytes]]]
_SAMPLE = 1 << 12
_BLOCK = 1 << 16
_WORD = re.compile(rb"-?\b(?:NaN|Infinity)\b")
_BEGUN = re.compile(rb"[-A-Za-z]+\Z")
_LONGEST = 16
_UTF8 = ("utf-8", "utf-8-sig")


def as_utf8(opened: Content, choices: ImportChoices) -> tuple[Content, str]:
    """Return a function that opens the file as UTF-8 without a mark, and the file's encoding."""
    with opened() as file:
        sample = file.read(_SAMPLE)
    if choices.encoding:
        encoding = told(choices.encoding, sample)
    else:
        try:
            encoding, guess = encoding_of(sample, opened)
        except UnreadableError:
            encoding, guess = "utf-8", None
        if guess is not None and not encoding.startswith("utf"):
            encoding = "utf-8"  # as JSON must be: the place of the fault is told where it is met

    @contextmanager
    def converted() -> Iterator[IO[bytes]]:
        with opened() as file:
            found: IO[bytes] = file
            if encoding not in _UTF8:
                found = _Converted(found, encoding, opened)  # type: ignore[assignment]
            if encoding == "utf-8-sig":
                file.read(len(codecs.BOM_UTF8))
            if choices.nan == "null":
                found = _WithoutNaN(found)  # type: ignore[assignment]
            yield found

    return converted, encoding


class _Blocks(io.RawIOBase):
    """A file whose blocks are made from those of another one."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._rest = b""
        self._ended = False

    def _next(self) -> bytes:
        """Return the next block, which may be empty; set ``_ended`` with the last one."""
        raise NotImplementedError

    def readable(self) -> bool:
        """It is read only."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Read as a file does. Raises UnreadableError."""
        while not self._ended and (size < 0 or len(self._rest) < size):
            self._rest += self._next()
            if size >= 0 and self._rest:
                break
        if size < 0:
            size = len(self._rest)
        found, self._rest = self._rest[:size], self._rest[size:]
        return found

    def readline(self, size: int | None = -1) -> bytes:
        """Read a line, or ``size`` bytes of one."""
        most = size if size is not None and size >= 0 else 1 << 62
        place = 0
        while (end := self._rest.find(b"\n", place, most)) < 0 and len(self._rest) < most and not self._ended:
            place = len(self._rest)
            self._rest += self._next()
        stop = min(end + 1 if end >= 0 else len(self._rest), most)
        found, self._rest = self._rest[:stop], self._rest[stop:]
        return found


class _Converted(_Blocks):
    def __init__(self, file: IO[bytes], encoding: str, opened: Content) -> None:
        super().__init__(file)
        self._encoding, self._opened = encoding, opened
        self._decoder = codecs.getincrementaldecoder(encoding)()

    def _next(self) -> bytes:
        block = self._file.read(_BLOCK)
        self._ended = not block
        try:
            return self._decoder.decode(block, final=self._ended).encode("utf-8", "surrogatepass")
        except UnicodeError:
            raise faulty(self._opened, self._encoding) from None


class _WithoutNaN(_Blocks):
    """Replaces the words outside of strings."""

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__(file)
        self._inside = False
        self._held = b""

    def _next(self) -> bytes:
        block = self._file.read(_BLOCK)
        self._ended = not block
        block = self._held + block
        self._held = b""
        if not self._ended:
            cut = len(block) - (len(block) - len(block.rstrip(b"\\"))) % 2  # do not split an escape
            block, self._held = block[:cut], block[cut:]
        hidden = block.replace(b"\\\\", b"__").replace(b'\\"', b"__")
        outside = (hidden.count(b'"') + self._inside) % 2 == 0
        begun = _BEGUN.search(hidden[-_LONGEST:]) if outside and not self._ended else None
        if begun and len(begun.group()) < _LONGEST:  # a longer word is none of these
            cut = len(hidden) - len(begun.group())
            block, hidden, self._held = block[:cut], hidden[:cut], block[cut:] + self._held
        made, place = [], 0
        for piece in hidden.split(b'"'):
            text = block[place : place + len(piece)]
            made.append(text if self._inside else _WORD.sub(b"null", text))
            place += len(piece) + 1
            self._inside = not self._inside
        self._inside = not self._inside  # the last piece ended no string
        return b'"'.join(made)

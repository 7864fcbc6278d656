"""Reads a dossier back: every byte is compared with its digest, then the machine's copy is read as what it is."""

from __future__ import annotations

import hashlib
import tempfile
from binascii import Error as Base64Error
from binascii import a2b_base64
from collections.abc import Iterator
from dataclasses import replace
from typing import IO

from ...errors import UnreadableError
from ...files.decompression import decompressed
from ...files.reading_limits import Limits
from ...files.temporary.room import room_in
from ..dataset import Dataset, TableStream
from ..json.programjson import decode as decode_document
from ..package.package import decode as decode_package
from .seal import COPY_ENDS, COPY_KINDS, END_BYTES, copy_begins, end

_MEMORY = 4_000_000
_PIECE = 1 << 18
_BEGINNINGS = {copy_begins(kind): kind for kind in COPY_KINDS}


def decode(file: IO[bytes], limits: Limits) -> Dataset:
    """Return the dataset of a dossier; ``file`` is read once, from its start.

    Raises UnreadableError for a byte that was changed anywhere, and for a missing end."""
    kept: IO[bytes] = tempfile.SpooledTemporaryFile(_MEMORY, dir=limits.folder)  # noqa: SIM115
    try:
        copied = _Copy(kept, limits)
        for piece in _before_the_end(file, limits):
            copied.take(piece)
        copied.check()
        kept.seek(0)
        if copied.kind == "zip":
            found = decode_package(kept, limits)
        else:
            found = decode_document(decompressed(kept, "gzip", limits), limits)
    except BaseException:
        kept.close()
        raise
    return replace(found, tables=_closing(found.tables, kept), release=kept.close)


def _closing(tables: Iterator[TableStream], kept: IO[bytes]) -> Iterator[TableStream]:
    with kept:  # who reads all tables need not say that this is the end
        yield from tables


def _before_the_end(file: IO[bytes], limits: Limits) -> Iterator[bytes]:
    """Yield every byte before the last ones, which must be as this program writes them."""
    digest, held = hashlib.sha256(), b""
    while piece := file.read(_PIECE):
        limits.go_on()
        held += piece
        given, held = held[:-END_BYTES], held[-END_BYTES:]
        digest.update(given)
        yield given
    if held.rstrip().endswith(b"</html>") and held != end(digest.hexdigest()):
        raise UnreadableError("The file was changed after it was written: its digest is another.", "changed")
    if held != end(digest.hexdigest()):
        raise UnreadableError("The file is cut: its end is missing.", "cut")


class _Copy:
    """Finds the machine's copy among the bytes of a page, and writes it to ``kept``. ``kind`` is what it is."""

    def __init__(self, kept: IO[bytes], limits: Limits) -> None:
        self._kept, self._limits = kept, limits
        self._waiting = b""
        self._state = "before"
        self.kind = ""

    def take(self, piece: bytes) -> None:
        """Take the next bytes of the page. Raises UnreadableError."""
        self._waiting += piece
        if self._state == "before":
            found = [(place, line) for line in _BEGINNINGS if (place := self._waiting.find(line)) >= 0]
            if not found:
                self._waiting = self._waiting[-max(map(len, _BEGINNINGS)) :]
                return
            place, line = min(found)
            self._waiting = self._waiting[place + len(line) :]
            self.kind, self._state = _BEGINNINGS[line], "inside"
        if self._state == "inside":
            lines = self._waiting.split(b"\n")
            self._waiting = lines.pop()
            for line in lines:
                if line + b"\n" == COPY_ENDS:
                    self._state = "after"
                elif self._state == "inside":
                    self._decode(line)
            self._limits.fits(len(self._waiting), "A line of the copy for programs")
        if self._state in ("after", "damaged"):
            self._waiting = b""

    def _decode(self, line: bytes) -> None:
        try:
            data = a2b_base64(line)
        except (Base64Error, TypeError):
            self._state = "damaged"  # first it is seen whether the digest says so, too
            return
        with room_in():
            self._kept.write(data)
        if self._kept.tell() > self._limits.disk:
            raise UnreadableError(
                f"The copy for programs takes more than {self._limits.disk / 1e6:,g} MB (spool_disk_mb)."
            )

    def check(self) -> None:
        """Check that the whole copy was there. Raises UnreadableError."""
        if self._state == "damaged":
            raise UnreadableError("The copy for programs in the file is damaged.")
        if self._state != "after":
            raise UnreadableError("The file holds no whole copy for programs.", "cut")

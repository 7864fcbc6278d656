"""The machine's copy in a dossier: the same rows as a programjson document, compressed, as base64 within the page."""

from __future__ import annotations

import tempfile
from base64 import b64encode
from collections.abc import Iterable, Iterator

from ...files.compression import compressed
from ...files.temporary.room import room_in

_MEMORY = 4_000_000
_LINE = 57 * 1000  # bytes, in a line of base64


class MachineCopy:
    """Keeps the compressed document until the readable part is written. A context manager."""

    def __init__(self, folder: str | None) -> None:
        self._file = tempfile.SpooledTemporaryFile(_MEMORY, dir=folder)  # noqa: SIM115

    def __enter__(self) -> MachineCopy:
        return self

    def __exit__(self, *exc: object) -> None:
        self._file.close()

    def keep(self, document: Iterable[bytes]) -> None:
        """Compress and keep a document. Raises SpoolFullError, and what reading the document raises."""
        for piece in compressed(document, "gzip"):
            with room_in():
                self._file.write(piece)

    @property
    def size(self) -> int:
        """Its bytes, compressed."""
        return self._file.tell()

    def lines(self) -> Iterator[bytes]:
        """Yield it as lines of base64."""
        self._file.seek(0)
        while piece := self._file.read(_LINE):
            yield b64encode(piece) + b"\n"

"""The machine's copy in a dossier, as base64 within the page: the same rows as a compressed programjson document.

Where rows name files it is a package, which holds them, each once: from there the page shows and saves them.
"""

from __future__ import annotations

import os
import tempfile
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from typing import IO, cast

from ...files.compression import compressed
from ...files.temporary.room import room_in
from ..dataset import Dataset
from ..json.programjson import encode as encode_document
from ..package.package import encode as encode_package
from ..registry import Options
from .kept_files import KeptFiles

_MEMORY = 4_000_000
_LINE = 57 * 1000  # bytes, in a line of base64
_OF_A_PACKAGE = {"members": None, "guide": "text", "blobs": "files"}  # it is read by programs


class MachineCopy:
    """Keeps the copy until the readable part is written. A context manager. ``kind`` is what it is: gzip or zip."""

    def __init__(self, folder: str | None) -> None:
        self._file = tempfile.SpooledTemporaryFile(_MEMORY, dir=folder)  # noqa: SIM115
        self.kind = "gzip"

    def __enter__(self) -> MachineCopy:
        return self

    def __exit__(self, *exc: object) -> None:
        self._file.close()

    def keep(self, dataset: Dataset, options: Options) -> None:
        """Write the copy. Raises SpoolFullError, and what reading the rows raises."""
        if dataset.names_files:
            self.kind = "zip"
            request = options.request.model_copy(update=_OF_A_PACKAGE)
            pieces = encode_package(dataset, replace(options, request=request))
        else:
            pieces = compressed(encode_document(dataset, options), "gzip")
        for piece in pieces:
            with room_in():
                self._file.write(piece)

    @property
    def size(self) -> int:
        """Its bytes, compressed."""
        return self._file.seek(0, os.SEEK_END)

    def files(self) -> KeptFiles:
        """Return the files that it holds."""
        return KeptFiles(cast("IO[bytes]", self._file)) if self.kind == "zip" else KeptFiles()

    def lines(self) -> Iterator[bytes]:
        """Yield it as lines of base64."""
        self._file.seek(0)
        while piece := self._file.read(_LINE):
            yield b64encode(piece) + b"\n"

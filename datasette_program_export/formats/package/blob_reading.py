"""Reads the BLOBs of a package that are files of their own back into their rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ...errors import UnreadableError
from ...files.reading_limits import LARGE, Limits
from ...files.zip_reading import Unpacking
from ..dataset import Row
from ..values import InFile


class BlobReader:
    """The files of BLOBs in an opened package; ``described`` has the size and digest of each, by its path."""

    def __init__(self, zipped: Unpacking, described: Mapping[str, Any], limits: Limits) -> None:
        self._zipped = zipped
        self._left = dict(described)
        self._limits = limits

    def filled(self, batches: Iterable[list[Any]], table: str) -> Iterator[list[Row]]:
        """Yield the rows with their BLOBs, in lists that are not large. Raises UnreadableError."""
        for batch in batches:
            if not any(InFile in set(map(type, column)) for column in zip(*batch)):
                yield batch
                continue
            part: list[Row] = []
            held = 0
            for row in batch:
                held += self._size(row, table)
                part.append(tuple([self._blob(v) if isinstance(v, InFile) else v for v in row]))
                if held > LARGE:
                    yield part
                    part, held = [], 0
            if part:
                yield part

    def check_the_rest(self, readable: bool) -> None:
        """Check that a row named each file; where rows are not ``readable``, its bytes. Raises UnreadableError."""
        if self._left and readable:
            raise UnreadableError(f"No row names the file {min(self._left)}, which the description has.")
        for path, known in self._left.items():
            with self._zipped.open(path, known["hash"], known["bytes"]) as file:
                while file.read(1 << 20):
                    pass

    def _size(self, row: tuple[Any, ...], table: str) -> int:
        """Return how many bytes the files of a row have; check that they may be held."""
        paths = [value.path for value in row if isinstance(value, InFile)]
        if strange := [path for path in paths if path not in self._left]:
            raise UnreadableError(
                f"A row of {table} names {strange[0]}, which is no file of the package, or named twice."
            )
        size: int = sum(self._left[path]["bytes"] for path in paths)
        self._limits.fits(size, f"A row of {table}")
        return size

    def _blob(self, named: InFile) -> bytes:
        known = self._left.pop(named.path, None)
        if known is None:
            raise UnreadableError(f"A row names {named.path} twice.")
        with self._zipped.open(named.path, known["hash"], known["bytes"]) as file:
            blob = file.read(known["bytes"])
            if file.read(1):  # only at the end its digest is compared
                raise UnreadableError(f"{named.path} is longer than announced.", "changed")
        return blob

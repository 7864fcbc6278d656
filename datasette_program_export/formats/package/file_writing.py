"""Writes the files that rows name into a package: ``files/<table>/<column>/<name>``, and says of which cell each is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Any

from ...files.zip_writing import Member
from ..dataset import TableStream
from .blob_writing import TableBlobs
from .file_kinds import is_compressed

_PIECE = 1 << 18
_LONGEST = 10  # characters of an extension


class NamedFileMembers:
    """The files that the rows of one package name; ``described`` has them by table, column and the cell's text."""

    def __init__(self) -> None:
        self.described: dict[str, dict[str, dict[str, Any]]] = {}
        self._paths: dict[int, str] = {}

    def of_table(self, table: TableStream, blobs: TableBlobs) -> Iterator[Member]:
        """Yield the files of one table after its rows; the folders and names are shared with its ``blobs``."""
        places = {field.name: place for place, field in enumerate(table.fields)}
        for named in table.files() if table.files is not None else ():
            if named.content is not None:
                stem, extension = _parted(named.name or named.value.rpartition("/")[2])
                path = blobs.path(places[named.column], stem, extension)
                self._paths[named.file] = path
                yield Member(path, _pieces(named.content), is_compressed(named.kind))
            column = self.described.setdefault(table.name, {}).setdefault(named.column, {})
            path, digest = self._paths[named.file], f"sha256:{named.sha256}"
            column[named.value] = {"path": path, "bytes": named.size, "hash": digest}


def _parted(name: str) -> tuple[str, str]:
    """Return a file's name and its extension, which is "" where it has none that is safe on every system."""
    stem, _, extension = name.rpartition(".")
    plain = extension.isascii() and extension.isalnum() and len(extension) <= _LONGEST
    return (stem, extension) if stem and plain else (name, "")


def _pieces(content: IO[bytes]) -> Iterator[bytes]:
    while piece := content.read(_PIECE):
        yield piece

"""Reads the files that the rows of a package name: each is there, with the size and digest that are announced."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import IO, Any

from pydantic import BaseModel, ConfigDict, TypeAdapter

from ...files.zip_reading import Unpacking
from ..dataset import Field, NamedFile, PackagedFile
from .file_kinds import called, kind_of

_PIECE = 1 << 20
_SHA256 = len("sha256:")


class _File(BaseModel, strict=True):
    model_config = ConfigDict(extra="forbid")

    path: str
    bytes: int
    hash: str


_described = TypeAdapter(dict[str, dict[str, dict[str, _File]]])


def parsed_files(found: Any, tables: Mapping[str, Sequence[Field]]) -> tuple[PackagedFile, ...]:
    """Return what the description says of the files. Raises ValueError for what this program never writes.

    One path has one size and digest; the cell's column is one of the file's tables."""
    told: list[PackagedFile] = []
    facts: dict[str, _File] = {}
    for table, columns in _described.validate_python(found).items():
        fields = {field.name for field in tables.get(table, ())}
        for column, files in columns.items():
            for value, one in files.items():
                if column not in fields or one.bytes < 0:
                    raise ValueError("a file of no column, or of less than no bytes")
                if facts.setdefault(one.path, one) != one:
                    raise ValueError("one file of two sizes or digests")
                told.append(PackagedFile(table, column, value, one.path, one.bytes, one.hash))
    return tuple(told)


class PackagedFiles:
    """The files that rows name, in an opened package."""

    def __init__(self, zipped: Unpacking, files: Sequence[PackagedFile]) -> None:
        self._zipped, self.files = zipped, tuple(files)
        self._numbers = {path: number for number, path in enumerate(dict.fromkeys(one.path for one in files))}
        self._given: set[str] = set()

    @property
    def paths(self) -> set[str]:
        return set(self._numbers)

    def opened(self, one: PackagedFile) -> IO[bytes]:
        """Open a file; at its end its size and digest are compared. Raises UnreadableError."""
        return self._zipped.open(one.path, one.hash, one.bytes)

    def of_table(self, table: str) -> Iterator[NamedFile]:
        """Yield the files of a table, as ``TableStream.files`` says. Raises UnreadableError."""
        for one in self.files:
            if one.table != table:
                continue
            digest, number = one.hash[_SHA256:], self._numbers[one.path]
            kind, name = kind_of(b"", one.path), called(one.value, one.path)
            if one.path in self._given:
                yield NamedFile(one.column, one.value, one.bytes, digest, kind, number, None, name)
                continue
            self._given.add(one.path)
            with self.opened(one) as content:
                yield NamedFile(one.column, one.value, one.bytes, digest, kind, number, content, name)

    def check_the_rest(self) -> None:
        """Check the size and digest of each file that nobody has read. Raises UnreadableError."""
        for one in self.files:
            if one.path not in self._given:
                self._given.add(one.path)
                with self.opened(one) as content:
                    while content.read(_PIECE):
                        pass

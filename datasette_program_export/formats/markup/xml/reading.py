"""Reads an XML document of this program as a stream; nothing in it is followed, and every byte counts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import IO, Any

from ....errors import UnreadableError
from ....files.reading_limits import Limits
from ...dataset import Dataset, Row, TableStream
from ...document import Fields, check_integrity, described_dataset, description
from .elements import Elements
from .form import END_MARK, VERSION, end
from .parsing import Faults, parse

_FAULTS = Faults(
    "The file is not as this program writes it: it is no longer XML in one piece.",
    "The file has a document type (DTD), which this program never writes and never reads: such files can be made to "
    "fill the memory, or to read other files.",
    "The file is cut: it ends before its last element.",
)


def decode(file: IO[bytes], limits: Limits) -> Dataset:
    """Return the dataset of a document; ``file`` is read once, from its start.

    Raises UnreadableError, here or while the tables are read, for a byte that was changed anywhere, for a missing end,
    and for a document type. The caller compares the digests of the rows."""
    return _Reader(file, limits).dataset()


class _Reader:
    def __init__(self, file: IO[bytes], limits: Limits) -> None:
        self._bytes = _Hashed(file, limits)
        self._limits = limits
        self._elements = Elements(limits)
        self._found = self._items()
        self._tail: dict[str, Any] = {}

    def _items(self) -> Iterator[tuple[str, Any]]:
        pieces = parse(self._bytes, self._elements, self._limits, _FAULTS)  # type: ignore[arg-type]
        yield from chain.from_iterable(self._elements.take() for _ in pieces)

    def _next(self, kind: str) -> Any:
        found, value = next(self._found, ("end", None))
        if found != kind:
            raise UnreadableError(f"The file is not as this program writes it: {kind} should come where {found} is.")
        return value

    def _json(self, name: str) -> Mapping[str, Any]:
        return description(self._next(name).encode("utf-8", "surrogatepass"), f"The element {name}", self._limits)

    def dataset(self) -> Dataset:
        version = self._next("document")
        head: dict[str, Any] = {"export": self._json("export"), "schema": self._json("schema")}
        head["version"] = int(version) if version.isdecimal() and len(version) < 9 else version
        return described_dataset(head, ("xml", VERSION), self._tables, self._tail)

    def _tables(self, tables: Mapping[str, Fields]) -> Iterator[TableStream]:
        for name, fields in tables.items():
            self._check(self._next("table"), name, fields)
            yield TableStream(name, fields, self._rows(name))
        coverage, integrity = self._json("coverage"), self._next("integrity")
        self._next("end")
        self._tail |= {"coverage": coverage, "integrity": integrity}
        check_integrity(integrity, self._bytes.digest.hexdigest())
        if self._bytes.rest != end(integrity):
            raise UnreadableError("The end is not as this program writes it.")

    def _check(self, found: tuple[str, Sequence[tuple[str, str]]], name: str, fields: Fields) -> None:
        if found != (name, [(field.name, field.type) for field in fields]):
            raise UnreadableError(f"The table {name} should come next, with the columns of the schema.")

    def _rows(self, name: str) -> Iterator[list[Row]]:
        while True:
            kind, value = next(self._found, ("end", None))
            if kind == "table end":
                return
            if value is None or kind != "rows":
                raise UnreadableError(f"The rows of {name} are not as this program writes them.")
            yield value
            del value  # otherwise the last rows are held while the next are read


class _Hashed:
    """A file that is hashed up to the mark of its end while it is read; ``rest`` is what follows."""

    def __init__(self, file: IO[bytes], limits: Limits) -> None:
        self._file, self._most = file, limits.description
        self._held = b""
        self.digest = hashlib.sha256()
        self.rest = b""

    def read(self, size: int) -> bytes:
        """Read as a file does. Raises UnreadableError for far too much behind the mark."""
        data = self._file.read(size)
        if self.rest:
            self.rest += data
            if len(self.rest) > self._most:
                raise UnreadableError("Behind the rows there is more than a description.")
            return data
        seen = self._held + data
        place = seen.find(END_MARK)
        if place >= 0:
            self.rest, kept = seen[place + 1 :], place + 1
        else:
            kept = max(0, len(seen) - len(END_MARK) + 1)
        self.digest.update(memoryview(seen)[:kept])
        self._held = seen[kept:]
        return data

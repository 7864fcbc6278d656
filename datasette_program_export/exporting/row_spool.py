"""Keeps the rows of a statement that must not run twice, in memory first, then in a private temporary file."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator

import msgspec

from ..database.text import decode_text
from ..files.temporary.room import room_in
from ..formats.dataset import Row, Value
from ..formats.description.digest import pack_rows

_MEMORY = 4_000_000
_pack = msgspec.msgpack.Encoder().encode


def _text(code: int, data: memoryview) -> Value:
    return decode_text(bytes(data))


_unpack = msgspec.msgpack.Decoder(list[tuple], ext_hook=_text).decode  # type: ignore[type-arg]


class RowSpool:
    """Keeps the rows that pass through ``taken``; ``given`` then yields them again in the same batches."""

    def __init__(self, folder: str | None) -> None:
        self._file = tempfile.SpooledTemporaryFile(_MEMORY, dir=folder)  # noqa: SIM115
        self._sizes: list[int] = []

    def taken(self, batches: Iterable[list[Row]]) -> Iterator[list[Row]]:
        """Yield the same batches and keep them. Raises SpoolFullError if there is no room."""
        for rows in batches:
            header = _pack([None] * len(rows))[: -len(rows)]  # of an array of this length
            with room_in():
                self._sizes.append(self._file.write(header + pack_rows(rows)))
            yield rows

    def given(self) -> Iterator[list[Row]]:
        """Yield the kept batches; call it once, after ``taken`` is exhausted."""
        self._file.seek(0)
        for size in self._sizes:
            yield _unpack(self._file.read(size))

    def close(self) -> None:
        """Close and delete the temporary file."""
        self._file.close()

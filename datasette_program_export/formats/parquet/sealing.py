"""The seal of a Parquet file: the SHA-256 of all its bytes but the seal's own 64 digits, in its last part, the footer.

Parquet itself would not tell a changed byte of the footer, and its readers would take what stands there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

from ...errors import UnreadableError

MAGIC = b"PAR1"
KEY = "program_export_seal"
_SAYS = b"SHA-256 of every byte of this file but these 64: "
DIGITS = 64
_END = 8  # the footer's length, and the magic bytes
_PIECE = 1 << 16
_BLOCK = 1 << 20
PLACEHOLDER = (_SAYS + b"0" * DIGITS).decode()


class Sink:
    """The file to which pyarrow writes; ``pieces`` are given away while it is written."""

    closed = False

    def __init__(self) -> None:
        self._waiting = bytearray()
        self._given = 0
        self._hash = hashlib.sha256()

    def write(self, data: bytes) -> int:
        """Take some bytes."""
        self._waiting += data
        return len(data)

    def tell(self) -> int:
        """Return how many bytes were written."""
        return self._given + len(self._waiting)

    def flush(self) -> None:
        """Do nothing: what waits is taken by ``pieces``."""

    def close(self) -> None:
        """End the file."""
        self.closed = True

    def pieces(self) -> Iterator[bytes]:
        """Yield what was written since the last time."""
        data, self._waiting = memoryview(bytes(self._waiting)), bytearray()
        for start in range(0, len(data), _PIECE):
            piece = bytes(data[start : start + _PIECE])
            self._hash.update(piece)
            self._given += len(piece)
            yield piece

    def sealed(self) -> Iterator[bytes]:
        """Yield the last bytes, which end with the footer, with the seal in its place."""
        place = self._waiting.rindex(PLACEHOLDER.encode()) + len(_SAYS)
        self._hash.update(self._waiting[:place])
        self._hash.update(self._waiting[place + DIGITS :])
        self._waiting[place : place + DIGITS] = self._hash.hexdigest().encode()
        yield from self.pieces()


def check_seal(path: Path, most: int, go_on: Callable[[], None]) -> None:
    """Check that a file is whole and unchanged. ``most`` bytes may have its footer.

    Raises UnreadableError: "cut", "changed", or "unknown" for a Parquet file without a seal."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        begins = size - _END
        file.seek(max(0, begins))
        end = file.read(_END)
        length = int.from_bytes(end[:4], "little")
        if end[4:] != MAGIC or not 0 < length <= begins - len(MAGIC):
            raise UnreadableError("The Parquet file is cut: its end is missing.", "cut")
        if length > most:
            raise UnreadableError(f"The description at the end of the Parquet file has {length:,} bytes, too many.")
        file.seek(begins - length)
        footer = file.read(length)
        found = footer.rfind(_SAYS)
        if found < 0:
            raise UnreadableError(
                "This Parquet file is none that this program has sealed, so it cannot prove itself.", "unknown"
            )
        place = begins - length + found + len(_SAYS)
        hashed = hashlib.sha256()
        file.seek(0)
        for start, stop in ((0, place), (place + DIGITS, size)):
            file.seek(start)
            while start < stop and (block := file.read(min(_BLOCK, stop - start))):
                hashed.update(block)
                start += len(block)
                go_on()
        told = footer[found + len(_SAYS) :][:DIGITS]
    if told != hashed.hexdigest().encode():
        raise UnreadableError("The file was changed after it was written: its digest is another.", "changed")

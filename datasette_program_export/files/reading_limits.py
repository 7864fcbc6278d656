"""Limits for reading files of unknown origin: a small file that decompresses without end is refused.

A row costs the memory that it takes while it is read, checked and staged: its bytes, the text made
from them, and what SQLite receives. A text that is not plain ASCII is held twice, and each of its
characters takes as much as the widest of them (PEP 393).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..errors import UnreadableError
from .beside import Beside

CELL_MB = 56.0  # measured: with everything that is held for it, about 240 MB
COPIES = 3  # of a row that are held at once
LARGE = 1 << 20  # bytes: smaller rows are not counted one by one
FEW_PARTS = 20_000  # in JSON: as objects, each takes some hundred bytes
_WINDOW = 1 << 20
_STEPS = 20_000  # instructions of SQLite's virtual machine between two checks: some milliseconds
_LATER_BYTES = bytes(range(0x80, 0xC0))  # the bytes of a UTF-8 character after its first
_FOUR = re.compile(rb"[\xf0-\xff]|\\u[dD][89abAB]").search
_TWO = re.compile(rb"[\xc4-\xff]|\\u").search
_TRUST = "If you know where the file is from, give the argument trusted."


def _nothing() -> None:
    """Do nothing: no other reader has to be waited for, and nobody stops this one."""


@dataclass(frozen=True)
class Limits:
    """What a file may cost to read.

    ``free`` bytes may always be decompressed; above that, at most ``ratio`` times the compressed size.
    ``members`` is the number of files in a zip. ``cell`` is the largest row, in bytes; ``parts`` and
    ``description`` limit the JSON that describes the rows (values and keys, and bytes); ``key`` is the
    largest key in bytes, ``window`` the memory for zstd. ``disk`` is how many bytes a file that must be
    unpacked to disk may fill in ``folder``. ``turn`` is called before the first large row: it waits until
    no other reader holds one, or raises BusyError. ``crashable``: libraries may read it that a file made to do harm can
    crash, and the process with them; not in one that serves others. ``go_on`` is called between the pieces of a
    file: what it raises ends the reading, as when the person who sent the file has left. ``beside`` is a second
    thread, which computes digests."""

    free: int = 200_000_000
    ratio: int = 250
    members: int = 20_000
    cell: int = int(CELL_MB * 1e6)
    parts: int = 150_000
    description: int = 16_000_000
    key: int = 4_000_000
    window: int = 1 << 23  # which every reader of zstd should support (RFC 8878, 3.1.1.1.2)
    folder: str | None = None
    disk: int = 1 << 62
    crashable: bool = True
    turn: Callable[[], None] = field(default=_nothing, compare=False)
    go_on: Callable[[], None] = field(default=_nothing, compare=False)
    beside: Beside = field(default_factory=Beside, compare=False)

    def check(self, packed: int, unpacked: int) -> None:
        """Check the ratio of bytes before and after decompression. Raises UnreadableError if it is too high.

        It is called for each piece, so it raises what ``go_on`` raises too."""
        self.go_on()
        if unpacked > self.free and unpacked > self.ratio * packed:
            raise UnreadableError(
                f"The file unpacks to more than {self.ratio} times its size ({unpacked:,} bytes so far), "
                "as files do that are made to fill a disk. If you know where it is from, give the argument trusted."
            )

    def fits(self, size: int, where: str) -> None:
        """Wait for this reader's turn if ``size`` bytes are a large row. Raises UnreadableError if it is too large."""
        if size > self.cell:
            raise UnreadableError(
                f"{where} takes more than {self.cell / 1e6:,g} MB (cell_mb), which is not read unseen. {_TRUST}"
            )
        if size > LARGE:
            self.turn()

    def fits_row(self, row: bytes, where: str) -> None:
        """Check a row as ``fits`` does, by its bytes and by the memory that they will take."""
        if len(row) > LARGE:
            self.fits(len(row), where)
            self.fits(held_as(row), where)

    def fits_key(self, key: Sequence[object], where: str) -> None:
        """Check the size of a key, which SQLite holds several times to compare it. Raises UnreadableError."""
        if sum(len(value) for value in key if isinstance(value, (str, bytes))) > self.key:
            raise UnreadableError(f"{where} is larger than {self.key / 1e6:,g} MB. {_TRUST}")

    def watch(self, connection: Any) -> None:
        """Have SQLite interrupt the statements of a connection when ``go_on`` raises; call that to learn why."""
        if self.go_on is not _nothing:
            connection.set_progress_handler(self._stopped, _STEPS)

    def _stopped(self) -> bool:
        try:
            self.go_on()
        except Exception:
            return True
        return False

    def few_parts(self, data: bytes | memoryview, where: str) -> None:
        """Wait for this reader's turn if the JSON has many parts. Raises UnreadableError if it has far too many."""
        if len(data) > FEW_PARTS and has_more_parts(data, FEW_PARTS):
            self.turn()
            if len(data) > self.parts and has_more_parts(data, self.parts):
                raise UnreadableError(f"{where} has far too many parts. {_TRUST}")


CAREFUL = Limits()
TRUSTING = Limits(
    free=1 << 62, members=1 << 31, cell=1 << 40, parts=1 << 40, description=1 << 40, key=1 << 40, window=1 << 31
)


def held_as(row: bytes) -> int:
    """Return the size of a plain ASCII row that takes as much memory as this one while it is processed."""
    if row.isascii() and b"\\u" not in row:
        return len(row)
    width, characters, whole = 1, 0, memoryview(row)
    for place in range(0, len(row), _WINDOW):
        seen = bytes(whole[place : place + _WINDOW + 5])  # an escape may cross the end of a window
        width = max(width, 4 if width == 4 or _FOUR(seen) else 2 if width == 2 or _TWO(seen) else 1)
        characters += len(seen[:_WINDOW].translate(None, _LATER_BYTES))
    return max(len(row), (characters * width + COPIES * len(row)) // COPIES)


def has_more_parts(data: bytes | memoryview, most: int) -> bool:
    """Return whether JSON has more than ``most`` values and keys; the content of its strings does not count."""
    found, place, inside, whole = 0, 0, False, memoryview(data)
    while place < len(whole) and found <= most:
        seen = bytes(whole[place : place + _WINDOW])
        if (len(seen) - len(seen.rstrip(b"\\"))) % 2:  # do not split an escape
            seen += bytes(whole[place + len(seen) : place + len(seen) + 1])
        place += len(seen)
        pieces = seen.replace(b"\\\\", b"__").replace(b'\\"', b"__").split(b'"')
        outside = b"".join(pieces[inside::2])
        found += sum(map(outside.count, (b",", b"[", b"{", b":")))
        inside ^= not len(pieces) % 2
    return found > most

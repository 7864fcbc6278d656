"""Buffers a whole export before its first byte is passed on, so that the database is released early."""

from __future__ import annotations

import tempfile
from array import array
from collections.abc import Iterable, Iterator
from typing import IO

from ...database.snapshot import TimeExpired
from .room import room_in


def held(chunks: Iterable[bytes], most: int, memory: int, folder: str | None) -> Iterator[bytes]:
    """Return an iterator over the same chunks, after reading all of them; above ``memory`` bytes they go to a file.

    Raises TimeExpired for more than ``most`` bytes, SpoolFullError if there is no room,
    and whatever the chunks raise. All of these are raised at the call, not at the first ``next``."""
    written: IO[bytes] = tempfile.SpooledTemporaryFile(memory, dir=folder)  # noqa: SIM115
    sizes = array("Q")
    try:
        with room_in():
            for chunk in chunks:
                sizes.append(written.write(chunk))
                if written.tell() > most:
                    raise TimeExpired
            written.seek(0)
    except BaseException:
        written.close()
        raise
    return _given(written, sizes)


def _given(written: IO[bytes], sizes: array[int]) -> Iterator[bytes]:
    with written:
        for size in sizes:
            yield written.read(size)

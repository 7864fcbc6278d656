"""Writes several files as one zip, as a stream: memory holds at most one chunk."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import IO, cast


@dataclass(frozen=True)
class Member:
    """One file inside a zip; ``chunks`` can be read once."""

    name: str
    chunks: Iterator[bytes]


# compressing is slower than all steps before it; level 1 is three times as fast as the default
_LEVEL = 1
_PIECE = 64 * 1024
SEAL = b"SHA-256 of every byte before this number: "
DIGEST_SIZE = 64
_UNSEALED = b"0" * DIGEST_SIZE


class _Sink:
    """A write-only file; ``take`` returns what was written and removes it."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self.size = 0

    def write(self, data: bytes) -> int:
        self._pieces.append(bytes(data))
        self.size += len(data)
        return len(data)

    def flush(self) -> None:
        pass

    def take(self) -> bytes:
        data, self._pieces, self.size = b"".join(self._pieces), [], 0
        return data


def sealed(members: Iterable[Member], moment: datetime) -> Iterator[bytes]:
    """Yield the members as a zip in pieces; its last 64 bytes are the SHA-256 of all bytes before, in hexadecimal.

    They are the end of the zip's comment, which every program ignores."""
    hashed = hashlib.sha256()
    last = b""
    for piece in _zipped(members, moment):
        hashed.update(last)
        if last:
            yield last
        last = piece
    if not last.endswith(_UNSEALED):
        raise AssertionError("the zip does not end with its comment")  # zipfile writes it last
    hashed.update(last[:-DIGEST_SIZE])
    yield last[:-DIGEST_SIZE] + hashed.hexdigest().encode()


def _zipped(members: Iterable[Member], moment: datetime) -> Iterator[bytes]:
    """Yield the members' zip, with ``moment`` as the time of each; the last piece ends with an empty seal."""
    sink = _Sink()
    with zipfile.ZipFile(cast("IO[bytes]", sink), "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL) as archive:
        for member in members:
            info = zipfile.ZipInfo(member.name, moment.timetuple()[:6])
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o600 << 16
            with archive.open(info, "w", force_zip64=True) as file:
                for chunk in member.chunks:
                    file.write(chunk)
                    if sink.size >= _PIECE:
                        yield sink.take()
        archive.comment = SEAL + _UNSEALED
    yield sink.take()

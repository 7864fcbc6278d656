"""Writes several files as one zip, as a stream: memory holds a few chunks at most."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import IO, cast

from .beside import Beside, Hash, results
from .compression import deflater
from .temporary.spool import coalesced


@dataclass(frozen=True)
class Member:
    """One file inside a zip; ``chunks`` can be read once. What is ``compressed`` is not compressed again."""

    name: str
    chunks: Iterator[bytes]
    compressed: bool = False


# 4 takes two thirds of the time of zlib's default, for 3 to 7 % more bytes: compressing is slower than all before it
LEVEL = 4
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


def sealed(members: Iterable[Member], moment: datetime, beside: Beside | None = None) -> Iterator[bytes]:
    """Yield the members as a zip in pieces; its last 64 bytes are the SHA-256 of all bytes before, in hexadecimal.

    They are the end of the zip's comment, which every program ignores. The next chunk of a member is taken while
    those before it are compressed ``beside``."""
    beside = beside or Beside()
    hashed = Hash(beside)
    last = b""
    with closing(_Zip(moment, SEAL + _UNSEALED)) as archive:
        for piece in results(beside, archive.steps(members)):
            hashed.update(last)
            if last:
                yield last
            last = piece
    if not last.endswith(_UNSEALED):
        raise AssertionError("the zip does not end with its comment")  # zipfile writes it last
    hashed.update(last[:-DIGEST_SIZE])
    yield last[:-DIGEST_SIZE] + hashed.hexdigest().encode()


def zipped(members: Iterable[Member], moment: datetime, any_size: bool = True) -> Iterator[bytes]:
    """Yield the members as a zip in pieces, with ``moment`` as the time of each.

    Without ``any_size``, members are below 2 GiB, and the zip has none of the fields for more, at which Excel warns."""
    with closing(_Zip(moment, b"", any_size)) as archive:
        yield from filter(None, (step() for step, _ in archive.steps(members)))


class _Zip:
    """A zip as steps that write it; each returns the bytes that are ready. ``moment`` is the time of each member.

    The last piece ends with ``comment``; for ``any_size`` see ``zipped``."""

    def __init__(self, moment: datetime, comment: bytes, any_size: bool = True) -> None:
        self._sink = _Sink()
        self._zip = zipfile.ZipFile(cast("IO[bytes]", self._sink), "w", zipfile.ZIP_DEFLATED)
        self._moment, self._comment, self._any_size = moment, comment, any_size
        self._file: IO[bytes] | None = None

    def steps(self, members: Iterable[Member]) -> Iterator[tuple[Callable[[], bytes], int]]:
        """Yield the steps, each with its number of bytes."""
        for member in members:
            yield partial(self._begin, member), 0
            for chunk in coalesced(member.chunks):
                yield partial(self._write, chunk), len(chunk)
        yield self._end, 0

    def close(self) -> None:
        """Close what is open still; bytes that come of it are lost."""
        self._end_member()
        self._zip.close()

    def _begin(self, member: Member) -> bytes:
        self._end_member()
        info = zipfile.ZipInfo(member.name, self._moment.timetuple()[:6])
        info.compress_type = zipfile.ZIP_DEFLATED
        info.external_attr = 0o600 << 16
        self._file = file = self._zip.open(info, "w", force_zip64=self._any_size)
        if hasattr(file, "_compressor"):  # zipfile has no way to choose a library
            # level 0: Java's streams refuse a file of the method "stored" whose size follows it
            plain = zlib.compressobj(0, zlib.DEFLATED, -zlib.MAX_WBITS)
            file._compressor = plain if member.compressed else deflater(LEVEL, -zlib.MAX_WBITS)
        return b""

    def _write(self, chunk: bytes) -> bytes:
        assert self._file is not None
        self._file.write(chunk)
        return self._sink.take() if self._sink.size >= _PIECE else b""

    def _end(self) -> bytes:
        self._end_member()
        self._zip.comment = self._comment
        self._zip.close()
        return self._sink.take()

    def _end_member(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

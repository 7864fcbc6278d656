"""Decompresses a file as a stream: gzip, zstd or bzip2, recognised by its first bytes."""

from __future__ import annotations

import bz2
import gzip
import io
import zlib
from typing import IO, Any

from ..errors import UnreadableError, UnsupportedError
from .reading_limits import Limits

_MAGIC = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
_MAGIC |= {b"BZh%d1AY&SY" % level: "bzip2" for level in range(1, 10)}
_PIECE = 512  # bytes of zstd per step: even the worst of them decompress to only a few megabytes


def compression_of(start: bytes) -> str | None:
    """Return the compression of a file that begins with these bytes, or None."""
    return next((how for magic, how in _MAGIC.items() if start.startswith(magic)), None)


def decompressed(file: IO[bytes], how: str, limits: Limits) -> IO[bytes]:
    """Return the content as a stream. Reading raises UnreadableError if it is cut, damaged or unpacks without end."""
    counted = _Counted(file)
    inner: Any
    if how == "gzip":
        inner = gzip.GzipFile(fileobj=counted, mode="rb")  # type: ignore[call-overload]
    else:
        inner = _Zstd(counted, limits) if how == "zstd" else bz2.BZ2File(counted)  # type: ignore[call-overload]
    return io.BufferedReader(_Watched(inner, counted, how, limits), 1 << 20)  # type: ignore[type-var]


class _Counted:
    """Counts the bytes read so far."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self.bytes = file, 0

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self.bytes += len(data)
        return data

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False


class _Zstd:
    """A reader that checks the end of each frame: zstandard's own takes a truncated file for a complete one."""

    def __init__(self, file: _Counted, limits: Limits) -> None:
        try:
            import zstandard
        except ImportError:
            raise UnsupportedError(
                "To read zstd the package zstandard is needed: pip install datasette-program-export[zstd]."
            ) from None
        self._file = file
        self._new = zstandard.ZstdDecompressor(max_window_size=limits.window).decompressobj
        self._error = zstandard.ZstdError
        self._frame: Any = None
        self._ready = b""
        self._waiting = b""

    def read(self, size: int) -> bytes:
        while not self._ready:
            piece = self._waiting or self._file.read(_PIECE)
            self._waiting = b""
            if not piece:
                if self._frame is not None:
                    raise EOFError
                return b""
            self._frame = self._frame or self._new()
            try:
                self._ready = self._frame.decompress(piece)
            except self._error as error:
                if "memory" in str(error):  # a frame states how much memory its reader needs
                    raise UnreadableError(
                        "The zstd of the file asks for more memory than readers are to have (8 MB): pack it anew "
                        "without --ultra and --long, or give the argument trusted."
                    ) from None
                raise zlib.error(str(error)) from None
            if self._frame.eof:
                self._waiting, self._frame = self._frame.unused_data, None
        data, self._ready = self._ready[:size], self._ready[size:]
        return data


class _Watched(io.RawIOBase):
    def __init__(self, inner: Any, packed: _Counted, how: str, limits: Limits) -> None:
        self._inner, self._packed, self._how, self._limits = inner, packed, how, limits
        self._unpacked = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        try:
            data = self._inner.read(len(buffer))
        except EOFError:
            raise UnreadableError(f"The file is cut: the end of its {self._how} is missing.", "cut") from None
        except (OSError, zlib.error):  # gzip.BadGzipFile is an OSError, and bz2 raises OSError
            raise UnreadableError(f"The {self._how} of the file is damaged.") from None
        buffer[: len(data)] = data
        self._unpacked += len(data)
        self._limits.check(self._packed.bytes, self._unpacked)
        return len(data)

"""Compresses a single file as a stream: gzip (RFC 1952) by the standard library, zstd (RFC 8878) as an extra.

The levels are fast ones, because compressing takes longer than all steps before it.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

from ..errors import UnsupportedError
from .beside import Beside, results
from .temporary.spool import coalesced

SUFFIXES = {"gzip": "gz", "zstd": "zst"}
MEDIA_TYPES = {"gzip": "application/gzip", "zstd": "application/zstd"}
_GZIP_LEVEL, _ISAL_LEVEL = 1, 2
_GZIP_HEADER = 31  # a header without a time: the same data gives the same bytes
_ZSTD_LEVEL = 3


def compressed(chunks: Iterable[bytes], how: str, beside: Beside | None = None) -> Iterator[bytes]:
    """Return the chunks as one compressed stream. Raises UnsupportedError at the call if the library is missing."""
    return results(beside or Beside(), _steps(chunks, _compressor(how)))


def _steps(chunks: Iterable[bytes], compressor: Any) -> Iterator[tuple[Callable[[], bytes], int]]:
    for chunk in coalesced(chunks):
        yield partial(compressor.compress, chunk), len(chunk)
    yield compressor.flush, 0


def deflater(level: int, window: int) -> Any:
    """Return a compressor of zlib's, or of isal's where that is installed: about four times as fast.

    ``level`` is zlib's, ``window`` as in ``zlib.compressobj``."""
    try:
        from isal import isal_zlib
    except ImportError:
        return zlib.compressobj(level, zlib.DEFLATED, window)
    return isal_zlib.compressobj(_ISAL_LEVEL, zlib.DEFLATED, window)


def _compressor(how: str) -> Any:
    if how == "gzip":
        return deflater(_GZIP_LEVEL, _GZIP_HEADER)
    try:
        import zstandard
    except ImportError:
        raise UnsupportedError(
            "zstd needs the package zstandard: pip install datasette-program-export[zstd]. Or use gzip."
        ) from None
    return zstandard.ZstdCompressor(_ZSTD_LEVEL, write_checksum=True).compressobj()

"""Compresses a single file as a stream: gzip (RFC 1952) by the standard library, zstd (RFC 8878) as an extra.

The levels are fast ones, because compressing takes longer than all steps before it.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from typing import Any

from ..errors import UnsupportedError

SUFFIXES = {"gzip": "gz", "zstd": "zst"}
MEDIA_TYPES = {"gzip": "application/gzip", "zstd": "application/zstd"}
_GZIP_LEVEL, _GZIP_HEADER = 1, 31  # a header without a time: the same data gives the same bytes
_ZSTD_LEVEL = 3


def compressed(chunks: Iterable[bytes], how: str) -> Iterator[bytes]:
    """Return the chunks as one compressed stream. Raises UnsupportedError at the call if the library is missing."""
    return _run(chunks, _compressor(how))


def _run(chunks: Iterable[bytes], compressor: Any) -> Iterator[bytes]:
    for chunk in chunks:
        if data := compressor.compress(chunk):
            yield data
    yield compressor.flush()


def _compressor(how: str) -> Any:
    if how == "gzip":
        return zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, _GZIP_HEADER)
    try:
        import zstandard
    except ImportError:
        raise UnsupportedError(
            "zstd needs the package zstandard: pip install datasette-program-export[zstd]. Or use gzip."
        ) from None
    return zstandard.ZstdCompressor(_ZSTD_LEVEL, write_checksum=True).compressobj()

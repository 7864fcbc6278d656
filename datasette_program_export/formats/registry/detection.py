"""Detects the format of a file by its first bytes."""

from __future__ import annotations

from typing import IO

from ...files.decompression import compression_of, decompressed
from ...files.reading_limits import Limits
from ...files.zip_reading import files_in
from .lookup import NAMES, get_format

_START = 64


def detect(file: IO[bytes], limits: Limits) -> tuple[str | None, str | None, IO[bytes], bytes]:
    """Return a file's format and compression (or None), its content from the start, and its first bytes."""
    how = compression_of(_beginning(file))
    if how is not None:
        content = decompressed(file, how, limits)
        start = content.peek(_START)[:_START]  # type: ignore[attr-defined]
    else:
        content, start = file, _beginning(file)
    fitting = [name for name in NAMES if start.startswith(get_format(name).beginnings)]
    return _chosen(fitting, file, how is not None, limits), how, content, start


def _chosen(fitting: list[str], file: IO[bytes], compressed: bool, limits: Limits) -> str | None:
    """Return the format among those that begin so: the one whose file is in the zip, else the one that names none."""
    named = {name: holds for name in fitting if (holds := get_format(name).holds) is not None}
    if named and not compressed:
        inside = files_in(file, limits)
        if found := next((name for name, holds in named.items() if holds in inside), None):
            return found
    return next((name for name in fitting if name not in named), None)


def is_cut_beginning(start: bytes) -> bool:
    """Return whether these are the first bytes of a file whose format more bytes would show."""
    return any(mark.startswith(start) for name in NAMES for mark in get_format(name).beginnings)


def _beginning(file: IO[bytes]) -> bytes:
    start = file.read(_START)
    file.seek(0)
    return start

"""The registry of formats, and how the format of a file is detected.

A file ends in one row, ``FORMAT = Format(...)``; a new format is one more file and one
more name in ``NAMES``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone
from importlib import import_module
from typing import IO, Any

from ..errors import RequestError, UnsupportedError
from ..files.decompression import compression_of, decompressed
from ..files.limits import Limits
from ..options.request import Request
from .dataset import Dataset, TableStream

# By what a file of each format begins with; what begins otherwise cannot prove itself
_BEGINNINGS = {
    "programjson": (b'{"format":"programjson",\n', b'{\n  "format": "programjson",\n'),
    "ndjson": (b'{"format":"ndjson",',),
    "sqlite": (b"SQLite format 3\0",),
    "sql": (b"-- ",),
    "package": (b"PK\x03\x04", b"PK\x05\x06"),
}


_START = 64


def detect(file: IO[bytes], limits: Limits) -> tuple[str | None, str | None, IO[bytes], bytes]:
    """The file's format, how it is compressed, the content to be read from its start, and its beginning."""
    how = compression_of(_beginning(file))
    if how is not None:
        content = decompressed(file, how, limits)
        start = content.peek(_START)[:_START]  # type: ignore[attr-defined]
    else:
        content, start = file, _beginning(file)
    found = next((name for name, marks in _BEGINNINGS.items() if start.startswith(marks)), None)
    return found, how, content, start


def _beginning(file: IO[bytes]) -> bytes:
    start = file.read(_START)
    file.seek(0)
    return start


_MODULES = {
    "programjson": "json.programjson",
    "ndjson": "json.ndjson",
    "csv": "csv.writing",
    "tsv": "csv.tsv",
    "package": "package.package",
    "sqlite": "sqlite.writing",
    "sql": "sqlite.script",
}
NAMES = tuple(_MODULES)


@dataclass(frozen=True)
class Options:
    """How a format is to write: ``folder`` is for its temporary files (None: the system's).

    Of a package: its ``title`` (a file name without ending), the ``moment`` that its files carry."""

    request: Request
    folder: str | None = None
    title: str = "export"
    moment: datetime = datetime(1980, 1, 1, tzinfo=timezone.utc)


@dataclass(frozen=True)
class Format:
    """The facts of a format.

    ``encode`` writes a whole dataset; ``encode_table`` one table, for formats whose files
    hold one: several come as a package of such files. ``described``: in a package, the columns
    are looked at before they are written. ``lossless``: every value reads back the same.
    ``self_verifying``: a file shows by itself that it is whole. ``layouts`` it can do.
    ``delimiter``: its own, for the formats that are csv, which alone have dialects.
    Without ``streams``, the first byte comes when the last row has been read."""

    name: str
    help: str
    extension: str
    media_type: str
    lossless: bool
    self_verifying: bool
    encode: Callable[[Dataset, Options], Iterator[bytes]] | None = None
    encode_table: Callable[[TableStream, Request], Iterator[bytes]] | None = None
    decode: Callable[[IO[bytes], Limits], Dataset] | None = None
    described: bool = False
    layouts: tuple[str, ...] = ("rows",)
    suffixes: tuple[str, ...] = field(default=())
    delimiter: str | None = None
    streams: bool = True

    def dialect(self, request: Request) -> dict[str, Any]:
        """How its csv files are spelled, for a description of them."""
        return {
            "name": request.dialect,
            "delimiter": request.delimiter or self.delimiter,
            "importable": request.dialect == "exact",
        }


def get_format(name: str) -> Format:
    """The format of that name. Raises RequestError, which lists the names there are."""
    if name not in NAMES:
        raise RequestError(f"There is no format {name}. Known: {', '.join(NAMES)}.")
    found: Format = import_module(f".{_MODULES[name]}", __package__).FORMAT
    return found


def format_for_file(name: str) -> str | None:
    """The name of the format that a file's suffix stands for, if any."""
    for candidate in NAMES:
        form = get_format(candidate)
        if any(name.lower().endswith("." + s) for s in (form.extension, *form.suffixes)):
            return candidate
    return None


def check_choices(form: Format, request: Request) -> None:
    """Raise UnsupportedError for a layout, a dialect or a delimiter that the format does not have."""
    if request.layout not in form.layouts:
        raise UnsupportedError(f"{form.name} has no layout {request.layout}; it has: {', '.join(form.layouts)}.")
    if form.delimiter is None and (request.dialect != "exact" or request.delimiter is not None):
        name = "delimiter" if request.dialect == "exact" else "dialect"
        known = [n for n in NAMES if get_format(n).delimiter is not None]
        raise UnsupportedError(f"{name} goes with {', '.join(known[:-1])} and {known[-1]}, not with {form.name}.")
    if form.delimiter == "\t" and request.delimiter not in (None, "\t"):
        raise UnsupportedError(f"{form.name} has a tab between its fields; for another delimiter, take csv.")

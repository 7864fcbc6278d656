"""The registry of formats, and the detection of a file's format.

A new format is one module that ends in ``FORMAT = Format(...)``, and its name in ``_MODULES``.
All other code that knows formats (pages, addresses, the command line, packages, detection)
uses the facts in ``Format``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from importlib import import_module
from typing import IO, Any

from ..errors import RequestError, UnsupportedError
from ..files.decompression import compression_of, decompressed
from ..files.reading_limits import Limits
from ..options.delimiters import word_of
from ..options.request import Request
from .dataset import Dataset, TableStream
from .members import Member

_START = 64


def detect(file: IO[bytes], limits: Limits) -> tuple[str | None, str | None, IO[bytes], bytes]:
    """Return a file's format and compression (or None), its content from the start, and its first bytes."""
    how = compression_of(_beginning(file))
    if how is not None:
        content = decompressed(file, how, limits)
        start = content.peek(_START)[:_START]  # type: ignore[attr-defined]
    else:
        content, start = file, _beginning(file)
    found = next((name for name in NAMES if start.startswith(get_format(name).beginnings)), None)
    return found, how, content, start


def is_cut_beginning(start: bytes) -> bool:
    """Return whether these are the first bytes of a file whose format more bytes would show."""
    return any(mark.startswith(start) for name in NAMES for mark in get_format(name).beginnings)


def _beginning(file: IO[bytes]) -> bytes:
    start = file.read(_START)
    file.seek(0)
    return start


_MODULES = {
    "programjson": ".json.programjson",
    "ndjson": ".json.ndjson",
    "csv": ".csv.writing",
    "tsv": ".csv.tsv",
    "package": ".package.package",
    "sqlite": ".sqlite.writing",
    "sql": ".sqlite.script",
}


class _Names(Sequence[str]):
    """The current names, in their order."""

    def __getitem__(self, place: Any) -> Any:
        return tuple(_MODULES)[place]

    def __len__(self) -> int:
        return len(_MODULES)

    def __contains__(self, name: object) -> bool:
        return name in _MODULES


NAMES = _Names()


@dataclass(frozen=True)
class Options:
    """How a format should write. ``folder`` is for its temporary files (None: the system's).

    For a package: ``title`` is its file name without extension, ``moment`` the time of its files."""

    request: Request
    folder: str | None = None
    title: str = "export"
    moment: datetime = datetime(1980, 1, 1, tzinfo=timezone.utc)


@dataclass(frozen=True)
class Format:
    """The facts of a format.

    For people: ``help`` is a sentence that says what it is; ``good_for`` ends the sentence "Good for ...".

    Its files: their ``extension`` and other ``suffixes``, their ``media_type``, the ``beginnings`` by which they
    are recognised (a file with another beginning cannot prove itself), and the ``ending`` of their address, after
    ``.program``; without ``ending`` there is no such address. ``compressed``: the files are compressed already.

    Writing: ``encode`` writes a whole dataset. ``encode_table`` writes one table, for formats whose files hold
    one table; several tables become a package of such files, if the format has a ``member``. ``described``: in a
    package, the columns are examined before they are written. ``layouts`` are the supported values of
    ``Request.layout``; ``proving_layout`` is the one in which a single table proves itself, if ``rows`` does not.
    ``delimiter`` is the default of the csv formats, and only these have dialects; with ``any_delimiter`` a request
    can choose another. Without ``streams``, the first byte comes after the last row has been read.
    ``sized_as_planned``: the size is the one that a plan estimates.

    Reading: ``lossless``: every value is read back unchanged. ``self_verifying``: a file shows by itself that it is
    complete. ``decode`` reads a file; without ``gives_rows`` it checks the bytes and yields no rows."""

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
    good_for: str = ""
    beginnings: tuple[bytes, ...] = ()
    ending: str | None = None
    compressed: bool = False
    member: Member | None = None
    proving_layout: str | None = None
    any_delimiter: bool = False
    sized_as_planned: bool = False
    gives_rows: bool = True

    def dialect(self, request: Request) -> dict[str, Any]:
        """Return the spelling of the format's csv files, for their description."""
        return {
            "name": request.dialect,
            "delimiter": request.delimiter or self.delimiter,
            "importable": request.dialect == "exact",
        }


def get_format(name: str) -> Format:
    """Return the format of that name. Raises RequestError, which lists the known names."""
    if name not in NAMES:
        raise RequestError(f"There is no format {name}. Known: {', '.join(NAMES)}.")
    found: Format = import_module(_MODULES[name], __package__).FORMAT
    return found


def format_for_file(name: str) -> str | None:
    """Return the name of the format for a file name's suffix, or None."""
    for candidate in NAMES:
        form = get_format(candidate)
        if any(name.lower().endswith("." + s) for s in (form.extension, *form.suffixes)):
            return candidate
    return None


def member_names() -> tuple[str, ...]:
    """Return the names of the formats whose files can be in a package, plain tables first."""
    found = [form for form in map(get_format, NAMES) if form.member is not None]
    return tuple(form.name for form in sorted(found, key=lambda form: not form.described))


def endings() -> dict[str, str]:
    """Return the names of the formats that have their own address, by its ending after ``.program``."""
    return {ending: name for name in NAMES if (ending := get_format(name).ending) is not None}


def choices() -> Mapping[str, tuple[str, ...]]:
    """Return the possible values of the request's options that name formats, except ``format`` itself."""
    return {"members": member_names()}


def check_members(request: Request) -> None:
    """Check the format of a package's files. Raises RequestError if it cannot be in a package."""
    known = [repr(name) for name in member_names()]
    if request.members is not None and repr(request.members) not in known:
        raise RequestError(f"members must be {', '.join(known[:-1])} or {known[-1]}.")


def check_choices(form: Format, request: Request) -> None:
    """Check that the format has the request's layout, dialect and delimiter. Raises UnsupportedError if not.

    Raises RequestError if ``members`` cannot be in a package."""
    check_members(request)
    if request.layout not in form.layouts:
        raise UnsupportedError(f"{form.name} has no layout {request.layout}; it has: {', '.join(form.layouts)}.")
    if form.delimiter is None and (request.dialect != "exact" or request.delimiter is not None):
        name = "delimiter" if request.dialect == "exact" else "dialect"
        known = [n for n in NAMES if get_format(n).delimiter is not None]
        raise UnsupportedError(f"{name} goes with {', '.join(known[:-1])} and {known[-1]}, not with {form.name}.")
    if form.delimiter is not None and not form.any_delimiter and request.delimiter not in (None, form.delimiter):
        own = word_of(form.delimiter)
        raise UnsupportedError(f"{form.name} has a {own} between its fields; for another delimiter, take csv.")

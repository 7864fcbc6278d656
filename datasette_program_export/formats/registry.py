"""The registry of formats, and how the format of a file is detected.

A new format is one module, which ends in ``FORMAT = Format(...)``, and its name in ``_MODULES``:
every other place that knows formats (pages, addresses, the command line, packages, detection)
goes by the facts of ``Format``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from importlib import import_module
from typing import IO, Any

from ..errors import RequestError, UnsupportedError
from ..files.decompression import compression_of, decompressed
from ..files.limits import Limits
from ..options.delimiters import word_of
from ..options.request import Request
from .dataset import Dataset, TableStream
from .members import Member

_START = 64


def detect(file: IO[bytes], limits: Limits) -> tuple[str | None, str | None, IO[bytes], bytes]:
    """The file's format, how it is compressed, the content to be read from its start, and its beginning."""
    how = compression_of(_beginning(file))
    if how is not None:
        content = decompressed(file, how, limits)
        start = content.peek(_START)[:_START]  # type: ignore[attr-defined]
    else:
        content, start = file, _beginning(file)
    found = next((name for name in NAMES if start.startswith(get_format(name).beginnings)), None)
    return found, how, content, start


def is_cut_beginning(start: bytes) -> bool:
    """Whether these are the first bytes of a file whose format would be known by some more."""
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
    """The names as they are now, in their order."""

    def __getitem__(self, place: Any) -> Any:
        return tuple(_MODULES)[place]

    def __len__(self) -> int:
        return len(_MODULES)

    def __contains__(self, name: object) -> bool:
        return name in _MODULES


NAMES = _Names()


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

    For people: ``help`` is a sentence that says what it is; ``good_for`` ends the sentence "Good for ...".

    Its files: their ``extension`` and other ``suffixes``, their ``media_type``, the ``beginnings`` by which they
    are recognised (what begins otherwise cannot prove itself), and the ``ending`` of their address, behind
    ``.program``; no ``ending``, no such address. ``compressed``: compressed already.

    Writing: ``encode`` writes a whole dataset; ``encode_table`` one table, for formats whose files
    hold one: several come as a package of such files, if the format can be its ``member``. ``described``: in a
    package, the columns are looked at before they are written. ``layouts`` of ``Request.layout`` it can do;
    ``proving_layout`` is the one in which a single table proves itself, where ``rows`` does not.
    ``delimiter``: its own, for the formats that are csv, which alone have dialects; with ``any_delimiter`` another
    one can be asked for. Without ``streams``, the first byte comes when the last row has been read.
    ``sized_as_planned``: it is as large as a plan says.

    Reading: ``lossless``: every value reads back the same. ``self_verifying``: a file shows by itself that it is
    whole. ``decode`` reads a file; without ``gives_rows`` its bytes are checked, and its rows are not given."""

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
    found: Format = import_module(_MODULES[name], __package__).FORMAT
    return found


def format_for_file(name: str) -> str | None:
    """The name of the format that a file's suffix stands for, if any."""
    for candidate in NAMES:
        form = get_format(candidate)
        if any(name.lower().endswith("." + s) for s in (form.extension, *form.suffixes)):
            return candidate
    return None


def member_names() -> tuple[str, ...]:
    """The names of the formats whose files can be in a package, plain tables first."""
    found = [form for form in map(get_format, NAMES) if form.member is not None]
    return tuple(form.name for form in sorted(found, key=lambda form: not form.described))


def endings() -> dict[str, str]:
    """The formats that have an address of their own: their names by what it ends in, behind ``.program``."""
    return {ending: name for name in NAMES if (ending := get_format(name).ending) is not None}


def choices() -> Mapping[str, tuple[str, ...]]:
    """What can be chosen for the options of a request whose values are names of formats, but for the format."""
    return {"members": member_names()}


def check_members(request: Request) -> None:
    """Raise RequestError where the files in a package are to be of a format that cannot be in one."""
    known = [repr(name) for name in member_names()]
    if request.members is not None and repr(request.members) not in known:
        raise RequestError(f"members must be {', '.join(known[:-1])} or {known[-1]}.")


def check_choices(form: Format, request: Request) -> None:
    """Raise UnsupportedError for a layout, a dialect or a delimiter that the format does not have.

    RequestError for members that no package can have."""
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

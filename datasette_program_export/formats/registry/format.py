"""``Format``: the facts of a format, by which all other code knows it; and the options of one export for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from importlib.util import find_spec
from typing import IO, Any

from ...files.beside import Beside
from ...files.reading_limits import Limits
from ...options.request import Request
from ..dataset import Dataset, TableStream
from .members import Member

# What people want a file for: to give or keep it, to open it in a spreadsheet, to load it again, to read it themselves
PURPOSES = ("keep", "spreadsheet", "load", "read")


@dataclass(frozen=True)
class Options:
    """How a format should write. ``folder`` is for its temporary files (None: the system's).

    For a package: ``title`` is its file name without extension, ``moment`` the time of its files.
    ``beside`` is a second thread, which hashes and compresses. For people: ``labels`` are what one row and several of
    a table are called, ``titles`` the columns that name a row, ``descriptions`` and ``column_descriptions`` what
    tables and columns are, all as far as they are known."""

    request: Request
    folder: str | None = None
    title: str = "export"
    moment: datetime = datetime(1980, 1, 1, tzinfo=timezone.utc)
    beside: Beside = field(default_factory=Beside)
    labels: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    titles: Mapping[str, Sequence[str]] = field(default_factory=dict)
    descriptions: Mapping[str, str] = field(default_factory=dict)
    column_descriptions: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Format:
    """The facts of a format.

    For people: ``help`` is a sentence that says what it is; ``good_for`` ends the sentence "Good for ...".
    ``purpose`` is one of PURPOSES if people choose it for that without knowing its name.

    Its files: their ``extension`` and other ``suffixes``, their ``media_type``, the ``beginnings`` by which they
    are recognised (a file with another beginning cannot prove itself), for a zip also the name of a file that it
    ``holds`` and the zips of other formats do not, and the ``ending`` of their address, after
    ``.program``; without ``ending`` there is no such address. ``compressed``: the files are compressed already.
    ``edited``: people change these files, so that an import takes what was changed, and says so.

    Writing: ``encode`` writes a whole dataset. ``encode_table`` writes one table, for formats whose files hold
    one table; several tables become a package of such files, if the format has a ``member``. ``one_table``: what
    ``encode`` writes holds one table too, with all that proves it; ``encode_table`` is for packages. ``described``: in
    a package, the columns are examined before they are written. ``layouts`` are the supported values of
    ``Request.layout``; ``proving_layout`` is the one in which a single table proves itself, if ``rows`` does not.
    ``delimiter`` is the default of the csv formats, and only these have dialects; with ``any_delimiter`` a request
    can choose another. Without ``streams``, the first byte comes after the last row has been read.
    ``needs``: a module without which it is not offered, because an extra installs it.
    ``sized_as_planned``: the size is the one that a plan estimates. ``makes_database``: the file is, or makes, a
    database with indexes, views and triggers. ``holds_files``: the files that rows name by a path are in it.
    ``speaks``: its files have sentences, in the language of the request. ``most_rows`` and ``most_bytes`` (of texts,
    binary data and files) are how much a file can hold; more is refused before the first byte.

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
    makes_database: bool = False
    purpose: str = ""
    holds: str | None = None
    edited: bool = False
    holds_files: bool = False
    one_table: bool = False
    speaks: bool = False
    most_rows: int | None = None
    most_bytes: int | None = None
    needs: str | None = None

    @property
    def is_installed(self) -> bool:
        """Whether what it needs is installed."""
        return self.needs is None or find_spec(self.needs) is not None

    @property
    def holds_one(self) -> bool:
        """Whether a file holds one table, so that several become a package of such files."""
        return self.encode is None or self.one_table

    def dialect(self, request: Request) -> dict[str, Any]:
        """Return the spelling of the format's csv files, for their description."""
        return {
            "name": request.dialect,
            "delimiter": request.delimiter or self.delimiter,
            "importable": request.dialect == "exact",
        }

"""The formats, by name. One file each, with all that is known of the format in it.

A file ends in one row, ``FORMAT = Format(...)``; a new format is one more file and one
more name in ``NAMES``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib import import_module

from ..errors import RequestError, UnsupportedError
from ..records import Dataset, TableStream

NAMES = ("programjson", "ndjson", "csv", "tsv", "zip", "sqlite", "sql")


@dataclass(frozen=True)
class Options:
    """How a format is to write: ``folder`` is for its temporary files (None: the system's)."""

    layout: str = "rows"
    folder: str | None = None


@dataclass(frozen=True)
class Format:
    """The facts of a format.

    ``encode`` writes a whole dataset; ``encode_table`` one table, for formats whose files
    hold one: several are put into a zip, or with ``archived`` always, as files of
    ``member_extension``. ``lossless``: every value reads back the same.
    ``self_verifying``: a file shows by itself that it is whole. ``layouts`` it can do. Without
    ``streams``, the first byte comes when the last row has been read."""

    name: str
    help: str
    extension: str
    media_type: str
    lossless: bool
    self_verifying: bool
    encode: Callable[[Dataset, Options], Iterator[bytes]] | None = None
    encode_table: Callable[[TableStream], Iterator[bytes]] | None = None
    archived: bool = False
    member_extension: str | None = None
    layouts: tuple[str, ...] = ("rows",)
    suffixes: tuple[str, ...] = field(default=())
    streams: bool = True


def get_format(name: str) -> Format:
    """The format of that name. Raises RequestError, which lists the names there are."""
    if name not in NAMES:
        raise RequestError(f"There is no format {name}. Known: {', '.join(NAMES)}.")
    found: Format = import_module(f".{name}", __package__).FORMAT
    return found


def format_for_file(name: str) -> str | None:
    """The name of the format that a file's suffix stands for, if any."""
    for candidate in NAMES:
        form = get_format(candidate)
        if any(name.lower().endswith("." + s) for s in (form.extension, *form.suffixes)):
            return candidate
    return None


def check_layout(form: Format, layout: str) -> None:
    """Raise UnsupportedError for a layout that the format does not have."""
    if layout not in form.layouts:
        raise UnsupportedError(f"{form.name} has no layout {layout}; it has: {', '.join(form.layouts)}.")

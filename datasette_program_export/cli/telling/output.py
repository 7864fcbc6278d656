"""Where an export goes: a file or a folder, standard output, a terminal; and what a file's name says."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import click

from ...database.source import belongs_to
from ...errors import NotFoundError, PluginError, RequestError
from ...files.compression import SUFFIXES
from ...files.input_file import is_database
from ...formats.registry import NAMES, faults, format_for_file, get_format
from ...options.request import PACKAGE
from .terminal import printable

_SHOWN = 64_000  # bytes that a terminal shows; who wants to read more uses a file or a pager
_HOW = "give a file with -o FILE, or a pipe"


def is_folder(database: Path, output: str) -> bool:
    """Check the output and return whether it is a folder. Raises RequestError if it must not be written to."""
    if not output:
        raise RequestError("-o needs the name of a file or a folder.")
    if belongs_to(database, Path(output)):
        raise RequestError(f"{output} is the database itself; it is not written to.")
    check_folder(Path(output))
    check_no_database(Path(output))
    return Path(output).is_dir()


def check_folder(output: Path) -> None:
    """Check that the folder of a file is there. Raises NotFoundError if it is not."""
    if not output.parent.is_dir():
        raise NotFoundError(f"There is no folder {output.parent} for {output.name}; it is not made.")


def check_no_database(output: Path) -> None:
    """Check that no database would be replaced. Raises RequestError if it would."""
    if output.is_file() and output.stat().st_size > 0 and is_database(output):
        raise RequestError(f"{output} is a SQLite database; it is not replaced by an export. Choose another name.")


def said_by_name(output: str, options: dict[str, Any]) -> str | None:
    """Return the format that a file's name says, and put it and the compression into the options that lack them.

    Raises RequestError for an ending that says none, where no format was asked for."""
    name = Path(output).name
    for how, suffix in SUFFIXES.items():
        if name.lower().endswith(f".{suffix}") and options["compress"] in (None, how):
            name, options["compress"] = name[: -len(suffix) - 1], how
    said = format_for_file(name)
    if options["format"] is None:
        options["format"] = said
        if said is None and Path(name).suffix:
            unknown = f"{Path(output).name} names no format by its ending"
            if found := faults():  # it may be the ending of one of theirs
                raise PluginError(f"{unknown}. {' '.join(found)}")
            raise RequestError(f"{unknown}; say --format.")
    if options["format"] in NAMES and name.lower().endswith(".zip") and get_format(options["format"]).member:
        options["format"], options["members"] = PACKAGE, options["format"]  # a zip, also of one table
    return said


def check_ending(output: Path, said: str | None, form: str, compress: str | None) -> None:
    """Check that the file is what its name says by its ending. Raises RequestError if not."""
    if said not in (None, form):
        raise RequestError(
            f"{output.name} says by its ending that it is {said}, and it would be {form}. Choose another name, "
            "or leave out --format."
        )
    if compress is not None and said is not None and not output.name.lower().endswith(f".{SUFFIXES[compress]}"):
        raise RequestError(f"A file compressed with {compress} has a name that ends in .{SUFFIXES[compress]}.")


def to_standard_output(chunks: Iterator[bytes]) -> None:
    """Write an export to standard output. Raises RequestError for a terminal that cannot show it."""
    if sys.stdout.isatty():
        _to_terminal(chunks)
        return
    out = sys.stdout.buffer
    with redirect_stdout(sys.stderr):  # a plugin that prints would write into the export
        for chunk in chunks:
            out.write(chunk)
    out.flush()


def check_terminal_shows(binary: bool) -> None:
    """Check, before anything is read, that no bytes go to a terminal. Raises RequestError if they would."""
    if binary and sys.stdout.isatty():
        raise RequestError(f"A terminal cannot show this, it is no text: {_HOW}.")


def _to_terminal(chunks: Iterator[bytes]) -> None:
    """Show a short text, with what would move the cursor or set colours escaped; a long one is refused."""
    shown = bytearray()
    for chunk in chunks:
        shown += chunk
        check_terminal_shows(b"\0" in chunk)
        if len(shown) > _SHOWN:
            raise RequestError(f"This is too long for a terminal: {_HOW}, such as | less.")
    text = shown.decode("utf-8", "backslashreplace")
    lines = (line.removesuffix("\r").split("\t") for line in text.split("\n"))
    click.echo("\n".join("\t".join(map(printable, parts)) for parts in lines), nl=False)

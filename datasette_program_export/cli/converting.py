"""``program-export convert``: a file in another format."""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from typing import Any

import click

from ..errors import RequestError
from ..files.atomic import write_whole
from ..files.reading_limits import CAREFUL
from ..files.temporary.piped import STANDARD, as_file, is_standard_output
from ..formats.description.coverage_text import coverage_sentences
from ..formats.registry import NAMES
from ..options.request import OF_THE_FILE, Request
from ..verifying.converter import Conversion
from .command import Command, leave_nothing_behind
from .options import FormatChoice, options_of, quiet
from .telling.output import (
    check_ending,
    check_folder,
    check_no_database,
    check_terminal_shows,
    said_by_name,
    to_standard_output,
)
from .telling.progress import watched
from .telling.terminal import printable


@click.command(name="convert", cls=Command)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("-o", "--output", default=STANDARD, help="A file, whose name says the format; or - for standard output.")
@click.option("-f", "--format", type=FormatChoice(NAMES[:]), help="By default by the file's name.")
@options_of(*OF_THE_FILE[1:])
@click.option("--trust", is_flag=True, help="Also a file that unpacks to very many times its size.")
@quiet
def convert_command(file: Path, output: str, trust: bool, quiet: bool, **options: Any) -> None:
    """Write FILE, an export, in another format: the same rows, and what the file says of itself.

    FILE is verified first; what is not complete and unchanged is not converted. - is the standard input."""
    output = STANDARD if is_standard_output(output) else output
    out = None if output == STANDARD else _checked(file, Path(output))
    if out is None and options["format"] is None:
        raise RequestError("Into which format? Give a file with -o, or say --format.")
    said = said_by_name(output, options) if out is not None else None
    request = Request(**{name: value for name, value in options.items() if value is not None})
    leave_nothing_behind()
    with as_file(file) as given:
        made = Conversion(given, request, trusted=trust, limits=CAREFUL)
        compress = request.compress
        if out is None:
            check_terminal_shows(made.form.compressed or compress is not None)
            to_standard_output(iter(made))
        else:
            if made.form.extension == "zip" and not output.lower().endswith(".zip"):
                form = request.format
                raise RequestError(
                    f"Several tables as {form} come as a zip: say -f {form}, and give a name that ends in .zip."
                )
            check_ending(out, said, made.form.name, compress)
            chunks = iter(made)
            size = write_whole(out, watched(made, chain([next(chunks, b"")], chunks), quiet), private=made.private)
            if not quiet:
                rows = f"{made.progress.rows:,} row{'' if made.progress.rows == 1 else 's'}"
                click.echo(f"{out}: {rows}, {size:,} bytes, {made.form.name}, complete.", err=True)
    if made.alone:
        click.echo("  Only the rows: this file cannot tell whether some are missing, or what was left out.", err=True)
    for line in coverage_sentences(made.coverage):
        click.echo(f"  {printable(line)}", err=True)


def _checked(file: Path, out: Path) -> Path:
    """Return the file to write. Raises RequestError if it must not be written to."""
    if out.is_dir():
        raise RequestError(f"{out} is a folder: name a file in it, whose ending says the format.")
    check_folder(out)
    if out.exists() and file.exists() and out.samefile(file):
        raise RequestError(f"{out} is the file itself; it is not written to.")
    check_no_database(out)
    return out

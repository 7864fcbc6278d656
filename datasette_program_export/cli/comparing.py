"""``program-export compare``: is everything of one file or database still in another?"""

from __future__ import annotations

from pathlib import Path

import click

from ..comparing.comparer import DETAILS, compare
from ..comparing.wording import as_text
from ..database.library import loading
from ..errors import ExportError, RequestError, in_words
from ..files.temporary.piped import as_file
from ..options.settings import Settings
from .command import Command, leave_nothing_behind
from .options import load_extension, settings_in
from .telling.terminal import printable

_FAILED = 2  # 1 says that the two differ


@click.command(name="compare", cls=Command)
@click.argument("before", type=click.Path(path_type=Path))
@click.argument("after", type=click.Path(path_type=Path))
@click.option(
    "--map",
    "names",
    multiple=True,
    metavar="OLD=NEW",
    help="What a table, or a column as TABLE.COLUMN, is called now; OLD= leaves it out; can be repeated.",
)
@click.option(
    "--details",
    type=click.IntRange(0),
    default=DETAILS,
    show_default=True,
    help="How many differences of each table to tell.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write all differences to this file: .json, .ndjson or .csv.",
)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.option(
    "--trust",
    "trusted",
    is_flag=True,
    help="Also a file that unpacks to very many times its size, or whose rows are large (cell_mb).",
)
@click.option(
    "-m",
    "--metadata",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The site's metadata.yml or datasette.yml.",
)
@load_extension
@click.pass_context
def compare_command(
    ctx: click.Context,
    before: Path,
    after: Path,
    names: tuple[str, ...],
    details: int,
    output: Path | None,
    as_json: bool,
    trusted: bool,
    metadata: Path | None,
    extensions: tuple[str, ...],
) -> None:
    """Compare BEFORE with AFTER: is everything still there?

    Each is a file of this program, or a database.

    Ends with 0 if both hold the same, 1 if anything is gone, changed or new, and 2 if they could not be compared."""
    leave_nothing_behind()
    settings = settings_in(metadata, after.stem) if metadata else Settings()
    try:
        with as_file(before, settings.spool_dir) as first, as_file(after, settings.spool_dir) as second:
            found = compare(
                first,
                second,
                map=_mapped(names),
                details=details,
                output=output,
                settings=settings,
                trusted=trusted,
                prepare=loading(extensions),
            )
    except (ExportError, OSError) as error:
        said = f"{error.filename}: {error.strerror}." if isinstance(error, OSError) and error.filename else str(error)
        click.echo(f"Error: {printable(in_words(said, 'command'))}", err=True)
        ctx.exit(_FAILED)
    if as_json:
        click.echo(found.model_dump_json(indent=2))
    else:
        click.echo("\n".join(map(printable, in_words(as_text(found), "command").split("\n"))))
    ctx.exit(0 if found.same else 1)


def _mapped(given: tuple[str, ...]) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for one in given:
        old, sign, new = one.rpartition("=")
        if not sign or not old:
            raise RequestError(f"--map needs OLD=NEW, such as clients.surname=last_name, not {one}.")
        if old in found:
            raise RequestError(f"--map names {old} twice: which is meant?")
        found[old] = new or None
    return found

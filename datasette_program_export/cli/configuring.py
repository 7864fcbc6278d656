"""``program-export setup`` and ``check``: settings for a database of one's own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from ..configuring.checking.checker import check_settings
from ..configuring.proposer import propose
from ..database.library import loading
from ..database.source import Source, belongs_to
from ..errors import RequestError
from ..files.atomic import write_whole
from ..files.input_file import is_database
from ..files.temporary.piped import STANDARD, is_standard_output
from .command import Command, leave_nothing_behind
from .options import load_extension
from .telling.proposal_text import check_as_text, proposal_as_text
from .telling.terminal import printable

_LOOKING = (
    "Some rows of each table are looked at, on this computer; nothing leaves it. --no-rows: names and types alone."
)


@click.command(name="setup", cls=Command)
@click.argument("database", type=click.Path(path_type=Path))
@click.option("-o", "--output", default=STANDARD, help="A new file, such as metadata.yml; or - for standard output.")
@click.option("--rows/--no-rows", default=True, help="Whether rows may be looked at, or only names and types.")
@click.option("--force", is_flag=True, help="Replace the file if it is there.")
@click.option("--json", "as_json", is_flag=True, help="For programs: all that was found, to standard output.")
@load_extension
def setup_command(
    database: Path, output: str, rows: bool, force: bool, as_json: bool, extensions: tuple[str, ...]
) -> None:
    """Propose settings for a database of one's own, and say why.

    They are about people, titles, references, secrets and caches.

    What was found goes to standard error, the lines for metadata.yml to the file, or to standard output."""
    out = None if is_standard_output(output) else _checked(database, Path(output), force)
    if out is not None and as_json:
        raise RequestError("--json goes to standard output; leave out -o.")
    leave_nothing_behind()
    if rows and not as_json:
        click.echo(_LOOKING, err=True)
    made = propose(_source(database, extensions), database=database.stem, rows=rows)
    if as_json:
        click.echo(made.model_dump_json(indent=2))
        return
    click.echo(proposal_as_text(made), err=True)
    if out is None:
        click.echo(made.yaml, nl=False)
        return
    write_whole(out, [made.yaml.encode()], private=False)
    again = f"program-export check -m {out} {database}"
    click.echo(f"\n{printable(str(out))} is written. Read it, change it, then check it: {printable(again)}", err=True)


@click.command(name="check", cls=Command)
@click.argument("databases", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "-m",
    "--metadata",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The site's metadata.yml or datasette.yml.",
)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@load_extension
@click.pass_context
def check_command(
    ctx: click.Context, databases: tuple[Path, ...], metadata: Path, as_json: bool, extensions: tuple[str, ...]
) -> None:
    """Check settings against databases, and what exports would hold.

    Nothing is written. Ends with 0 if nothing is wrong; warnings are no errors."""
    names = [path.stem for path in databases]
    if twice := [n for n in names if names.count(n) > 1]:
        raise RequestError(f"Two databases are called {twice[0]}, so settings could not tell them apart.")
    leave_nothing_behind()
    report = check_settings(metadata, {path.stem: _source(path, extensions) for path in databases})
    click.echo(report.model_dump_json(indent=2) if as_json else check_as_text(report))
    ctx.exit(1 if report.errors else 0)


def _source(database: Path, extensions: tuple[str, ...]) -> Source:
    return replace(Source.of(database), prepare=loading(extensions))


def _checked(database: Path, out: Path, force: bool) -> Path:
    """Return the file to write. Raises RequestError if it must not be written to."""
    if belongs_to(database, out):
        raise RequestError(f"{out} is the database itself; it is not written to.")
    if out.is_dir():
        raise RequestError(f"{out} is a folder: name a file, such as {out / 'metadata.yml'}.")
    if out.is_file() and out.stat().st_size and is_database(out):
        raise RequestError(f"{out} is a SQLite database; it is not replaced. Choose another name.")
    if out.exists() and not force:
        raise RequestError(f"{out} is there already. Choose another name; --force replaces it.")
    return out

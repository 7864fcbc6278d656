"""``datasette program-export …``: the same functions as the web pages call."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

import click

from . import demo as demo_module
from .catalog import catalog
from .errors import ExportError, NotFoundError, RequestError
from .exporter import Export
from .formats import NAMES, format_for_file, get_format
from .planner import plan
from .request import OPTIONS, Request, parse_row_path
from .settings import Settings, read_settings
from .sinks.files import write_whole
from .snapshot import Snapshot
from .source import Source
from .wording import as_text, told

Function = TypeVar("Function", bound=Callable[..., Any])
_OF_ROWS = ("limit", "offset")  # grammar that only goes with a table's rows


class _Command(click.Command):
    """Turns our errors into one line and an exit status: 1 failed, 2 wrong usage."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ExportError as error:
            click.echo(f"Error: {error}", err=True)
            ctx.exit(error.exit_code)


class _Group(click.Group):
    command_class = _Command


@click.group(name="program-export", cls=_Group)
def program_export() -> None:
    """Take data out of a SQLite database: a record with all that belongs to it, or a table.

    A file is written whole or not at all. A row is named as in Datasette's URLs: by its
    key, the parts of a compound key with a comma between them.
    """


def _with_options(rows_only: bool = False, output: bool = True) -> Callable[[Function], Function]:
    """The options that the commands share, made from the one grammar in ``request``."""

    def decorate(function: Function) -> Function:
        for option in reversed(OPTIONS):
            if option.field == "format" or (option.field in _OF_ROWS and not rows_only):
                continue
            if option.field == "cascade":
                wrap = click.option("--cascade/--no-cascade", default=None, help=option.help)
            elif option.choices:
                wrap = click.option(option.cli, type=click.Choice(option.choices), help=option.help)
            else:
                kind = click.IntRange(min=0) if option.number else str
                wrap = click.option(option.cli, multiple=option.many, type=kind, help=option.help)
            function = wrap(function)
        if output:
            function = click.option("-f", "--format", type=click.Choice(NAMES), help="By default by the file's name.")(
                function
            )
            help = "A file; a folder, where the file is named for you; or - for standard output."
            function = click.option("-o", "--output", default="-", help=help)(function)
        file = click.Path(exists=True, dir_okay=False, path_type=Path)
        function = click.option("-m", "--metadata", type=file, help="The site's metadata.yml or datasette.yml.")(
            function
        )
        return click.argument("database", type=click.Path(path_type=Path))(function)

    return decorate


@program_export.command()
@_with_options()
@click.argument("key", nargs=-1, required=True)
def client(database: Path, key: tuple[str, ...], **options: Any) -> None:
    """Export people: each with birth data, charts, readings, notes."""
    _export(database, _labelled(database, "client", options), key, options)


@program_export.command()
@_with_options()
@click.argument("key", nargs=-1, required=True)
def chart(database: Path, key: tuple[str, ...], **options: Any) -> None:
    """Export charts, each with its readings, patterns and transits."""
    _export(database, _labelled(database, "chart", options), key, options)


@program_export.command()
@_with_options()
@click.argument("table")
@click.argument("key", nargs=-1, required=True)
def record(database: Path, table: str, key: tuple[str, ...], **options: Any) -> None:
    """Export rows of any table, with everything that hangs off them."""
    _export(database, table, key, options)


def _rows_options(function: Function) -> Function:
    for wrap in (
        click.option("--column", "columns", multiple=True, help="Only this column; can be repeated."),
        click.option("--order", "sort", multiple=True, help='Sort by a column; "name desc" for the other way.'),
        click.option("--param", "params", multiple=True, type=(str, str), help="A value for a :name in --where."),
        click.option("--where", multiple=True, help="Only rows for which this SQL holds; can be repeated."),
    ):
        function = wrap(function)
    return function


@program_export.command()
@_with_options(rows_only=True)
@_rows_options
@click.argument("table")
def table(database: Path, table: str, **options: Any) -> None:
    """Export the rows of a table or view."""
    _export(database, table, (), options)


@program_export.command(name="plan")
@_with_options(rows_only=True, output=False)
@_rows_options
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.argument("table")
@click.argument("key", nargs=-1)
def plan_command(database: Path, table: str, key: tuple[str, ...], as_json: bool, **options: Any) -> None:
    """Tell what an export would hold, without its rows."""
    settings = _settings(database, options.pop("metadata"))
    made = plan(_source(database, settings), _request(table, key, options), settings=settings)
    click.echo(made.model_dump_json(indent=2) if as_json else as_text(made))


@program_export.command()
def formats() -> None:
    """List the formats."""
    for name in NAMES:
        form = get_format(name)
        click.echo(f"{name:<12} .{form.extension:<8} {form.help}")


@program_export.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--clients", default=50, type=click.IntRange(1), help="How many clients the practice has.")
def demo(folder: Path, clients: int) -> None:
    """Write a demo database, FOLDER/practice.db: an invented astrology practice."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        path = demo_module.write_demo(folder / "practice.db", clients)
    except FileExistsError as error:
        raise RequestError(f"{error}.") from None
    click.echo(f"{path}: {clients} clients. Look at it with: datasette {path}")


def _settings(database: Path, metadata: Path | None) -> Settings:
    return read_settings(metadata, database.stem) if metadata else Settings()


def _source(database: Path, settings: Settings) -> Source:
    return replace(Source.of(database), spool_dir=settings.spool_dir)


def _labelled(database: Path, label: str, options: dict[str, Any]) -> str:
    """The table whose rows carry this label in this database."""
    settings = _settings(database, options["metadata"])
    with closing(Snapshot(_source(database, settings))) as snapshot:
        labels = catalog(snapshot.schema, settings).labels()
    if label not in labels:
        known = f" It knows: {', '.join(labels)}." if labels else ""
        raise NotFoundError(f"{database.name} has nothing called {label}.{known} Use: record DATABASE TABLE KEY.")
    return labels[label]


def _request(table: str, keys: tuple[str, ...], options: dict[str, Any]) -> Request:
    """A Request out of command-line options; what was not given is at its default."""
    fields = {name: value for name, value in options.items() if value not in (None, ())}
    if "sort" in fields:
        fields["sort"] = tuple(
            (text[:-5], True) if text.lower().endswith(" desc") else (text, False) for text in fields["sort"]
        )
    if "params" in fields:
        fields["params"] = dict(fields["params"])
    return Request(table=table, records=tuple(parse_row_path(key) for key in keys), **fields)


def _export(database: Path, table: str, keys: tuple[str, ...], options: dict[str, Any]) -> None:
    settings = _settings(database, options.pop("metadata"))
    output: str = options.pop("output")
    folder = Path(output).is_dir()
    if options["format"] is None and output != "-" and not folder:
        options["format"] = format_for_file(output)
        if options["format"] is None and Path(output).suffix:
            raise RequestError(f"{Path(output).name} names no format by its ending; say --format.")
    export = Export(_source(database, settings), _request(table, keys, options), settings=settings)
    with export:
        chunks = iter(export)
        first = next(chunks)
        archived = export.filename.endswith(".zip")
        if archived and output != "-" and not folder and not output.lower().endswith(".zip"):
            raise RequestError(f"Several tables as {export.format.name} come as a zip: give a name that ends in .zip.")
        if output == "-":
            _to_standard_output(chain([first], chunks))
            return
        path = Path(output) / export.filename if folder else Path(output)
        size = write_whole(path, _watched(export, chain([first], chunks)))
    click.echo(f"{path}: {export.progress.rows:,} rows, {size:,} bytes, complete.", err=True)
    for line in told(export.coverage):
        click.echo(f"  {line}", err=True)


def _to_standard_output(chunks: Iterator[bytes]) -> None:
    for chunk in chunks:
        sys.stdout.buffer.write(chunk)
    sys.stdout.buffer.flush()


def _watched(export: Export, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The chunks, with a line on the terminal that tells how far they are."""
    shown = 0.0
    terminal = sys.stderr.isatty()
    for chunk in chunks:
        yield chunk
        if terminal and time.monotonic() - shown > 0.2:
            shown = time.monotonic()
            click.echo(f"\r\x1b[K{export.progress.rows:,} rows, now {export.progress.table}", nl=False, err=True)
    if terminal:
        click.echo("\r\x1b[K", nl=False, err=True)

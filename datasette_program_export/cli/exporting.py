"""``program-export client`` to ``plan``: the commands that export and plan, with the same functions as the pages."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..database.library import loading
from ..database.snapshot import Snapshot
from ..database.source import Source
from ..errors import NotFoundError, RequestError
from ..exporting.exporter import Export
from ..files.atomic import write_whole
from ..files.temporary.piped import STANDARD, is_standard_output
from ..formats.description.coverage_text import coverage_sentences
from ..formats.description.file_text import files_in_all
from ..formats.registry import NAMES, get_format
from ..options.grammar import parse_order, parse_row_path, with_profile
from ..options.profiles import with_everybodys
from ..options.request import PACKAGE, Request
from ..options.settings import Settings
from ..selection.annotated_schema import annotate
from .arguments.completion import complete_table
from .arguments.folders import with_folders
from .command import Command, leave_nothing_behind
from .options import FormatChoice, order_and_columns, params, settings_in, where, with_options
from .telling.output import check_ending, check_terminal_shows, is_folder, said_by_name, to_standard_output
from .telling.progress import watched
from .telling.terminal import printable

if TYPE_CHECKING:
    from ..importing.proof.prove import Proof


@click.command(name="client", cls=Command)
@with_options("record")
@click.argument("key", nargs=-1, required=True)
def client(database: Path, key: tuple[str, ...], **options: Any) -> None:
    """Export people: each with birth data, charts, readings, notes. KEY is a key, or a part of a name."""
    _export(database, _labelled(database, "client", options), key, options)


@click.command(name="chart", cls=Command)
@with_options("record")
@click.argument("key", nargs=-1, required=True)
def chart(database: Path, key: tuple[str, ...], **options: Any) -> None:
    """Export charts, each with its readings, patterns and transits. KEY is a key, or a part of a name."""
    _export(database, _labelled(database, "chart", options), key, options)


@click.command(name="record", cls=Command)
@with_options("record")
@order_and_columns
@click.argument("table", shell_complete=complete_table)
@click.argument("key", nargs=-1, required=True)
def record(database: Path, table: str, key: tuple[str, ...], **options: Any) -> None:
    """Export rows of any table, with everything that hangs off them. KEY is a key, or a part of a name."""
    _export(database, table, key, options)


@click.command(name="table", cls=Command)
@with_options("table")
@where
@order_and_columns
@click.argument("table", shell_complete=complete_table)
def table(database: Path, table: str, **options: Any) -> None:
    """Export the rows of a table or view."""
    _export(database, table, (), options)


@click.command(name="query", cls=Command)
@with_options("query")
@params
@click.argument("sql")
def query(database: Path, sql: str, **options: Any) -> None:
    """Export every row of an SQL query. It can only read."""
    _export(database, None, (), {**options, "sql": sql})


@click.command(name="database", cls=Command)
@with_options("database")
def database_command(database: Path, **options: Any) -> None:
    """Export the whole database: all tables, at one moment."""
    _export(database, None, (), options)


@click.command(name="plan", cls=Command)
@with_options("record", "table", "query", "database", output=False)
@where
@order_and_columns
@click.option("--sql", help="Plan a query instead of a table.")
@click.option("-f", "--format", type=FormatChoice(NAMES[:]), help="Tell also what this format cannot hold.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.argument("table", required=False, shell_complete=complete_table)
@click.argument("key", nargs=-1)
def plan_command(database: Path, table: str | None, key: tuple[str, ...], as_json: bool, **options: Any) -> None:
    """Tell what an export would hold, without its rows: of a table, a record, a query, or the database."""
    from ..planning.planner import plan  # imported late: only this command plans
    from ..planning.warnings import cautions
    from .telling.plan_text import as_text

    settings = _settings(database, options.pop("metadata"))
    source = _source(database, settings, options.pop("extensions"))
    settings = with_folders(settings, options.pop("files"), source)
    if table is not None and key:
        key = _keys(source, table, key, options["without"], settings)
    request = _request(table, key, options, settings)
    made = plan(source, request, settings=settings)
    click.echo(made.model_dump_json(indent=2) if as_json else as_text(made, cautions(made, request)))


def _settings(database: Path, metadata: Path | None) -> Settings:
    return with_everybodys(settings_in(metadata, database.stem), database.stem) if metadata else Settings()


def _source(database: Path, settings: Settings, extensions: tuple[str, ...]) -> Source:
    return replace(Source.of(database), spool_dir=settings.spool_dir, prepare=loading(extensions))


def _keys(
    source: Source, table: str, names: tuple[str, ...], without: tuple[str, ...], settings: Settings
) -> tuple[str, ...]:
    from .arguments.row_names import keys_of  # imported late: only records have keys

    return keys_of(source, table, names, settings, without)


def _labelled(database: Path, label: str, options: dict[str, Any]) -> str:
    """Return the table that has this label in the database. Raises NotFoundError if there is none."""
    settings = _settings(database, options["metadata"])
    with closing(Snapshot(_source(database, settings, options["extensions"]))) as snapshot:
        known = annotate(snapshot.schema, settings)
        labels = known.labels()
        if (people := known.client_table()) is not None:
            labels = {"client": people.name, **labels}
    if label not in labels:
        words = f" It knows: {', '.join(labels)}." if labels else ""
        raise NotFoundError(f"{database.name} has nothing called {label}.{words} Use: record DATABASE TABLE KEY.")
    return labels[label]


def _request(table: str | None, keys: tuple[str, ...], options: dict[str, Any], settings: Settings) -> Request:
    """Make a Request from command-line options; options that were not given keep their defaults."""
    fields = {name: value for name, value in options.items() if value not in (None, ())}
    if "sort" in fields:
        fields["sort"] = tuple(map(parse_order, fields["sort"]))
    if "params" in fields:
        fields["params"] = dict(fields["params"])
    fields = with_profile(fields, settings.profiles)
    return Request(table=table, records=tuple(parse_row_path(key) for key in keys), **fields)


def _export(database: Path, table: str | None, keys: tuple[str, ...], options: dict[str, Any]) -> None:
    settings = _settings(database, options.pop("metadata"))
    output: str = options.pop("output")
    output = STANDARD if is_standard_output(output) else output
    proving: bool = options.pop("prove")
    quiet: bool = options.pop("quiet")
    if proving and output == STANDARD:
        raise RequestError("--prove needs a file: say -o.")
    folder = is_folder(database, output)
    said = said_by_name(output, options) if output != STANDARD and not folder else None
    if proving and options["format"] is not None and options["layout"] is None:
        options["layout"] = get_format(options["format"]).proving_layout  # a layout with rows only cannot be proven
    source = _source(database, settings, options.pop("extensions"))
    settings = with_folders(settings, options.pop("files"), source)
    if table is not None and keys:
        keys = _keys(source, table, keys, options["without"], settings)
    request = _request(table, keys, options, settings)
    export = Export(source, request, settings=settings)
    leave_nothing_behind()
    with export:
        chunks = iter(export)
        first = next(chunks, b"")  # a table without rows has no line of ndjson
        archived = export.filename.endswith(".zip")
        if output == STANDARD:
            check_terminal_shows(archived or export.request.compress is not None)
        if archived and output != STANDARD and not folder and not output.lower().endswith(".zip"):
            form = export.format.name
            raise RequestError(
                f"Several tables, or none, as {form} come as a zip: say -f {form}, and give a name that ends in .zip."
            )
        check_ending(Path(output), said, PACKAGE if archived else export.format.name, export.request.compress)
        if output == STANDARD:
            to_standard_output(chain([first], chunks))
            _tell_coverage(export)
            return
        if proving:
            from ..importing.proof.proven_file import check_can_be_proven, write_proven  # only this option imports

            check_can_be_proven(get_format(PACKAGE) if archived else export.format, export.request)
        path = Path(output) / export.filename if folder else Path(output)
        given = watched(export, chain([first], chunks), quiet)
        proof = write_proven(path, given, settings, export.request) if proving else None
        size = path.stat().st_size if proving else write_whole(path, given, private=request.secrets == "include")
    rows = f"{export.progress.rows:,} row{'' if export.progress.rows == 1 else 's'}"
    files = f" ({told})" if (told := files_in_all(export.coverage.files)) else ""
    if not quiet:
        click.echo(f"{path}: {rows}{files}, {size:,} bytes, complete.", err=True)
    _tell_coverage(export)
    if proof is not None:
        _tell_proof(path, proof)


def _tell_proof(path: Path, proof: Proof) -> None:
    """Say whether the file is proven, and what of it is not. Exits with 1 if not all of it is."""
    if proof.proven:
        click.echo(f"{path}: proven by an import into a new database, in {proof.seconds:.1f} s.", err=True)
        return
    click.echo(f"{path}: complete and kept, but NOT PROVEN: not all of it comes back in a new database here.", err=True)
    for problem in proof.problems:
        click.echo(f"  {printable(problem)}", err=True)
    raise SystemExit(1)


def _tell_coverage(export: Export) -> None:
    """Say on standard error what was left out, as every other door does."""
    for line in coverage_sentences(export.coverage, export.labels):
        click.echo(f"  {printable(line)}", err=True)

"""``program-export import``, ``prove`` and ``restore``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from ..database.library import loading
from ..errors import RefusedError, RequestError, in_words
from ..files.temporary.piped import as_file, is_name
from ..importing.choices import COLUMN_KINDS, DATES, DECIMALS, KINDS, NOT_A_NUMBER, POLICIES
from ..importing.importer import load
from ..importing.proof.prove import Proof, prove
from ..importing.report import ImportReport, NewKeys
from ..importing.safety_copy import restore
from ..options.settings import Settings
from .arguments.folders import folders_for_import
from .command import Command, leave_nothing_behind
from .options import load_extension, settings_in
from .telling.files_line import files_line
from .telling.import_progress import import_shown

_RANGES = 5  # of new keys that are listed
SET_ASIDE = 3  # the exit status where bad rows were set aside
_COUNTS = ("insert", "update", "unchanged", "skip", "conflict")
_METADATA = click.option(
    "-m",
    "--metadata",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The site's metadata.yml or datasette.yml.",
)
_JSON = click.option("--json", "as_json", is_flag=True, help="For programs.")
_TRUST = click.option(
    "--trust",
    "trusted",
    is_flag=True,
    help="Also a file that unpacks to very many times its size, or whose rows are large (cell_mb).",
)


@click.command(name="import", cls=Command)
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("database", type=click.Path(path_type=Path))
@click.option("--preview", is_flag=True, help="Tell what would happen; nothing is changed.")
@click.option(
    "--on-conflict", type=click.Choice(POLICIES), default="fail", help="Rows that are there with other values."
)
@click.option("--on-conflict-for", multiple=True, metavar="TABLE=POLICY", help="For one table; can be repeated.")
@click.option("--allow-dangling", is_flag=True, help="References that lead nowhere, where the file says so itself.")
@click.option("--without", multiple=True, metavar="TABLE", help="Leave a table of the file out; can be repeated.")
@click.option("--table", help="For a file that names no table, where its name and columns do not tell: which it is.")
@click.option("--create", is_flag=True, help="Make a table that is not there, as the rows of a plain file need it.")
@click.option("--alter", is_flag=True, help="Make the columns that a table lacks.")
@click.option(
    "--type", "types", multiple=True, metavar="COLUMN=TYPE", help=f"Of a new column: {', '.join(COLUMN_KINDS)}."
)
@click.option("--pk", multiple=True, metavar="COLUMN", help="The key of a new table; can be repeated.")
@click.option(
    "--map",
    multiple=True,
    metavar="FROM=TO",
    help="What a column of the file is called in the table; FROM= leaves it away; can be repeated.",
)
@click.option(
    "--skip-bad",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Set bad rows aside in this new file, each with its reasons, and import the others; exit status 3.",
)
@click.option("--delimiter", help="Of a plain CSV file; else it is found out.")
@click.option("--encoding", help="Of a CSV or JSON file; else it is found out.")
@click.option("--header/--no-header", default=None, help="Whether a plain CSV file begins with its columns' names.")
@click.option("--skip-lines", type=click.IntRange(0), default=0, help="How many lines stand above a CSV's header.")
@click.option("--sheet", help="Of a workbook: the sheet with the rows, where it has several.")
@click.option("--decimal", type=click.Choice(DECIMALS), help="Of numbers in CSV: comma reads 1.234,56.")
@click.option("--dates", type=click.Choice(DATES), help="How 1/2/2024 in CSV is read; text: as it is.")
@click.option(
    "--cells",
    multiple=True,
    metavar="COLUMN=KIND",
    help=f"What the cells of a CSV column are: {', '.join(KINDS)}; * is every column; can be repeated.",
)
@click.option("--nan", type=click.Choice(NOT_A_NUMBER), help="What a bare NaN or Infinity in JSON becomes.")
@click.option("--rows-at", metavar="KEYS", help="Where the rows are in JSON, such as result.items.")
@click.option(
    "--backup",
    type=click.Path(path_type=Path),
    help="Where the safety copy goes; else into the folder safety-copies beside the database.",
)
@click.option("--no-backup", is_flag=True, help="Make no safety copy.")
@click.option("--expect", metavar="DIGEST", help="What a preview told: refuse to do anything else.")
@click.option("--triggers", is_flag=True, help="Let the database's triggers fire for the rows.")
@click.option("--allow-stale-indexes", is_flag=True, help="Where a search index cannot be brought up to date here.")
@click.option(
    "--keys",
    type=click.Choice(["kept", "new"]),
    help="new: renumber the rows, and every reference to them.",
)
@click.option("--renumber", is_flag=True, help="The same as --keys new.")
@click.option(
    "--match", multiple=True, metavar="TABLE.COLUMN", help="Tell rows by a unique column, not by the primary key."
)
@click.option(
    "--files",
    multiple=True,
    metavar="[TABLE.COLUMN=]FOLDER",
    help="Put the files that the rows of a file name into this folder, none over another; can be repeated.",
)
@click.option("-q", "--quiet", is_flag=True, help="Show no progress.")
@load_extension
@_JSON
@_TRUST
@_METADATA
def import_command(
    file: Path,
    database: Path,
    as_json: bool,
    quiet: bool,
    metadata: Path | None,
    backup: Path | None,
    no_backup: bool,
    on_conflict_for: tuple[str, ...],
    cells: tuple[str, ...],
    types: tuple[str, ...],
    extensions: tuple[str, ...],
    files: tuple[str, ...],
    map: tuple[str, ...],
    **choices: Any,
) -> None:
    """Import FILE into DATABASE: all of it, or nothing. A database that is not there is made.

    FILE is - for the standard input. The database is copied before; the command to have it back is told."""
    if backup is not None and no_backup:
        raise RequestError("--backup and --no-backup contradict each other.")
    if choices.pop("renumber"):
        if choices["keys"] == "kept":
            raise RequestError("--renumber and --keys kept contradict each other.")
        choices["keys"] = "new"
    choices["keys"] = choices["keys"] or "kept"
    choices["on_conflict_for"] = _pairs(on_conflict_for, "--on-conflict-for", "charts=skip", POLICIES)
    choices["cells"] = _pairs(cells, "--cells", "price=number", KINDS)
    choices["types"] = _pairs([_upper(one) for one in types], "--type", "zip=TEXT", COLUMN_KINDS)
    choices["map"] = {name: to or None for name, to in _pairs(map, "--map", "Surname=last_name").items()}
    choices["backup"] = False if no_backup else (backup or True)
    choices["files"] = folders_for_import(files)
    settings = settings_in(metadata, database.stem) if metadata else Settings()
    prepare = loading(extensions)
    leave_nothing_behind()
    try:
        with as_file(file, settings.spool_dir) as given, import_shown(quiet) as watch:
            named = None if is_name(file) else ""  # what has none is not called as a table
            report = load(database, given, settings=settings, prepare=prepare, file_name=named, watch=watch, **choices)
    except RefusedError as error:
        report = error.report
    report = report.in_words("command")
    click.echo(report.model_dump_json(indent=2) if as_json else as_text(report), err=not (as_json or report.ok))
    raise SystemExit((SET_ASIDE if report.set_aside else 0) if report.ok else 1)


def _pairs(given: Sequence[str], option: str, example: str, words: Sequence[str] = ()) -> dict[str, str]:
    """Return the values of an option by name; where there are ``words``, each is one of them. Raises RequestError."""
    found: dict[str, str] = {}
    for one in given:
        name, value = _pair(one, option, example)
        if words and value not in words:
            raise RequestError(f"{option} {name}={value}: {value} is none of {', '.join(words)}.")
        if name in found:
            raise RequestError(f"{option} names {name} twice, with {found[name]} and {value}: which is meant?")
        found[name] = value
    return found


def _upper(pair: str) -> str:
    name, sign, value = pair.rpartition("=")
    return f"{name}{sign}{value.upper()}" if sign else pair


def _pair(text: str, option: str, example: str) -> tuple[str, str]:
    name, sign, value = text.rpartition("=")
    if not sign or not name:
        raise RequestError(f"{option} needs NAME=VALUE, such as {example}, not {text}.")
    return name, value


def as_text(report: ImportReport) -> str:
    """Return an import report as text for people."""
    verdict = {
        "imported": "imported",
        "preview": "this is what would happen; nothing was changed",
        "refused": "REFUSED; nothing was changed",
    }[report.status]
    lines = [f"{report.file} into {report.target}: {verdict}."]
    if report.layout:
        lines.append(f"  Read as {report.layout}.")
    width = max(map(len, report.tables), default=0)
    for name, table in report.tables.items():
        if table.new_columns:
            what = "a new table" if table.created else "new columns"
            columns = ", ".join(f"{column} {kind}" for column, kind in table.new_columns.items())
            lines.append(f"  {name} ({what}): {columns}")
        counts = [f"{getattr(table, c):,} {c}" for c in _COUNTS if getattr(table, c)]
        counts += [f"{table.left_out:,} bad, set aside"] if table.left_out else []
        lines.append(f"  {table.rows:>9,}  {name:<{width}}  {', '.join(counts) or 'no rows'}")
        for one in table.samples:
            key = ", ".join(f"{c} {v}" for c, v in one.key.items())
            lines.append(f"      {key}:")
            lines += [
                f"        {d.column}: here {_cell(d.target)}, in the file {_cell(d.file)}" for d in one.differences
            ]
        if table.keys:
            lines.append(f"      new keys: {_ranges(table.keys)}")
        if table.ignored:
            lines.append(f"      computed, not columns, ignored: {', '.join(table.ignored)}")
        if table.defaults and table.insert:
            given = ", ".join(f"{column} {value}" for column, value in table.defaults.items())
            lines.append(f"      not in the file, as the application sets it in new rows: {given}")
    if report.files is not None:
        lines.append(files_line(report.files))
    lines += [f"  {finding.message}" for finding in report.findings]
    lines += [f"  Set aside: {finding.message}" for finding in report.left_out]
    if report.set_aside:
        into = f", in {report.bad_rows_file}" if report.bad_rows_file else ""
        lines.append(f"  {report.set_aside:,} bad row{'' if report.set_aside == 1 else 's'} set aside{into}.")
    lines += [f"  Note: {note.message}" for note in report.notes]
    for d in report.dangling:
        lines.append(
            f"  {d.rows:,} of {d.table}.{', '.join(d.columns)} lead to no row of {d.other_table}, as announced."
        )
    if report.status == "preview" and report.foreseen:
        lines.append(f"  To import just this: the same command, with --expect {report.foreseen} in place of --preview.")
    if report.safety_copy:
        lines.append(f"  The database as it was before: {report.safety_copy}")
        lines.append(f"  To have it back: {report.restore}")
    return "\n".join(lines)


def _ranges(keys: list[NewKeys]) -> str:
    found = []
    for one in keys[:_RANGES]:
        ends = [f"{k} to {k + one.rows - 1}" if one.rows > 1 else _cell(k) for k in (one.file, one.target)]
        found.append(f"{ends[0]} became {ends[1]}")
    more = len(keys) - len(found)
    return ", ".join(found) + (f", and {more:,} more (--json tells all)" if more else "")


def _cell(value: Any) -> str:
    if value is None:
        return "nothing"
    text = str(value)
    return text if len(text) <= 60 else text[:60] + "…"


@click.command(name="prove", cls=Command)
@click.argument("file", type=click.Path(path_type=Path))
@_JSON
@_TRUST
@_METADATA
@load_extension
def prove_command(file: Path, as_json: bool, trusted: bool, metadata: Path | None, extensions: tuple[str, ...]) -> None:
    """Import FILE into a new database, compare that with what the file says, and remove it again."""
    settings = settings_in(metadata, file.stem) if metadata else Settings()
    leave_nothing_behind()
    with as_file(file, settings.spool_dir) as given:
        proof = prove(given, settings=settings, trusted=trusted, prepare=loading(extensions))
    proof = proof.model_copy(update={"problems": [in_words(problem, "command") for problem in proof.problems]})
    click.echo(proof.model_dump_json(indent=2, exclude={"report"}) if as_json else proof_as_text(proof))
    raise SystemExit(0 if proof.proven else 1)


def proof_as_text(proof: Proof) -> str:
    """Return a proof as text for people."""
    lines = [f"{proof.file}: {'proven' if proof.proven else 'NOT PROVEN'}."]
    lines += [f"  {problem}" for problem in proof.problems]
    width = max(map(len, proof.tables), default=0)
    for name, table in proof.tables.items():
        lines.append(f"  {table.rows:>9,}  {name:<{width}}  {table.sha256[:16]}  {'same' if table.same else 'OTHER'}")
    if proof.proven:
        leads = (
            f"{proof.dangling:,} references lead nowhere, just as announced"
            if proof.dangling
            else "All references hold"
        )
        lines.append(f"  Tables, indexes, views and triggers are made as in the file. {leads}.")
    lines.append(f"  It cost {proof.seconds:.1f} seconds and {proof.bytes:,} bytes for the new database.")
    return "\n".join(lines)


@click.command(name="restore", cls=Command)
@click.argument("copy", type=click.Path(path_type=Path))
@click.argument("database", type=click.Path(path_type=Path))
def restore_command(copy: Path, database: Path) -> None:
    """Make DATABASE what COPY holds, a safety copy of an import; also while it is served."""
    restore(copy, database)
    click.echo(f"{database} is as it was when {copy.name} was made.")

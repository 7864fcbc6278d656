"""``program-export verify``: check that a file is complete, and show what it contains."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from ..database.library import loading
from ..database.source import Source
from ..errors import RequestError
from ..files.reading_limits import CAREFUL, TRUSTING
from ..files.temporary.piped import as_file
from ..options.settings import Settings
from ..verifying.comparison import compare
from ..verifying.report import Report
from ..verifying.verifier import verify
from .command import Command, leave_nothing_behind
from .options import load_extension, settings_in
from .telling.progress import ticking
from .telling.terminal import printable

_WIDEST = 60
_VERDICTS = {
    "complete": "complete and unchanged",
    "cut": "CUT: its end is missing",
    "damaged": "DAMAGED",
    "changed": "CHANGED after it was written",
    "unknown": "cannot tell",
}


@click.command(name="verify", cls=Command)
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--against", "database", type=click.Path(path_type=Path), help="Whether this database still holds the same."
)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.option(
    "--trust",
    is_flag=True,
    help="Also a file that unpacks to very many times its size, or whose rows are large (cell_mb).",
)
@click.option(
    "-m", "--metadata", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="With --against: the site's."
)
@click.option("-q", "--quiet", is_flag=True, help="Show no progress.")
@load_extension
@click.pass_context
def verify_command(
    ctx: click.Context,
    file: Path,
    database: Path | None,
    as_json: bool,
    trust: bool,
    metadata: Path | None,
    quiet: bool,
    extensions: tuple[str, ...],
) -> None:
    """Check a file: is it complete, was it changed, what does it hold, what does it say was left out.

    Nothing but the file is needed. Ends with 0 only for a file that is complete and unchanged (and, with
    --against, still what the database holds)."""
    if metadata is not None and database is None:
        raise RequestError("--metadata goes with --against.")
    if extensions and database is None:
        raise RequestError("--load-extension goes with --against.")
    prepare = loading(extensions)
    leave_nothing_behind()
    settings = settings_in(metadata, database.stem) if metadata and database else Settings()
    with as_file(file, settings.spool_dir) as given, ticking("verifying", quiet) as tick:
        limits = TRUSTING if trust else CAREFUL
        report = verify(given, limits=replace(limits, go_on=tick) if tick else limits).in_words("command")
    if database is not None and report.complete:
        compare(report, replace(Source.of(database), prepare=prepare), settings)
    click.echo(report.model_dump_json(indent=2) if as_json else as_text(report))
    ctx.exit(0 if report.complete else 1)


def as_text(report: Report) -> str:
    """Return a verification report as text for people."""
    lines = [f"{report.file}: {_VERDICTS[report.status]}"]
    lines += [f"  {problem}" for problem in report.problems]
    if report.export:
        about = report.export
        lines.append(
            f"  {report.format}, {report.bytes:,} bytes, from {about.get('source')}, {about.get('created_at')}, "
            f"by {about.get('generator')}"
        )
    width = min(max(map(len, report.tables), default=0), _WIDEST)
    for name, table in report.tables.items():
        mark = "ok" if table.same else "NOT as announced"
        lines.append(f"  {table.rows:>9,}  {name:<{width}}  {table.sha256[:16]}  {mark}")
    if report.tables:
        lines.append(f"  {report.rows:,} row{'' if report.rows == 1 else 's'} in all.")
    if report.files is not None:
        found = report.files
        lines.append(f"  {found.inside:,} of {found.named:,} files that rows name, {found.bytes:,} bytes.")
    if report.references_checked and not report.dangling:
        lines.append("  All references lead to rows in the file.")
    for d in report.dangling:
        told = ", as the file says" if d.rows == d.announced else f"; the file says {d.announced:,}"
        lines.append(
            f"  {d.rows:,} of {d.table}.{', '.join(d.columns)} lead to {d.other_table} outside the file{told}."
        )
    if report.left_out:
        lines += ["  The file says of itself:", *(f"    {sentence}" for sentence in report.left_out)]
    if report.differences is not None:
        lines += [f"  {d}" for d in report.differences or ["The database still holds exactly these rows."]]
    return "\n".join(map(printable, lines))

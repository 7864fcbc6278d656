"""``program-export …``, by itself or within ``datasette`` or ``sqlite-utils``: the group and the names of its commands.

It imports nothing heavy, and no Datasette: a command is imported when it runs.
"""

from __future__ import annotations

import gc
from importlib.util import find_spec

import click

from ..version import __version__
from .command import Later, LazyGroup

COMMANDS = {
    "chart": Later("exporting:chart", "Export charts, each with its readings, patterns and transits."),
    "check": Later("configuring:check_command", "Check settings against databases, and what exports would hold."),
    "client": Later("exporting:client", "Export people: each with birth data, charts, readings, notes."),
    "compare": Later("comparing:compare_command", "Compare BEFORE with AFTER: is everything still there?"),
    "convert": Later(
        "converting:convert_command",
        "Write FILE, an export, in another format: the same rows, and what the file says of itself.",
    ),
    "database": Later("exporting:database_command", "Export the whole database: all tables, at one moment."),
    "demo": Later("demo:demo", "Write a demo database, FOLDER/practice.db: an invented astrology practice."),
    "formats": Later("demo:formats", "List the formats."),
    "import": Later("importing:import_command", "Import FILE into DATABASE: all of it, or nothing."),
    "plan": Later(
        "exporting:plan_command",
        "Tell what an export would hold, without its rows: of a table, a record, a query, or the database.",
    ),
    "prove": Later(
        "importing:prove_command",
        "Import FILE into a new database, compare that with what the file says, and remove it again.",
    ),
    "query": Later("exporting:query", "Export every row of an SQL query."),
    "record": Later("exporting:record", "Export rows of any table, with everything that hangs off them."),
    "restore": Later(
        "importing:restore_command",
        "Make DATABASE what COPY holds, a safety copy of an import; also while it is served.",
    ),
    "setup": Later("configuring:setup_command", "Propose settings for a database of one's own, and say why."),
    "table": Later("exporting:table", "Export the rows of a table or view."),
    "verify": Later(
        "verifying:verify_command",
        "Check a file: is it complete, was it changed, what does it hold, what does it say was left out.",
    ),
}


_VERSION_HELP = "Show the version, and what writes the rows, and exit."


def _tell_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        written_in = "Python"
        if find_spec("datasette_program_export_native") is not None:
            from ..database.fetching.read_in_c import is_readable
            from ..database.fetching.rows_in_c import is_loadable

            if not is_loadable():
                written_in = "Python: this one cannot load datasette-program-export-native"
            elif is_readable():
                written_in = "C"
            else:
                written_in = "C; files are read in Python: build datasette-program-export-native again"
        click.echo(f"datasette-program-export, version {__version__} (rows in {written_in})")
        ctx.exit()


# sqlite-utils hands its own names of --help down: here they are the same at every door
@click.group(
    name="program-export",
    cls=LazyGroup,
    commands_later=COMMANDS,
    context_settings={"help_option_names": ["--help"]},
)
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_tell_version, help=_VERSION_HELP)
@click.pass_context
def program_export(context: click.Context) -> None:
    """Take data out of a SQLite database: a record with all that belongs to it, or a table.

    A file is written whole or not at all. A row is named as in Datasette's URLs: by its
    key, the parts of a compound key with a comma between them.
    """
    before = gc.get_threshold()
    context.call_on_close(lambda: gc.set_threshold(*before))
    gc.set_threshold(_ROWS, *before[1:])


_ROWS = 50_000  # rows are no garbage: looking for it each 700 of them takes a fifth of the time

"""Click options made from the grammar of a request."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ..database.library import keep_temporary_files_in
from ..errors import PluginError, RequestError
from ..formats.registry import NAMES, choices, get_format
from ..options.grammar import OPTIONS, Option
from ..options.settings import Settings
from ..options.settings_file import read_settings
from .arguments.folders import folders
from .telling.terminal import printable

Function = TypeVar("Function", bound=Callable[..., Any])


if TYPE_CHECKING:
    _Choice = click.Choice[str]
else:  # older click has no generic one
    _Choice = click.Choice


class FormatChoice(_Choice):
    """The name of a format; where it may be that of a plugin that failed, the error names the plugin."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the name. Raises click's usage error, or ClickException (exit code 1) for a plugin that failed."""
        if value not in self.choices:
            try:
                get_format(str(value))
            except PluginError as error:
                raise click.ClickException(printable(str(error))) from None
            except RequestError:
                pass  # click lists the names
        return super().convert(value, param, ctx)


def _added(option: Option, function: Function) -> Function:
    if option.field == "cascade":
        wrap = click.option("--cascade/--no-cascade", default=None, help=option.help)
    elif known := choices().get(option.field, option.choices):
        wrap = click.option(option.cli, type=click.Choice(known), help=option.help)
    else:
        kind = click.IntRange(min=0, max=2**63 - 1) if option.number else str
        wrap = click.option(option.cli, option.field, multiple=option.many, type=kind, help=option.help)
    function = wrap(function)
    if option.field == "layout":
        help = "Of sql: only the rows, for tables that are there. The same as --layout data-only."
        function = click.option("--data-only", "layout", flag_value="data-only", help=help)(function)
    return function


def options_of(*fields: str) -> Callable[[Function], Function]:
    """Add the options of these fields of a request."""

    def decorate(function: Function) -> Function:
        for option in reversed(OPTIONS):
            if option.field in fields:
                function = _added(option, function)
        return function

    return decorate


def with_options(*scopes: str, output: bool = True) -> Callable[[Function], Function]:
    """Add the options of these scopes, made from ``OPTIONS`` in ``options/grammar.py``, and DATABASE.

    ``output`` also adds ``--output``, ``--format`` and ``--prove``.
    """

    def decorate(function: Function) -> Function:
        for option in reversed(OPTIONS):
            if option.field in ("format", "records") or not set(scopes) & set(option.scopes):
                continue
            function = _added(option, function)
        if output:
            form = click.option("-f", "--format", type=FormatChoice(NAMES[:]), help="By default by the file's name.")
            help = "A file; a folder, where the file is named for you; or - for standard output."
            prove = "Import the file into a new database, compare, and write into it that it was proven."
            proving = click.option("--prove", is_flag=True, help=prove)
            function = click.option("-o", "--output", default="-", help=help)(form(proving(quiet(function))))
        function = folders(function)
        file = click.Path(exists=True, dir_okay=False, path_type=Path)
        function = click.option("-m", "--metadata", type=file, help="The site's metadata.yml or datasette.yml.")(
            function
        )
        return click.argument("database", type=click.Path(path_type=Path))(load_extension(function))

    return decorate


def quiet(function: Function) -> Function:
    """Add ``--quiet``."""
    help = "Show no progress and no summary. What was left out or changed is told all the same."
    return click.option("-q", "--quiet", is_flag=True, help=help)(function)


def load_extension(function: Function) -> Function:
    """Add ``--load-extension``, called and written as in sqlite-utils and Datasette."""
    help = "A SQLite extension that the database needs, with :entrypoint if it has one; can be repeated."
    return click.option("--load-extension", "extensions", multiple=True, metavar="PATH", help=help)(function)


def order_and_columns(function: Function) -> Function:
    """Add ``--column`` and ``--order``."""
    for wrap in (
        click.option("--column", "columns", multiple=True, help="Only this column; can be repeated."),
        click.option("--order", "sort", multiple=True, help='Sort by a column; "name desc" for the other way.'),
    ):
        function = wrap(function)
    return function


def where(function: Function) -> Function:
    """Add ``--where`` and ``--param``."""
    where = click.option("--where", multiple=True, help="Only rows for which this SQL holds; can be repeated.")
    return where(params(function))


def params(function: Function) -> Function:
    """Add ``--param``."""
    return click.option(
        "--param",
        "params",
        multiple=True,
        type=(str, str),
        help="A value for a :name in the SQL; it is text, so compare CAST(:name AS INTEGER).",
    )(function)


def settings_in(metadata: Path, database: str) -> Settings:
    """Return the settings for a database in a metadata file. SQLite keeps its temporary files in ``spool_dir`` then."""
    found = read_settings(metadata, database)
    if found.spool_dir is not None:
        keep_temporary_files_in(found.spool_dir)
    return found

"""``--files`` at the command line: the folder in which the files lie that a column names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

import click

from ...database.snapshot import Snapshot
from ...database.source import Source
from ...errors import RequestError, SettingsError
from ...exporting.file_columns import check_file_columns
from ...options.settings import Settings

Function = TypeVar("Function", bound=Callable[..., Any])


def folders(function: Function) -> Function:
    """Add ``--files`` of an export."""
    help = (
        "The folder of the files whose paths a column holds: a package or a dossier then holds them; can be repeated."
    )
    return click.option("--files", multiple=True, metavar="TABLE.COLUMN=FOLDER", help=help)(function)


def with_folders(settings: Settings, given: Sequence[str], source: Source) -> Settings:
    """Return the settings with the folders that were given. Raises RequestError for a wrong column or folder."""
    if not given:
        return settings
    asked = folders_by_column(given)
    with closing(Snapshot(source)) as snapshot:
        try:
            check_file_columns(snapshot.schema, asked)
        except SettingsError as error:
            raise RequestError(f"--{error}.") from None
    return settings.model_copy(update={"files": {**settings.files, **asked}})


def folders_for_import(given: Sequence[str]) -> str | dict[str, str] | None:
    """Return the folder for all files of a package, or one by ``table.column``. Raises RequestError."""
    if len(given) == 1 and ("=" not in given[0] or Path(given[0]).is_dir()):
        return checked_folder(given[0])
    return folders_by_column(given) or None


def folders_by_column(given: Sequence[str]) -> dict[str, str]:
    """Return folders by ``table.column``. Raises RequestError for another form, or a folder that is not there."""
    found: dict[str, str] = {}
    for one in given:
        name, _, folder = one.partition("=")
        if not all(name.rpartition(".")) or not folder:
            raise RequestError(f"--files needs TABLE.COLUMN=FOLDER, such as clients.photo=/srv/photos, not {one}.")
        if name in found:
            raise RequestError(f"--files names {name} twice, with {found[name]} and {folder}: which is meant?")
        found[name] = checked_folder(folder)
    return found


def checked_folder(folder: str) -> str:
    """Return the folder. Raises RequestError if there is none."""
    if not Path(folder).is_dir():
        raise RequestError(f"--files: {folder} is no folder.")
    return folder

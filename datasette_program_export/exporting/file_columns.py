"""The columns whose texts are paths of files, with the folder of each, as the settings name them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..database.schema import Schema, Table, fold
from ..errors import SettingsError
from ..files.rooted.reading import FileStore, Folder
from ..selection.table_rows import TableRows


def file_columns(table: Table, folders: Mapping[str, str]) -> dict[str, str]:
    """Return the folder of each such column of a table. Raises SettingsError for a column that the table lacks.

    ``folders`` are by ``table.column``. The result of a query has none: its columns may hold anything."""
    found: dict[str, str] = {}
    for name, folder in folders.items() if table.kind != "query" else ():
        of_table, _, of_column = name.rpartition(".")
        if fold(of_table) != fold(table.name):
            continue
        column = table.column(of_column)
        if column is None:
            raise SettingsError(f"files: {table.name} has no column {of_column}")
        found[column.name] = folder
    return found


class FilePlaces:
    """Where the files lie that the columns of a database name: folders by the settings, else ``stores``.

    Both are by ``table.column``; ``database`` is the one whose rows name the files."""

    def __init__(self, folders: Mapping[str, str], stores: Mapping[str, FileStore], database: Path | None) -> None:
        self._folders, self._database = folders, database
        self._stores = {fold(name): store for name, store in stores.items()}

    def of(self, chosen: TableRows) -> dict[str, FileStore]:
        """Return the place of each such column that is exported. Raises SettingsError, as ``file_columns`` does."""
        folders = file_columns(chosen.table, self._folders)
        found: dict[str, FileStore] = {}
        for column in chosen.columns if folders or (self._stores and chosen.table.kind != "query") else ():
            if column.name in folders:
                found[column.name] = Folder(folders[column.name], self._database)
            elif (store := self._stores.get(fold(f"{chosen.table.name}.{column.name}"))) is not None:
                found[column.name] = store
        return found


def check_file_columns(schema: Schema, folders: Mapping[str, str]) -> None:
    """Check that every column is there. Raises SettingsError, which names the first that is not."""
    for name in folders:
        of_table = name.rpartition(".")[0]
        table = schema.find(of_table)
        if table is None:
            raise SettingsError(f"files: there is no table {of_table}")
        file_columns(table, folders)

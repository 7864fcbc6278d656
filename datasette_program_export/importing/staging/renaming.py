"""Which columns of a file are called otherwise in the target, and which are left away, as the caller said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ...database.schema import Table, fold


class Renaming:
    """The choice ``map``: the file's name of a column, and the target's; None leaves the column away.

    ``table.column`` names a column of one table only. ``unmet`` are the names that no table had so far."""

    def __init__(self, names: Mapping[str, str | None]) -> None:
        self._names = {fold(name): to for name, to in names.items()}
        self._spelled = list(names)
        self.tables: set[str] = set()  # the target's, folded: what stands before a point may be one of them
        self.unmet = dict.fromkeys(names)
        self.left: dict[str, list[str]] = {}  # what was left away, by table

    def __bool__(self) -> bool:
        return bool(self._names)

    def names_to(self, table: str, column: str) -> str | None:
        """Return what ``to`` would, without a memory of it."""
        for name in (fold(f"{table}.{column}"), fold(column)):
            if name in self._names:
                return self._names[name]
        return column

    def to(self, table: str, column: str) -> str | None:
        """Return the target's name for a column of the file, which may be the same; None if it is left away."""
        for name in (fold(f"{table}.{column}"), fold(column)):
            if name in self._names:
                self._met(name)
                found = self._names[name]
                if found is None and column not in self.left.setdefault(table, []):
                    self.left[table].append(column)
                return found
        return column

    def why_unknown(self, table: str, column: str) -> str:
        """Return why the values of a column would be lost that has no place in the target."""
        for name in self._spelled:
            own = name[len(table) + 1 :] if fold(name).startswith(fold(f"{table}.")) else name
            to = self._names[fold(name)]
            if to is not None and fold(to) == fold(column) and fold(own) != fold(column):
                return (
                    f"{own} of the file is stored in {to} of {table}, as was asked, so the file's own {column} has no "
                    "place: use the argument map for it, too."
                )
        return f"{table} has no column {column} in the target. Its values would be lost."

    def is_left_away(self, table: str, column: str) -> bool:
        """Return whether a column of the file is left away, and remember that it was there."""
        return self.to(table, column) is None

    def shown(self, table: Table) -> Table:
        """Return the target's table with the columns called as the file calls them.

        A column whose name the file uses for another one cannot be given by it, and is not there."""
        back = self._back(table)
        if not back and not any(self._applies(table.name, c.name) for c in table.columns):
            return table
        kept = [c for c in table.columns if c.name in back or not self._applies(table.name, c.name)]
        columns = tuple(replace(c, name=back.get(c.name, c.name)) for c in kept)
        key = table.integer_key
        return replace(table, columns=columns, integer_key=back.get(key, key) if key else key, _by_name={})

    def given(self, table: Table, column: str) -> str:
        """Return the target's name of a column of ``shown``."""
        return next((real for real, named in self._back(table).items() if named == column), column)

    def note_given(self, table: Table, column: str) -> None:
        """Remember that the file has a column, by its name in ``shown``."""
        self._met(fold(column))
        self._met(fold(f"{table.name}.{column}"))

    def _applies(self, table: str, column: str) -> bool:
        return fold(column) in self._names or fold(f"{table}.{column}") in self._names

    def _back(self, table: Table) -> dict[str, str]:
        """Return the file's name of each column of the table that has another one there."""
        found: dict[str, str] = {}
        for name in self._spelled:
            to = self._names[fold(name)]
            column = table.column(to) if to is not None else None
            prefix = fold(f"{table.name}.")
            mine = fold(name).startswith(prefix) and len(name) > len(prefix)
            if column is not None and (mine or fold(name.partition(".")[0]) not in self.tables):
                found[column.name] = name[len(prefix) :] if mine else name
        return found

    def _met(self, name: str) -> None:
        for one in [one for one in self.unmet if fold(one) == name]:
            del self.unmet[one]

"""How each table of a dossier is shown: which columns, grouped by what, as cards, as a table or in order of time."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass

from ...description.coverage import ReferenceKey
from ...description.schema import DocumentReference, DocumentTable
from ..kept_rows import KeptRows, KeptTable
from .naming import Naming
from .values import LONG

# columns of a table of few rows, and of many; with more, each row is a card
_FEW, _MOST_COLUMNS, _MANY_COLUMNS = 12, 7, 10


@dataclass(frozen=True)
class Section:
    """How one table is shown. ``columns`` are the places of those with values; ``above`` is the reference by whose
    rows they are grouped; ``cards``: each row by itself; ``line``: the place of the date by which they are ordered."""

    table: KeptTable
    described: DocumentTable
    columns: tuple[int, ...]
    above: DocumentReference | None
    cards: bool
    line: int | None = None

    @property
    def empty(self) -> list[str]:
        """The columns without any value."""
        return [f.name for f, look in zip(self.table.fields, self.table.looks) if not look.filled]


class Layouts:
    """``subject`` is the table of the one record asked for, if it is one; ``dangling`` are the references of rows whose
    parents are not here: their values are shown in any case."""

    def __init__(
        self,
        kept: KeptRows,
        naming: Naming,
        tables: dict[str, DocumentTable],
        subject: str | None,
        dangling: Set[ReferenceKey],
    ) -> None:
        self._kept, self._naming, self._tables = kept, naming, tables
        self._subject, self._dangling = subject, dangling

    def of(self, name: str) -> Section:
        """Return how a table is shown."""
        table, described = self._kept.tables[name], self._tables[name]
        above = self._above(name, described)
        hidden = {*self._said(name, described), *self._keys(described), *(above.columns if above is not None else ())}
        filled = [i for i, look in enumerate(table.looks) if look.filled]
        columns = tuple(i for i in filled if table.fields[i].name not in hidden) or tuple(filled)
        looks = [table.looks[i] for i in columns]
        json = any(table.fields[i].holds_json for i in columns)
        long = json or any(look.longest > LONG or look.lines or look.images for look in looks)
        line = self._time_line(table)
        most = _MOST_COLUMNS if table.rows <= _FEW else _MANY_COLUMNS
        cards = line is None and (long or len(columns) > most or table.rows == 1)
        return Section(table, described, columns, above, cards, line)

    def _said(self, name: str, described: DocumentTable) -> Sequence[str]:
        """Return the columns that only say of each row that it is the subject's."""
        keys = [key for key in described.foreign_keys if key.table == self._subject]
        if len(keys) != 1 or name == self._subject or self._is_open(name, keys[0]):
            return ()
        return keys[0].columns

    def _is_open(self, name: str, key: DocumentReference) -> bool:
        """Return whether a reference does not say of each row where it belongs, or holds for some rows only."""
        return bool(key.where) or (name, key.columns, key.table) in self._dangling

    def _keys(self, described: DocumentTable) -> Sequence[str]:
        """Return a key that says nothing to a reader: one column, which other tables refer to by links."""
        key = described.primary_key
        return key if len(key) == 1 and key[0].lower() in ("id", "uuid", "rowid", "pk") else ()

    def _time_line(self, table: KeptTable) -> int | None:
        lines = self._naming.preset.time_lines if self._naming.preset is not None else {}
        return table.places.get(lines.get(table.name, ""))

    def _above(self, name: str, described: DocumentTable) -> DocumentReference | None:
        """Return the reference by which rows are grouped: the only one to another table that is not the subject."""
        others = [key for key in described.foreign_keys if key.table not in (self._subject, name)]
        keys = [key for key in others if key.table in self._kept.tables]
        if self._subject is None or len(keys) != 1 or self._is_open(name, keys[0]):
            return None
        return keys[0] if 1 < self._kept.tables[keys[0].table].rows < self._kept.tables[name].rows else None

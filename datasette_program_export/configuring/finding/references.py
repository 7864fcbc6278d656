"""References that the schema does not declare: by the names of columns, and by the values in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ...database.schema import Column, ForeignKey, Table, fold
from ...selection.people_names import says_who_began_it, says_who_did_it, subject_rank
from ..look import Look
from ..names import TableNames, words_of
from ..proposal import Found

ENOUGH = 0.9  # the share of values that must match
SOME = 0.5  # from here on it is told, for somebody to decide
_FULL = 0.99
_GENERIC = ("id", "name", "code", "key", "title", "uuid", "guid", "slug", "type", "value", "number", "date", "position")
_KEEPERS = 3  # from this rank on, tables sound like those who keep the records: employees, users
_NUMBERS = ("INTEGER", "REAL", "NUMERIC")


def find_references(
    tables: Mapping[str, Table], look: Look, secrets: Mapping[str, Mapping[str, str]]
) -> Iterator[Found]:
    """Yield the references of one column that are not declared, each with the share of its values that match."""
    finder = _Finder(tables, look, secrets)
    for table in tables.values():
        left_alone = {fold(c) for c in secrets.get(table.name, {})} | _declared(table) | _of_type_columns(table)
        for column in table.visible_columns:
            if fold(column.name) not in left_alone and not column.generated:
                found = finder.reference(table, column)
                if found is not None:
                    yield found


def reference_of(edge: ForeignKey) -> dict[str, object]:
    """Return a reference as it stands in ``virtual_foreign_keys``."""
    made: dict[str, object] = {
        "table": edge.table,
        "columns": list(edge.columns),
        "other_table": edge.other_table,
        "other_columns": list(edge.other_columns),
    }
    if edge.where:
        made["where"] = {column: list(values) for column, values in edge.where}
    return made


def types_fit(column: Column, other: Column) -> bool:
    """Return whether values of two columns can be equal by their types: numbers with numbers, texts with texts."""
    kinds = {"number" if c.affinity in _NUMBERS else c.affinity for c in (column, other)}
    return len(kinds - {"BLOB"}) <= 1  # without a declared type, a column takes any


def key_column(table: Table, look: Look) -> Column | None:
    """Return the column that other tables refer to: the primary key; without one, a column that looks like it."""
    if table.pk:
        return table.column(table.pk[0]) if len(table.pk) == 1 else None
    own = words_of(table.name)
    for column in table.visible_columns:
        words = words_of(column.name)
        named = words in (("id",), ("uuid",)) or (words[-1:] == ("id",) and TableNames([table]).find(words[:-1] or own))
        if named and (table.is_unique([column.name]) or look.is_unique(table, column.name)):
            return column
    return None


def type_and_id(table: Table) -> Iterator[tuple[Column, Column]]:
    """Yield pairs such as ``owner_type`` and ``owner_id``."""
    by_words = {words_of(c.name): c for c in table.visible_columns}
    for words, column in by_words.items():
        if len(words) > 1 and words[-1] == "type" and (other := by_words.get((*words[:-1], "id"))) is not None:
            yield column, other


def _declared(table: Table) -> set[str]:
    return {fold(c) for key in table.foreign_keys if not key.problem for c in key.columns}


def _of_type_columns(table: Table) -> set[str]:
    return {fold(other.name) for _, other in type_and_id(table)}


class _Finder:
    def __init__(self, tables: Mapping[str, Table], look: Look, secrets: Mapping[str, Mapping[str, str]]) -> None:
        self.tables, self.look, self.secrets = tables, look, secrets
        self.names = TableNames(tables.values())
        self._keys: dict[str, Column | None] = {}
        keepers = [
            (-rank, place) for place, t in enumerate(tables.values()) if (rank := subject_rank(t) or 0) >= _KEEPERS
        ]
        self.users = list(tables.values())[min(keepers)[1]] if keepers else None
        self._unique: dict[tuple[str, ...], list[tuple[Table, Column]]] = {}
        for table in tables.values():
            for column in table.visible_columns:
                words = words_of(column.name)
                if words[-1] not in _GENERIC[1:] and words != ("id",) and self._refers_to(table, column):
                    self._unique.setdefault(words, []).append((table, column))

    def reference(self, table: Table, column: Column) -> Found | None:
        words = words_of(column.name)
        own_key = table.pk == (column.name,)
        meant, marked = self.names.meant_by(column.name)
        if own_key and (not marked or meant is None or meant.name == table.name or words[0] == "id"):
            return None
        if meant is not None and (key := self._key(meant)) is not None:
            if meant.name == table.name and (own_key or fold(key.name) == fold(column.name)):
                return None
            return self._checked(table, column, meant, key, "named after it" if marked else "called like it", marked)
        if own_key:
            return None
        if words[0] == "parent" and len(words) <= 2 and (key := self._key(table)) is not None:
            return self._checked(table, column, table, key, "a parent of the same table", False)
        for at in range(1, len(words)):  # `product_sku`: the unique `sku` of `products`
            named = self.names.find(words[:at])
            ends = [c for t, c in self._unique.get(words[at:], []) if t is named]
            if named is not None and named.name != table.name and ends:
                return self._checked(table, column, named, ends[0], "named after both", True)
        same = self._unique.get(words, [])
        if len(same) == 1 and same[0][0].name != table.name and not table.is_unique([column.name]):
            return self._checked(table, column, *same[0], "a column of the same name is unique there", False)
        role = says_who_did_it([column.name]) or says_who_began_it([column.name]) or words == ("owner", "id")
        looks_so = words[-1] in ("id", "by")
        if role and looks_so and self.users is not None and (key := self._key(self.users)) is not None:
            return self._checked(table, column, self.users, key, "it says who did something", False)
        return None

    def _key(self, table: Table) -> Column | None:
        if table.name not in self._keys:
            key = key_column(table, self.look)
            secret = key is not None and key.name in self.secrets.get(table.name, ())
            self._keys[table.name] = None if secret else key
        return self._keys[table.name]

    def _refers_to(self, table: Table, column: Column) -> bool:
        """Return whether others may refer to a column: it has every value once, and is no secret."""
        return table.is_unique([column.name]) and column.name not in self.secrets.get(table.name, ())

    def _checked(
        self, table: Table, column: Column, parent: Table, key: Column, named: str, by_name: bool
    ) -> Found | None:
        """Return the reference if types and values do not speak against it.

        ``by_name``: its name alone says it. Otherwise its values must match, all of them."""
        edge = ForeignKey(table.name, (column.name,), parent.name, (key.name,), virtual=True)
        if not types_fit(column, key) or fold(key.name) in parent.incomparable:
            return None
        matching = self.look.match(edge, table, parent)
        written = by_name
        if matching is not None and matching.values:
            if matching.share < (SOME if by_name else ENOUGH):
                return None
            written = matching.share >= (ENOUGH if by_name else _FULL)
        return Found(
            setting="virtual_foreign_keys",
            table=table.name,
            value=reference_of(edge),
            why=f"{named}; {matching or 'rows were not looked at'}",
            written=written,
        )

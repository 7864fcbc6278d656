"""What a reader of plain csv or tsv cannot tell apart: said before the file is written, and after.

A package describes its columns, so nothing is mistaken there; a bare file has no place for a description.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from ...database.fetching.rows_in_c import Chunk
from ...database.schema import affinity
from ..dataset import Field, Row, Value
from ..description.column_facts import ColumnFacts, is_utf8
from ..description.phrases import ENGLISH, Say

_MOST = 5  # columns that a sentence names
_KINDS = ("untyped", "texts", "odd", "empty")


def mistakable(facts: ColumnFacts, declared: str) -> list[str]:
    """Return the kinds of confusion (keys of the sentences) that a column with these values and this type has."""
    untyped = affinity(declared) == "BLOB"
    named = "BLOB" in declared.upper()
    found = {
        "untyped": untyped and not named and bool(facts.classes & {int, float}),
        "texts": named and str in facts.classes,
        "odd": facts.has_odd_text,
        "empty": facts.has_null and facts.has_empty,
    }
    return [kind for kind, met in found.items() if met]


def sentences(
    table: str, columns: Mapping[str, Sequence[str]], form: str, seen: str = "", say: Say = ENGLISH
) -> Iterator[str]:
    """Yield a sentence for each kind of confusion; ``columns`` has those of each, ``seen`` says where it was met."""
    for kind in _KINDS:
        names = [f"{table}.{column}" for column, kinds in columns.items() if kind in kinds]
        if names:
            told = ", ".join(names[:_MOST])
            if len(names) > _MOST:
                told = say("and_more", first=told, count=say.number(len(names) - _MOST))
            yield say(f"caution.{kind}", columns=told, form=form, seen=seen)


class Examined:
    """Examines the rows that are written through it, and tells afterwards what a reader cannot tell apart.

    It finds what ``ColumnFacts`` finds, as far as it matters here, in a fraction of the time."""

    def __init__(self, table: str, fields: Sequence[Field], form: str) -> None:
        self._table, self._fields, self._form = table, fields, form
        self._facts = [ColumnFacts() for _ in fields]

    def through(self, write: Callable[[list[Row]], bytes]) -> Callable[[list[Row]], bytes]:
        """Return a function that writes rows as ``write`` does, and examines them."""

        def examined(rows: list[Row]) -> bytes:
            for facts, column in zip(self._facts, zip(*rows)):
                _saw(facts, column)
            return write(rows)

        return examined

    def saw(self, chunk: Chunk) -> None:
        """Examine rows that were written in C."""
        for facts, seen in zip(self._facts, chunk.seen):
            facts.saw_kinds(seen)

    def sentences(self) -> list[str]:
        """Return the sentences, after the last row."""
        pairs = list(zip(self._fields, self._facts))
        found = [
            ENGLISH("caution.binary", column=f"{self._table}.{field.name}", seen="", form=self._form)
            for field, facts in pairs
            if bytes in facts.classes
        ]
        kinds = {field.name: mistakable(facts, field.type) for field, facts in pairs}
        return [*found, *sentences(self._table, kinds, self._form)]


def _saw(facts: ColumnFacts, column: tuple[Value, ...]) -> None:
    try:
        text = "".join(column)  # type: ignore[arg-type]  # quicker than a look at each type; succeeds if all are text
    except TypeError:
        _saw_types(facts, column)
        return
    facts.classes.add(str)
    facts.has_empty = facts.has_empty or not all(column)
    facts.has_odd_text = facts.has_odd_text or "\0" in text or not (text.isascii() or is_utf8(text))


def _saw_types(facts: ColumnFacts, column: tuple[Value, ...]) -> None:
    classes = set(map(type, column))
    facts.classes |= classes
    if str not in classes:
        facts.has_empty = facts.has_empty or (bytes in classes and b"" in column)
        return
    if not facts.has_empty:
        facts.has_empty = not all(column) and ("" in column or b"" in column)
    if not facts.has_odd_text:
        text = "".join([v for v in column if type(v) is str])
        facts.has_odd_text = "\0" in text or not (text.isascii() or is_utf8(text))

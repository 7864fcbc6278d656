"""Which table and column of one side is compared with which of the other: those of one name, and those mapped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ..database.schema import fold
from ..errors import RequestError
from ..importing.staging.renaming import Renaming
from .side import Side, StagedRows, collation_of


@dataclass
class Pair:
    """Two tables to compare. ``columns`` are the places of the compared columns on both sides; ``key`` the places in
    both keys of the columns that tell rows, with their collation; empty where rows are compared by value."""

    name: str
    before: StagedRows
    after: StagedRows
    columns: list[tuple[int, int]] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    new: list[str] = field(default_factory=list)
    renamed: dict[str, str] = field(default_factory=dict)
    not_compared: dict[str, str] = field(default_factory=dict)
    key: list[tuple[int, int, str]] = field(default_factory=list)
    note: str | None = None


class Pairing:
    """``pairs`` are compared; ``gone`` and ``new`` are tables of one side only; ``skipped`` are those that the other
    side says it leaves out, each with the reason.

    ``names`` maps the first side's tables (``old``) and columns (``table.old``) to the second side's; None leaves one
    out of the comparison. Raises RequestError for a name that is not there."""

    def __init__(self, before: Side, after: Side, names: Mapping[str, str | None]) -> None:
        self.before, self.after = before, after
        self.pairs: list[Pair] = []
        self.gone: list[StagedRows] = []
        self.new: list[StagedRows] = []
        self.skipped: dict[str, str] = {}
        tables = {fold(name): to for name, to in names.items() if before.find(name) is not None}
        self.renaming = Renaming({name: to for name, to in names.items() if fold(name) not in tables})
        for name, to in tables.items():
            if to is not None and after.find(to) is None:
                raise RequestError(f"The argument map names {to} for {name}, but {after.name} has no such table.")
        taken = {fold(to) for to in tables.values() if to is not None}
        for name, staged in before.tables.items():
            self._take(name, staged, tables, taken)
        met = {id(pair.after) for pair in self.pairs}
        for name, staged in after.tables.items():
            why = before.why_left_out(name)
            if id(staged) not in met and why is not None:
                self.skipped[name] = f"{before.name} leaves it out: {why}"
            elif id(staged) not in met:
                self.new.append(staged)
        if self.renaming.unmet:
            unmet = next(iter(self.renaming.unmet))
            raise RequestError(f"The argument map names {unmet}, which is no table or column of {before.name}.")

    def _take(self, name: str, staged: StagedRows, tables: Mapping[str, str | None], taken: set[str]) -> None:
        to = tables.get(fold(name), name)
        if to is None:
            self.skipped[name] = "as was asked"
            return
        other = self.after.find(to) if fold(name) in tables or fold(to) not in taken else None
        if other is not None:
            self.pairs.append(self._pair(name, staged, other))
        elif (why := self.after.why_left_out(name)) is not None:
            self.skipped[name] = f"{self.after.name} leaves it out: {why}"
        elif self.after.limited:
            self.skipped[name] = f"{self.after.name} has no such table, or you may not see it"
        else:
            self.gone.append(staged)

    def _pair(self, name: str, before: StagedRows, after: StagedRows) -> Pair:
        pair = Pair(name, before, after)
        met: dict[int, int] = {}
        asked = {c for c in before.fields if fold(self.renaming.names_to(name, c) or "") != fold(c)}
        for place, column in enumerate(before.fields):
            if column in asked:
                self._mapped(pair, place, met)
        for place, column in enumerate(before.fields):
            other = after.place(column)
            if column in asked:
                continue
            if other is not None and other not in met:
                met[other] = place
            elif fold(column) not in before.generated:
                self._missing(pair, column, pair.gone, self.after, after.table.name)
        for place, column in enumerate(after.fields):
            if place not in met and fold(column) not in after.generated:
                self._missing(pair, column, pair.new, self.before, name)
        self._left_out(pair)
        pair.columns = sorted((own, other) for other, own in met.items() if not _both_computed(pair, own, other))
        self._tell_rows(pair, met)
        return pair

    def _mapped(self, pair: Pair, place: int, met: dict[int, int]) -> None:
        column = pair.before.fields[place]
        to = self.renaming.to(pair.name, column)
        other = pair.after.place(to) if to is not None else None
        if to is None:
            pair.not_compared[column] = "as was asked"
        elif other is None or other in met:
            why = "has no such column" if other is None else "has it once only"
            raise RequestError(
                f"The argument map names {to} for {column} of {pair.name}, but {pair.after.table.name} of "
                f"{self.after.name} {why}."
            )
        else:
            met[other] = place
            pair.renamed[column] = pair.after.fields[other]

    def _missing(self, pair: Pair, column: str, found: list[str], other: Side, table: str) -> None:
        why = other.why_left_out(table, column)
        if why is None:
            found.append(column)
        else:
            pair.not_compared[column] = f"{other.name} leaves it out: {why}"

    def _left_out(self, pair: Pair) -> None:
        """Note the columns that are on neither side because one or both leave them out."""
        for side, staged in ((self.before, pair.before), (self.after, pair.after)):
            for (table, column), why in side.left_out.items():
                here = column is not None and table == fold(staged.table.name)
                if here and column is not None and pair.before.place(column) is pair.after.place(column) is None:
                    pair.not_compared.setdefault(column, f"{side.name} leaves it out: {why}")

    def _tell_rows(self, pair: Pair, met: Mapping[int, int]) -> None:
        before, after = pair.before, pair.after
        back = {own: other for other, own in met.items()}
        wanted = [back.get(place) for place in before.key]
        if not before.key or not after.key:
            return
        if None in wanted or set(wanted) != set(after.key):
            pair.note = "Its key is not the same on both sides, so its rows are compared by value."
            return
        for number, (own, other) in enumerate(zip(before.key, wanted)):
            assert other is not None
            collations = {collation_of(before, own), collation_of(after, other)}
            collation = collations.pop() if len(collations) == 1 else "BINARY"
            pair.key.append((number, after.key.index(other), collation))

    def left_out_by_both(self) -> dict[str, str]:
        """Return the tables and views that an export leaves out on both sides, by folded names, with the reason."""
        own, others = self.before.left_out, self.after.left_out
        both = {table: why for (table, column), why in own.items() if column is None and (table, None) in others}
        return {table: why for table, why in both.items() if not self.before.find(table) and not self.after.find(table)}

    def secrets(self, pair: Pair) -> Iterator[str]:
        """Yield the first side's names of the columns whose values are never shown."""
        own, others = self.before.secrets(pair.before.table.name), self.after.secrets(pair.after.table.name)
        for place, other in pair.columns:
            if fold(pair.before.fields[place]) in own or fold(pair.after.fields[other]) in others:
                yield pair.before.fields[place]


def _both_computed(pair: Pair, own: int, other: int) -> bool:
    """Return whether SQLite computes the column on both sides: its values follow from the others."""
    mine, theirs = fold(pair.before.fields[own]), fold(pair.after.fields[other])
    return mine in pair.before.generated and theirs in pair.after.generated

"""Tables and columns that seem to have another name now: a look at some rows finds equal values in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import Any

from ..database.schema import fold
from .packed_rows import unpacked
from .pairing import Pair, Pairing
from .report import Proposal
from .side import StagedRows

_LOOKED_AT = 2000  # rows of a table
_ENOUGH = 0.9  # of them have equal values


def renamed_columns(pair: Pair, by_key: bool) -> Iterator[Proposal]:
    """Yield the columns that are gone and have the values of a new one. Nothing is assumed from it."""
    if not pair.gone or not pair.new:
        return
    before, after = pair.before, pair.after
    wanted = [(c, before.place(c), d, after.place(d)) for c in pair.gone for d in pair.new]
    counts = {(c, d): [0, 0] for c, _, d, _ in wanted}
    for one, other in _rows(
        before,
        after,
        ([before.key[own] for own, _, _ in pair.key], [after.key[b] for _, b, _ in pair.key]) if by_key else None,
    ):
        for c, own, d, place in wanted:
            assert own is not None and place is not None
            if one[own] is not None or other[place] is not None:
                count = counts[c, d]
                count[0] += 1
                count[1] += type(one[own]) is type(other[place]) and one[own] == other[place]
    yield from _best(counts, pair.name)


def renamed_tables(pairing: Pairing) -> Iterator[Proposal]:
    """Yield the tables that are gone and have columns and values of a new one."""
    counts = {}
    for old in pairing.gone:
        for new in pairing.new:
            places = [(n, place) for n, c in enumerate(old.fields) if (place := new.place(c)) is not None]
            if old.rows and new.rows and 2 * len(places) > len(old.fields):
                counts[old.table.name, new.table.name] = _equal_rows(old, new, places)
    yield from _best(counts, None)


def _equal_rows(old: StagedRows, new: StagedRows, places: list[tuple[int, int]]) -> list[int]:
    names = [[fold(staged.fields[place]) for place in staged.key] for staged in (old, new)]
    by_key = bool(old.key) and names[0] == names[1]
    count = [0, 0]
    for one, other in _rows(old, new, (old.key, new.key) if by_key else None):
        count[0] += 1
        count[1] += all(type(one[n]) is type(other[m]) and one[n] == other[m] for n, m in places)
    return [min(old.rows, _LOOKED_AT), count[1]] if by_key else count


def _rows(before: StagedRows, after: StagedRows, keys: tuple[Sequence[int], Sequence[int]] | None) -> Iterator[Any]:
    """Yield some rows of both sides, matched by their keys; those without a key by their order."""
    mine, theirs = (map(unpacked, chain.from_iterable(side.blocks())) for side in (before, after))
    some = islice(mine, _LOOKED_AT)
    if keys is None:
        yield from zip(some, theirs)
        return
    wanted = {tuple(row[place] for place in keys[0]): row for row in some}
    for other in theirs:
        one = wanted.pop(tuple(other[place] for place in keys[1]), None)
        if one is not None:
            yield one, other
        if not wanted:
            return


def _best(counts: dict[tuple[str, str], list[int]], table: str | None) -> Iterator[Proposal]:
    """Yield the pairs with enough equal values, each name once, the most equal first."""
    taken: set[tuple[int, str]] = set()
    for (old, new), (looked_at, equal) in sorted(counts.items(), key=lambda one: (-one[1][1], one[0])):
        free = not {(0, old), (1, new)} & taken
        if free and equal and equal >= _ENOUGH * looked_at:
            taken |= {(0, old), (1, new)}
            yield Proposal(old=old, new=new, table=table, looked_at=looked_at, equal=equal)

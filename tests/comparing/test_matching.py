"""Rows that both sides have are dropped before anything is staged, and no answer is another for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasette_program_export.comparing import matching
from datasette_program_export.comparing.matching import order_of, unmatched
from datasette_program_export.comparing.packed_rows import picking, split, unpacked
from tests.support.runs.thorough import examples

ROWS = st.lists(st.integers(0, 12), max_size=40)


def rows(values: Iterator[int] | range | list[int]) -> list[bytes]:
    return [msgspec.msgpack.encode([value, "x"]) for value in values]


def in_blocks(found: list[bytes], size: int) -> Iterator[tuple[bytes, int]]:
    return ((b"".join(found[at : at + size]), len(found[at : at + size])) for at in range(0, len(found), size))


def left(
    before: list[bytes], after: list[bytes], size: int = 700, other_size: int | None = None
) -> tuple[list[bytes], list[bytes]]:
    one, other = [], []
    blocks = in_blocks(before, size), in_blocks(after, other_size or size)
    for mine, theirs in unmatched(*blocks, (None, None), order_of(([0], [0]), unpacked)):
        one += mine
        other += theirs
    return one, other


@settings(max_examples=examples(60), deadline=None)
@given(before=ROWS, after=ROWS, size=st.integers(1, 9), other_size=st.integers(1, 9))
def test_what_is_dropped_is_the_same_on_both_sides(
    before: list[int], after: list[int], size: int, other_size: int
) -> None:
    """In any order, with rows that come several times: as many of each are dropped here as there."""
    one, other = left(rows(before), rows(after), size, other_size)
    assert Counter(rows(before)) - Counter(one) == Counter(rows(after)) - Counter(other)
    assert not Counter(one) - Counter(rows(before)) and not Counter(other) - Counter(rows(after))


def test_only_what_differs_remains_in_the_order_of_a_key() -> None:
    """Also behind more rows that are gone or new than are looked at together."""
    every, some = rows(range(20_000)), rows([*range(3000), *range(11_000, 20_000)])
    assert left(every, some) == (rows(range(3000, 11_000)), [])
    assert left(some, every) == ([], rows(range(3000, 11_000)))
    changed = [*every[:5000], msgspec.msgpack.encode([5000, "y"]), *every[5001:]]
    assert left(every, changed) == (every[5000:5001], changed[5000:5001])


def test_rows_whose_bytes_are_equal_are_never_parted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of other sizes do not matter; behind a difference it is so again."""
    parted: list[int] = []

    def parting(data: bytes, count: int) -> list[bytes]:
        parted.append(count)
        return split(data, count)

    monkeypatch.setattr(matching, "split", parting)
    every = rows(range(50_000))
    assert left(every, every, 700, 1100) == ([], []) and parted == []
    changed = [*every[:20_000], msgspec.msgpack.encode([20_000, "y"]), *every[20_001:]]
    assert left(every, changed, 700, 1100) == (every[20_000:20_001], changed[20_000:20_001])
    assert 0 < sum(parted) < 10_000


def test_rows_are_compared_by_the_columns_that_both_have() -> None:
    before = [msgspec.msgpack.encode([n, "gone", n]) for n in range(3)]
    after = [msgspec.msgpack.encode([n, n]) for n in (0, 5, 2)]
    picks = picking([0, 2]), None
    found = list(unmatched(in_blocks(before, 3), in_blocks(after, 3), picks, lambda *_: False))
    assert [part for part in found if part != ([], [])] == [(before[1:2], after[1:2])]

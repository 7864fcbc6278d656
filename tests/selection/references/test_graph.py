"""The order of tables: parents first, whatever the graph."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from datasette_program_export.database.schema import ForeignKey
from datasette_program_export.selection.graph import Graph

TABLES = tuple("abcdef")


def graph(*pairs: str) -> Graph:
    """``"ab"``: a refers to b."""
    return Graph(TABLES, tuple(ForeignKey(p[0], ("x",), p[1], ("id",)) for p in dict.fromkeys(pairs)))


pairs = st.lists(st.tuples(st.sampled_from(TABLES), st.sampled_from(TABLES)).map("".join), max_size=15)


@given(pairs)
def test_every_table_once_and_after_the_parents_it_does_not_reach_back_from(found: list[str]) -> None:
    made = graph(*found)
    order = made.parents_first()
    assert sorted(order) == sorted(TABLES)
    above = {t: reach(made, t) for t in TABLES}
    for edge in made.edges:
        mutual = edge.table in above[edge.other_table]
        assert mutual or order.index(edge.other_table) < order.index(edge.table)
        assert (edge in made.deferred()) == (order.index(edge.other_table) >= order.index(edge.table))


@given(pairs)
def test_components_are_the_tables_that_reach_each_other(found: list[str]) -> None:
    made = graph(*found)
    above = {t: reach(made, t) | {t} for t in TABLES}
    for component in made.components:
        for table in component:
            assert set(component) == {t for t in TABLES if t in above[table] and table in above[t]}


def reach(made: Graph, table: str) -> set[str]:
    """The tables above, by going up naively."""
    seen: set[str] = set()
    queue = [table]
    while queue:
        for edge in made.up(queue.pop()):
            if edge.other_table not in seen:
                seen.add(edge.other_table)
                queue.append(edge.other_table)
    return seen


def test_the_schemas_order_is_kept_where_nothing_else_decides() -> None:
    assert graph().parents_first() == TABLES
    assert graph("ba", "cb").parents_first() == TABLES
    assert graph("ab").parents_first() == ("b", "a", "c", "d", "e", "f")


def test_a_deep_chain_needs_no_recursion() -> None:
    names = tuple(str(i) for i in range(5000))
    edges = tuple(ForeignKey(a, ("x",), b, ("id",)) for a, b in zip(names, names[1:], strict=False))
    assert Graph(names, edges).parents_first() == names[::-1]

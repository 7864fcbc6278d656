"""Checks that the virtual references lead somewhere: types, values, and what holds for no row."""

from __future__ import annotations

from collections.abc import Iterator

from ...database.schema import ForeignKey
from ...selection.annotated_schema import AnnotatedSchema
from ..finding.references import find_references, types_fit
from ..look import Look
from .report import Problem

_SETTING = "virtual_foreign_keys"


def check_references(known: AnnotatedSchema, look: Look) -> Iterator[Problem]:
    """Yield the virtual references that match nothing or not all, with a count of the values that were looked up."""
    for edge in known.edges:
        if edge.virtual and not edge.problem:
            yield from _check(edge, known, look)


def check_undeclared(known: AnnotatedSchema, look: Look) -> Iterator[Problem]:
    """Yield a warning for each reference that no schema and no setting declares, but that a proposal would write."""
    tables = {name: t for name, t in known.schema.items() if t.kind == "table" and not t.problem}
    secrets = {name: known.secret_columns(t) for name, t in tables.items()}
    declared = {(edge.table, column) for edge in known.edges for column in edge.columns}
    for found in find_references(tables, look, secrets):
        (column,) = found.value["columns"]
        if found.written and (found.table, column) not in declared:
            parent = f"{found.value['other_table']}.{','.join(found.value['other_columns'])}"
            told = f"{found.table}.{column} seems to refer to {parent} ({found.why}), and nothing declares it."
            yield Problem(level="warning", setting=_SETTING, message=f"{told} program-export setup proposes the lines.")


def _check(edge: ForeignKey, known: AnnotatedSchema, look: Look) -> Iterator[Problem]:
    child, parent = known.schema[edge.table], known.schema[edge.other_table]
    told = f"{edge.name} to {parent.name}.{','.join(edge.other_columns)}"

    def problem(message: str, level: str = "warning") -> Problem:
        return Problem(level="error" if level == "error" else "warning", setting=_SETTING, message=f"{told}: {message}")

    if known.is_secret(edge):
        yield problem("its column is left out as secret, so nothing is followed along it. See not_secrets.", "error")
        return
    for own, other in zip(edge.columns, edge.other_columns):
        one, two = child.column(own), parent.column(other)
        if one is not None and two is not None and not types_fit(one, two):
            yield problem(f"their types differ, {one.type or 'none'} and {two.type or 'none'}: no row may match.")
    if len(edge.columns) > 1:
        return
    matching = look.match(edge, child, parent)
    if matching is None:
        yield problem("its values were not looked up, as the time was over.")
    elif not matching.values:
        why = "no row has these values of where and a value" if edge.where else "no row has a value"
        yield problem(f"it holds for no row now: {why}.")
    elif not matching.found:
        yield problem(f"none of {matching.values:,} values is in {parent.name}. Check tables and columns.", "error")
    elif matching.found < matching.values:
        gone = matching.values - matching.found
        yield problem(f"{gone:,} of {matching.values:,} values lead to no row of {parent.name}.")
    if not parent.is_unique(edge.other_columns) and not look.is_unique(parent, edge.other_columns[0]):
        yield problem(f"{parent.name}.{edge.other_columns[0]} does not identify a row: a row may lead to several.")

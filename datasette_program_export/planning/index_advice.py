"""Tells which references no index serves, with the command of sqlite-utils that adds the index."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import replace

from ..database.schema import ForeignKey, Index, Schema, fold
from ..database.source import Source
from ..selection.key_tables import index_serves


def index_notes(edges: Sequence[ForeignKey], schema: Schema, source: Source) -> list[str]:
    """Return a sentence for each of the ``edges``, which the walk found to have no index that serves it.

    It ends with a command, to be run by whoever keeps the database, if an index can serve the edge and the database
    is a file. ``schema`` is that of the whole database: names of indexes are taken from it."""
    taken = {fold(name) for name in schema} | {fold(i.name) for table in schema.values() for i in table.indexes}
    found = []
    for edge in edges:
        walked = f"{edge.table} is walked through once; large tables take a moment."
        if not _would_serve(edge, schema):
            there = f"{edge.other_table}.{','.join(edge.other_columns)}"
            why = f"{edge.name} and {there} differ in type or collation, so that no plain index serves the reference"
            found.append(f"{why}: {walked}")
            continue
        command = _command(edge, source.given or (source.path.name if source.path else None), taken)
        adds = f" This adds the index: {command}" if command else ""
        found.append(f"{edge.name} has no index, so {walked}{adds}")
    return found


def _would_serve(edge: ForeignKey, schema: Schema) -> bool:
    """Return whether an index as sqlite-utils makes it, with the columns' own collations, serves the edge."""
    child, parent = schema[edge.table], schema[edge.other_table]
    collations = tuple(child.collation(c) for c in edge.columns)
    made = Index("", edge.columns, collations, unique=False, origin="c", partial=False)
    return child.kind == "table" and index_serves(edge, replace(child, indexes=(made,)), parent)


def _command(edge: ForeignKey, file: str | None, taken: set[str]) -> str | None:
    """Return the command, and add its index's name to the ``taken`` ones; None if there is no command for it."""
    if file is None:
        return None
    if any(column.startswith("-") for column in edge.columns):  # create-index takes that for descending order
        return None if edge.virtual else shlex.join(["sqlite-utils", "index-foreign-keys", *_plain([file])])
    usual = "_".join(["idx", edge.table.replace(" ", "_"), *edge.columns])  # as create-index names it
    name, number = usual, 2
    while fold(name) in taken:
        name, number = f"{usual}_{number}", number + 1
    taken.add(fold(name))
    named = [] if name == usual else [f"--name={name}"]
    return shlex.join(["sqlite-utils", "create-index", *named, *_plain([file, edge.table, *edge.columns])])


def _plain(words: list[str]) -> list[str]:
    """Return the words so that none is taken for an option."""
    return ["--", *words] if any(word.startswith("-") for word in words) else words

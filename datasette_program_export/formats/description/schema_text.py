"""What a document does not carry of its schema, as sentences: the same for pages, command line and README.txt."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .phrases import ENGLISH, Say
from .schema import NOT_HERE, DocumentSchema, NotCarried

_SHOWN = 5
_ONE = {"index": "The index", "view": "The view", "trigger": "The trigger"}
_A = {"index": "An index", "view": "A view", "trigger": "A trigger"}
_SEVERAL = {"index": "indexes", "view": "views", "trigger": "triggers"}


def schema_sentences(schema: DocumentSchema) -> list[str]:
    """Return sentences about objects that are not carried, and about virtual tables that became plain ones."""
    found = not_carried_sentences(schema.not_carried)
    plain = [
        name
        for name, table in schema.tables.items()
        if table.kind in ("virtual", "shadow") and not table.sql.startswith("CREATE VIRTUAL TABLE")
    ]
    if len(plain) == 1:
        found.append(f"{plain[0]} was a virtual table, or a part of one: here it is a plain table with its rows.")
    elif plain:
        was = "were virtual tables, or parts of them: here they are plain tables with their rows"
        found.append(f"{len(plain)} tables {was} ({some(plain)}).")
    return found


def not_carried_sentences(parts: Iterable[NotCarried]) -> list[str]:
    """Return one sentence for each kind of objects, with the reason that most of them share."""
    kinds: dict[str, list[NotCarried]] = {}
    for part in parts:
        kinds.setdefault(part.type, []).append(part)
    found = []
    for kind, members in kinds.items():
        whys = [part.why for part in members]
        why = max(dict.fromkeys(whys), key=whys.count)
        names = [part.name or part.table for part in members]
        if kind not in _ONE:  # of tables: their triggers, their constraints
            found += [f"{part.table}: its {kind} are not all included, {part.why}." for part in members[:_SHOWN]]
            if len(members) > _SHOWN:
                found.append(f"{len(members) - _SHOWN} more tables: their {kind} are not all included.")
        elif why == NOT_HERE:  # a name may tell of a table that this person may not see
            many = len(members) > 1
            what = f"{len(members)} {_SEVERAL[kind]} are" if many else f"{_A[kind]} is"
            found.append(f"{what} not included: {'they need' if many else 'it needs'} what is not here.")
        elif len(members) == 1:
            found.append(f"{_ONE[kind]} {names[0]} is not included: {why}.")
        else:
            first = "" if len(set(whys)) == 1 else "for example, "
            found.append(f"{len(members)} {_SEVERAL[kind]} are not included ({some(names)}): {first}{why}.")
    return found


def some(names: Sequence[str], say: Say = ENGLISH) -> str:
    """Return the first of many names, and how many more there are."""
    rest = len(names) - _SHOWN
    if rest < 2:
        return ", ".join(names)
    return say("and_more", first=", ".join(names[:_SHOWN]), count=say.number(rest))

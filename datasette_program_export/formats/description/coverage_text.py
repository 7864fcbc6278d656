"""Coverage as sentences, the same for pages, command line and README.txt."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from .coverage import Coverage, LeftOut
from .schema_text import some

Labels = Mapping[str, tuple[str, str]]
Number = Callable[[int], str]
plain: Number = "{:,}".format
_MANY = 4  # tables left out for one reason that are told in one sentence
_SEVERAL = {  # by the first words of the reason
    "a view": "views are not included, as they are computed from tables ({}); export them by themselves.",
    "a search index": "search indexes are not included ({}); they can be made again from their tables.",
    "a cache": "caches are not included, as the application fills them again ({}); ask for them by name.",
}


def counted(table: str, rows: int, labels: Labels, number: Number = plain) -> str:
    """Return a count with a noun: ``3 charts``, or ``3 rows of charts`` if ``labels`` has no name for them."""
    if table in labels:
        return f"{number(rows)} {labels[table][rows != 1]}"
    of = f" of {table}" if table else ""
    return f"{number(rows)} row{'s' if rows != 1 else ''}{of}"


def coverage_sentences(coverage: Coverage, labels: Labels | None = None, number: Number = plain) -> list[str]:
    """Return sentences that say what was left out and why, and which references dangle."""
    names = labels or {}
    found = people_sentences(coverage)
    for w in coverage.withheld:
        whose = "not asked for" if w.why.startswith("a ") else "of a person not asked for"
        found.append(f"{counted(w.table, w.rows, names, number)} {whose}: not included ({w.along}).")
    for rule in coverage.by_rules:
        which = counted(rule.table, rule.rows, names, number)
        found.append(f"{which}: not included, withheld by the plugin {rule.plugin}: {rule.why}.")
    for hidden in coverage.no_permission:
        found.append(f"{hidden.table}: not included, as you may not see that table ({hidden.along}).")
    found += [f"{s.table}.{s.column}: not included, {s.why}." for s in coverage.secret]
    found += _left_out(coverage.left_out, number)
    for d in coverage.dangling:
        verb = "refers" if d.rows == 1 else "refer"
        parent = f"a {names[d.other_table][0]}" if d.other_table in names else f"a row of {d.other_table}"
        who = counted(d.table, d.rows, names, number)
        found.append(f"{who} {verb} to {parent} that is not included ({', '.join(d.columns)}).")
    return [*found, *coverage.warnings]


def _left_out(parts: Sequence[LeftOut], number: Number) -> list[str]:
    """Return a sentence for each part, or one for all tables of a kind if there are many."""
    tables: dict[str, list[str]] = {}
    for part in parts:
        if part.table is not None and part.column is None and part.why is not None:
            tables.setdefault(part.why, []).append(part.table)
    found: dict[str, None] = {}
    for part in parts:
        alike = tables.get(part.why or "", []) if part.column is None and part.reference is None else []
        if len(alike) >= _MANY:
            why = part.why or ""
            what = _SEVERAL.get(why.partition(",")[0], "tables are not included ({}): {}.")
            found[f"{number(len(alike))} {what.format(some(alike), why)}"] = None
            continue
        name = part.reference or ".".join(n for n in (part.table, part.column) if n is not None)
        found[f"{name}: not included, {part.why if part.why is not None else 'as you asked'}."] = None
    return list(found)


def people_sentences(coverage: Coverage) -> list[str]:
    """Return sentences that say which tables were taken for people, unless settings or a preset named them."""
    people = coverage.people
    if people is None or people.known_by not in ("guess", "request"):
        return []
    tables = listed(people.tables)
    asked = people.known_by == "request"
    if people.tables:
        taken = f"{tables} {'was' if len(people.tables) == 1 else 'were'} taken for people"
        how = "as was asked for" if asked else f"by {'their names' if people.tables[1:] else 'its name'} and columns"
        found = [f"{taken}, {how}: rows of people who were not asked for are not included."]
    elif asked:
        found = ["No table was taken for people, as was asked for: rows of other people may be included."]
    else:
        found = ["No table was taken for people: if some hold people, rows of others are included."]
    for table, columns in people.doubtful.items():
        found.append(f"{table} was not taken for people, although it has {listed(columns)}.")
    return found


def listed(names: Sequence[str]) -> str:
    """Return names as words: ``a, b and c``."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))

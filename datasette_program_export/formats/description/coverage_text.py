"""Coverage as sentences, the same for pages, command line and README.txt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from .coverage import Coverage, LeftOut, Withheld
from .file_text import file_sentences
from .phrases import ENGLISH, Say, listed
from .schema_text import some

Labels = Mapping[str, tuple[str, str]]
_MANY = 4  # tables left out for one reason that are told in one sentence
_SEVERAL = {  # by the first words of the reason
    "a view": "coverage.views",
    "a search index": "coverage.search_indexes",
    "a cache": "coverage.caches",
}


def counted(table: str, rows: int, labels: Labels, say: Say = ENGLISH) -> str:
    """Return a count with a noun: ``3 charts``, or ``3 rows of charts`` if ``labels`` has no name for them."""
    if table in labels:
        return f"{say.number(rows)} {labels[table][rows != 1]}"
    return say("rows_of", rows, table=table) if table else say("rows", rows)


def coverage_sentences(coverage: Coverage, labels: Labels | None = None, say: Say = ENGLISH) -> list[str]:
    """Return sentences that say what was left out and why, and which references dangle."""
    names = labels or {}
    found = people_sentences(coverage, say)
    found += [_withheld(part, names, say) for part in coverage.withheld]
    for rule in coverage.by_rules:
        which = counted(rule.table, rule.rows, names, say)
        found.append(say("coverage.by_rule", what=which, plugin=rule.plugin, why=say.known(rule.why)))
    found += [say("coverage.hidden", name=hidden.table, along=hidden.along) for hidden in coverage.no_permission]
    for s in coverage.secret:
        found.append(say("coverage.left_out", name=f"{s.table}.{s.column}", why=say.known(s.why)))
    found += dict.fromkeys(_left_out(coverage.left_out, say))
    for d in coverage.dangling:
        parent = say("coverage.a_row_of", table=d.other_table)
        if d.other_table in names:
            parent = say("coverage.one_of", label=names[d.other_table][0])
        columns, nowhere = ", ".join(d.columns), d.missing_in_source or 0
        for key, rows in (("coverage.dangling", d.rows - nowhere), ("coverage.nowhere", nowhere)):
            if rows:
                who = counted(d.table, rows, names, say)
                found.append(say(key, rows, who=who, parent=parent, columns=columns))
    return [*found, *file_sentences(coverage.files, say), *map(say.known, coverage.warnings)]


def _withheld(part: Withheld, names: Labels, say: Say) -> str:
    what = counted(part.table, part.rows, names, say)
    if part.why.startswith("a "):
        return say("coverage.person", what=what, along=part.along)
    return say("coverage.of_a_person", what=what, along=part.along)


def _left_out(parts: Sequence[LeftOut], say: Say) -> Iterator[str]:
    """Yield a sentence for each part, or one for all tables of a kind if there are many."""
    tables: dict[str, list[str]] = {}
    for part in parts:
        if part.table is not None and part.column is None and part.why is not None:
            tables.setdefault(part.why, []).append(part.table)
    for part in parts:
        alike = tables.get(part.why or "", []) if part.column is None and part.reference is None else []
        if len(alike) >= _MANY:
            yield _alike(alike, part.why or "", say)
            continue
        name = part.reference or ".".join(n for n in (part.table, part.column) if n is not None)
        if part.why is None:
            yield say("coverage.as_you_asked", name=name)
        else:
            yield say("coverage.left_out", name=name, why=say.known(part.why))


def _alike(tables: Sequence[str], why: str, say: Say) -> str:
    key, count = _SEVERAL.get(why.partition(",")[0]), say.number(len(tables))
    if key is not None:
        return say(key, count=count, tables=some(tables, say))
    return say("coverage.tables", count=count, tables=some(tables, say), why=say.known(why))


def people_sentences(coverage: Coverage, say: Say = ENGLISH) -> list[str]:
    """Return sentences that say which tables were taken for people, unless settings or a preset named them."""
    people = coverage.people
    if people is None or people.known_by not in ("guess", "request"):
        return []
    asked = people.known_by == "request"
    if people.tables:
        key = "people.asked" if asked else "people.guessed"
        found = [say(key, len(people.tables), tables=listed(people.tables, say))]
    else:
        found = [say("people.none_asked" if asked else "people.none_guessed")]
    for table, columns in people.doubtful.items():
        found.append(say("people.doubtful", table=table, columns=listed(columns, say)))
    return found

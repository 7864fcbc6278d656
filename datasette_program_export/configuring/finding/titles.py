"""What a table's rows are called, and the columns that name a row to a reader."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ...database.schema import Column, Table
from ...selection.people_names import birth_columns, name_columns
from ..names import label_and_plural, singular, words_of
from ..proposal import Found

_NAMES = (
    ("full", "name"), ("display", "name"), ("name",), ("title",), ("label",), ("company", "name"), ("subject",),
    ("headline",), ("caption",), ("username",), ("user", "name"), ("nickname",), ("login",), ("contact", "name"),
    ("bezeichnung",), ("titel",), ("nom",), ("nombre",), ("nome",), ("naam",), ("titre",), ("título",), ("titulo",),
)  # fmt: skip
_APART = (
    ("email",), ("e", "mail"), ("email", "address"), ("birth", "date"), ("date", "of", "birth"), ("city",),
    ("phone",), ("code",), ("number",), ("sku",), ("isbn",), ("date",), ("created", "at"), ("address",),
)  # fmt: skip
_LONG = 80  # characters of what names nothing
_FILLED, _DIFFERENT, _SOME = 0.8, 0.5, 0.2


def find_subject(table: Table, values: Mapping[str, Sequence[Any]], secrets: Collection[str], person: bool) -> Found:
    """Return what a table's rows are called; ``values`` are some of its rows by column, empty if none were read."""
    usable = [c for c in table.visible_columns if c.name not in secrets and not c.generated]
    label, plural = label_and_plural(table)
    title, why = _title(table, usable, values)
    said: dict[str, Any] = {"label": label, "plural": plural} if 0 < len(label) <= _LONG else {}
    if title:
        said["title"] = title
        apart = _told_apart(table, usable, values, title, person)
        if apart:
            said["told_apart_by"] = apart
    return Found(setting="subjects", table=table.name, value=said, why=why)


def _title(table: Table, usable: Sequence[Column], values: Mapping[str, Sequence[Any]]) -> tuple[list[str], str]:
    allowed = {c.name for c in usable}
    person = [name for name in name_columns(table) if name in allowed]
    if len(person) == 2:
        return person, "a first and a last name"
    by_words = {words_of(c.name): c.name for c in usable if _may_name(c)}
    one = tuple(map(singular, words_of(table.name)))
    named = [form for form in (*_NAMES, (*one, "name"), (*one[-1:], "name"), (*one, "title")) if form in by_words]
    filled = [by_words[form] for form in named if _share_filled(values.get(by_words[form])) >= _SOME]
    if filled:
        return [filled[0]], "its name"
    for column in usable if values else ():
        if column.pk:
            continue
        texts = [v for v in values.get(column.name, ()) if v is not None]
        if _may_name(column) and _names_rows(texts, len(values[column.name]) if column.name in values else 0):
            return [column.name], "the first column of short texts that differ"
    return [], "no column that names a row"


def _may_name(column: Column) -> bool:
    return column.affinity in ("TEXT", "BLOB", "NUMERIC") and column.type.upper() not in ("BLOB", "JSON", "BOOLEAN")


def _share_filled(values: Sequence[Any] | None) -> float:
    return sum(v not in (None, "") for v in values) / len(values) if values else 1.0


def _names_rows(texts: Sequence[Any], rows: int) -> bool:
    if not texts or not all(isinstance(t, str) for t in texts) or len(texts) < _FILLED * rows:
        return False
    short = sum(map(len, texts)) / len(texts) <= _LONG
    return short and len(set(texts)) >= _DIFFERENT * len(texts) and not any(t.startswith(("{", "[")) for t in texts)


def _told_apart(
    table: Table, usable: Sequence[Column], values: Mapping[str, Sequence[Any]], title: Sequence[str], person: bool
) -> list[str]:
    """Return a column that tells rows of one title apart: always of people, else where a title is there twice."""
    rows = list(zip(*(values.get(c, ()) for c in title)))
    if not person and len(set(rows)) == len(rows):
        return []
    by_words = {words_of(c.name): c.name for c in usable if c.name not in title}
    found = [by_words[form] for form in _APART if form in by_words]
    found += [c for c in birth_columns(table) if c in {u.name for u in usable}]
    return [c for c in found if _share_filled(values.get(c)) >= _SOME][:1]

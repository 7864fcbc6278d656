"""``datapackage.json``: a package as a Data Package, version 2 (https://datapackage.org/standard/data-package/).

A constraint is stated only if it holds for these rows as a validator sees it, which compares the values
of all columns of a key. A reference with dangling rows, or a key that SQLite compares in another way,
is described only with SQLite's own facts, under the key ``program_export``, so that the package
validates as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel
from pydantic import Field as PydanticField

from ..csv.spreadsheet import is_taken_for_something_else
from ..dataset import Dataset, Field
from ..description.column_facts import ColumnFacts
from ..description.coverage import Coverage
from ..description.integrity import Announced
from ..description.parsing import dumped
from ..registry import get_format, member_names

PROFILE = "https://datapackage.org/profiles/2.0/datapackage.json"
KEY = "program_export"
BLOBS = "blobs"  # the key of the files that are BLOBs of rows
FILES = "named_files"  # the key of the files that rows name by a path
VERSION = 1
# how to read a cell's text, and the Table Schema type for it
_TYPES = {"integer": "integer", "number": "number", "text": "string", "blob": "string", "mixed": "any"}


@dataclass(frozen=True)
class Resource:
    """One table's file; ``sha256`` returns its digest.

    ``facts`` are given for texts (csv, tsv), None if values show their storage class. ``in_files`` are the places of
    columns with BLOBs that are files of their own."""

    table: str
    fields: tuple[Field, ...]
    path: str
    form: str
    bytes: int
    sha256: Callable[[], str]
    facts: tuple[ColumnFacts, ...] | None
    in_files: frozenset[int] = frozenset()


class _File(BaseModel, strict=True):
    hash: str
    bytes: int


class _TableFile(_File):
    path: str
    format: str


class _Kind(BaseModel):
    kind: Literal["integer", "number", "text", "blob", "mixed", "file"]


class _Column(BaseModel):
    name: str
    missingValues: list[str]
    own: _Kind = PydanticField(alias="program_export")


class _Columns(BaseModel):
    fields_: list[_Column] = PydanticField(alias="fields")


class _Dialect(BaseModel):
    delimiter: str = PydanticField(min_length=1, max_length=1)


class _Described(BaseModel):
    schema_: _Columns = PydanticField(alias="schema")


class _Delimited(BaseModel):
    dialect: _Dialect


def check_files(found: Mapping[str, Any], importable: bool) -> None:
    """Check that each file is described as ``descriptor`` does, as far as reading needs it. Raises ValueError."""
    for file in found[KEY]["files"].values():
        _File.model_validate(file)
    for file in found[KEY].get(BLOBS, {}).values():
        if _File.model_validate(file).bytes < 0:
            raise ValueError("a file of less than no bytes")
    for resource in found["resources"]:
        name = _TableFile.model_validate(resource).format
        if name not in member_names():
            raise ValueError("no format whose files can be in a package")
        form = get_format(name)
        if importable and form.described:
            _Described.model_validate(resource)
        if importable and form.delimiter is not None:
            _Delimited.model_validate(resource)


def descriptor(
    dataset: Dataset,
    name: str,
    resources: Sequence[Resource],
    files: Mapping[str, Any],
    apart: Mapping[str, Any],
    dialect: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """Return the descriptor, after all tables are written; ``files`` are its other files.

    ``apart`` are those with values of rows, by their key."""
    coverage = dataset.coverage()
    delimiter = dialect["delimiter"] if dialect else None
    written = {r.table: r for r in resources}
    named = resource_names([r.path for r in resources])
    integrity = dataset.integrity()
    return {
        "$schema": PROFILE,
        "name": name,
        "created": dataset.head["created_at"],
        "resources": [_resource(dataset, r, written, named, coverage, integrity, delimiter) for r in resources],
        KEY: {
            "format": "package",
            "version": VERSION,
            "export": dataset.head,
            "schema": dumped(dataset.schema),
            "dialect": dialect,
            "coverage": dumped(coverage),
            "files": dict(files),
            **{key: found for key, found in apart.items() if found},
            "integrity": {**dumped(integrity), "complete": True},
        },
    }


def resource_names(paths: Sequence[str]) -> dict[str, str]:
    """Return a name for each path, with only the characters that every version of the standard allows."""
    taken: set[str] = set()
    found = {}
    for path in paths:
        stem = path.removeprefix("data/").rpartition(".")[0].lower()
        base = "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "-" for c in stem)
        name, number = base, 1
        while name in taken:
            number += 1
            name = f"{base}-{number}"
        taken.add(name)
        found[path] = name
    return found


def _resource(
    dataset: Dataset,
    resource: Resource,
    written: Mapping[str, Resource],
    named: Mapping[str, str],
    coverage: Coverage,
    integrity: Announced,
    delimiter: str | None,
) -> dict[str, Any]:
    facts = dataset.schema.tables[resource.table]
    form = get_format(resource.form)
    fields = list(map(_field, resource.fields, resource.facts or [None] * len(resource.fields)))
    for place in resource.in_files if resource.facts else ():
        if fields[place][KEY]["kind"] == "blob":
            del fields[place]["format"]
            fields[place][KEY]["kind"] = "file"
    if not form.described:  # NULL has its own word, as in JSON, and an empty text is a text
        fields = [{**field, "missingValues": []} for field in fields]
    schema: dict[str, Any] = {"fields": fields}
    if facts.primary_key and _is_key(resource, facts.primary_key):
        schema["primaryKey"] = facts.primary_key
    unique = [key for key in facts.unique_keys if _is_key(resource, key)]
    if unique:
        schema["uniqueKeys"] = unique
    if keys := list(_foreign_keys(dataset, resource, written, named, coverage)):
        schema["foreignKeys"] = keys
    described: dict[str, Any] = {
        "name": named[resource.path],
        "title": resource.table,
        "path": resource.path,
        "format": resource.form,
        "mediatype": form.media_type.partition(";")[0],
        "encoding": "utf-8",
        "bytes": resource.bytes,
        "hash": f"sha256:{resource.sha256()}",
    }
    if delimiter is not None:
        described["dialect"] = {**_DIALECT, "delimiter": delimiter}
        if not all(_is_read_as_it_is(f.name, guarded=resource.facts is None) for f in resource.fields):
            described["dialect"] |= {
                "header": False,
                "commentRows": [1],
            }  # columns are found by their position, not by the header
    return {
        **described,
        "schema": schema,
        KEY: {"table": resource.table, **dumped(integrity.tables[resource.table])},
    }


# stated in full, because readers guess from the rows what is not stated
_DIALECT = {"lineTerminator": "\r\n", "quoteChar": '"', "doubleQuote": True, "skipInitialSpace": False}


def _is_read_as_it_is(name: str, guarded: bool) -> bool:
    """Return whether readers find this name in the header: they strip names, skip empty ones, and see a guard."""
    stripped = name.strip().strip("\ufeff")
    return bool(name) and name == stripped and not (guarded and is_taken_for_something_else(name))


def _field(field: Field, facts: ColumnFacts | None) -> dict[str, Any]:
    """Return one column: its type as these values show it, and SQLite's own."""
    own: dict[str, Any] = {"type": field.type}
    own |= {k: True for k, v in (("json", field.holds_json), ("generated", field.generated)) if v}
    if facts is None:
        return {"name": field.name, "type": "any", KEY: own}
    own["kind"] = facts.kind
    found: dict[str, Any] = {"name": field.name, "type": _TYPES[facts.kind]}
    if facts.kind == "blob":
        found["format"] = "binary"
    if facts.kind in ("integer", "number") and facts.has_infinity:
        found["type"] = "any"  # the standard spells infinity differently
    found["missingValues"] = [facts.null] if facts.has_null else []
    return {**found, KEY: own}


def _is_key(resource: Resource, columns: Sequence[str]) -> bool:
    """Return whether a unique key of SQLite's holds for every reader: no NULL, and values that stay different."""
    if resource.facts is None:
        return False
    by_name = {f.name: facts for f, facts in zip(resource.fields, resource.facts)}
    return all(c in by_name and _stays_apart(by_name[c], resource.form) for c in columns)


def _stays_apart(facts: ColumnFacts, form: str) -> bool:
    if facts.has_null:
        return False
    if {int, float} <= facts.classes:  # 1152921504606846976.0 may be spelled as the integer 1152921504606847000
        return facts.kind == "mixed" or facts.has_infinity
    member = get_format(form).member
    assert member is not None
    return member.keeps_line_ends or facts.kind != "text" or not facts.has_carriage_return  # \r\n may be read as \n


def _foreign_keys(
    dataset: Dataset,
    resource: Resource,
    written: Mapping[str, Resource],
    named: Mapping[str, str],
    coverage: Coverage,
) -> Any:
    """Yield the references that hold in this package by plain equality, the only comparison of the standard."""
    dangling = coverage.dangling_by_reference
    for key in dataset.schema.tables[resource.table].foreign_keys:
        parent = written.get(key.table)
        if parent is None or key.where or (resource.table, key.columns, key.table) in dangling:
            continue  # the standard has no condition for a reference
        if resource.facts is None or parent.facts is None:
            continue
        mine = {f.name: facts.kind for f, facts in zip(resource.fields, resource.facts)}
        nulls = {f.name for f, facts in zip(resource.fields, resource.facts) if facts.has_null}
        if len(key.columns) > 1 and not nulls.isdisjoint(key.columns):
            continue  # one NULL satisfies SQLite, but a validator needs NULL in all columns
        theirs = {f.name: facts.kind for f, facts in zip(parent.fields, parent.facts)}
        collated = {c.name for c in dataset.schema.tables[key.table].columns if c.collation is not None}
        if any(c in collated or c not in theirs for c in key.other_columns):
            continue
        pairs = zip(key.columns, key.other_columns)
        if any(mine.get(a) != theirs[b] or theirs[b] in ("mixed", "number") for a, b in pairs):
            continue
        named_files = [r.fields[place].name for r in (resource, parent) for place in r.in_files]
        if not {*key.columns, *key.other_columns}.isdisjoint(named_files):
            continue  # equal BLOBs are files of different names
        reference: dict[str, Any] = {"fields": key.other_columns}
        if parent.table != resource.table:
            reference = {"resource": named[parent.path], **reference}
        yield {"fields": key.columns, "reference": reference}

"""``datapackage.json``: what a package holds, as a Data Package, version 2 (https://datapackage.org/standard/data-package/).

Only what holds for these very rows is stated as a constraint: a reference with dangling
rows, or one that SQLite compares otherwise than by equal values, stands with SQLite's own
facts, under the key ``program_export``, so that the package validates as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel
from pydantic import Field as PydanticField

from ..facts import ColumnFacts
from ..records import Dataset, Field

PROFILE = "https://datapackage.org/profiles/2.0/datapackage.json"
KEY = "program_export"
VERSION = 1
# how a cell's text is to be read back, and what that is called in a Table Schema
_TYPES = {"integer": "integer", "number": "number", "text": "string", "blob": "string", "mixed": "any"}


@dataclass(frozen=True)
class Resource:
    """One table's file: ``facts`` are known for texts (csv, tsv), None where values show their class."""

    table: str
    fields: tuple[Field, ...]
    path: str
    form: str
    bytes: int
    sha256: str
    facts: tuple[ColumnFacts, ...] | None


class _File(BaseModel, strict=True):
    hash: str
    bytes: int


class _TableFile(_File):
    path: str
    format: Literal["csv", "tsv", "ndjson"]


class _Kind(BaseModel):
    kind: Literal["integer", "number", "text", "blob", "mixed"]


class _Column(BaseModel):
    name: str
    missingValues: list[str]
    own: _Kind = PydanticField(alias="program_export")


class _Columns(BaseModel):
    fields_: list[_Column] = PydanticField(alias="fields")


class _Dialect(BaseModel):
    delimiter: str = PydanticField(min_length=1, max_length=1)


class _Text(BaseModel):
    schema_: _Columns = PydanticField(alias="schema")
    dialect: _Dialect


def check_files(found: Mapping[str, Any], importable: bool) -> None:
    """Raise ValueError where a file is not described as ``descriptor`` does it, as far as reading it needs."""
    for file in found[KEY]["files"].values():
        _File.model_validate(file)
    for resource in found["resources"]:
        _TableFile.model_validate(resource)
        if importable and resource["format"] != "ndjson":
            _Text.model_validate(resource)


def descriptor(
    dataset: Dataset,
    name: str,
    resources: Sequence[Resource],
    files: Mapping[str, Any],
    dialect: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """The descriptor, when all tables have been written; ``files`` are the package's other files."""
    coverage = dataset.coverage()
    delimiter = dialect["delimiter"] if dialect else None
    written = {r.table: r for r in resources}
    named = resource_names([r.path for r in resources])
    integrity = {**dataset.integrity(), "complete": True}
    return {
        "$schema": PROFILE,
        "name": name,
        "created": dataset.head["created_at"],
        "resources": [_resource(dataset, r, written, named, coverage, integrity, delimiter) for r in resources],
        KEY: {
            "format": "package",
            "version": VERSION,
            "export": dataset.head,
            "schema": dataset.schema,
            "dialect": dialect,
            "coverage": coverage,
            "files": dict(files),
            "integrity": integrity,
        },
    }


def resource_names(paths: Sequence[str]) -> dict[str, str]:
    """A name for each path, of the characters that every version of the standard allows."""
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
    coverage: Mapping[str, Any],
    integrity: Mapping[str, Any],
    delimiter: str | None,
) -> dict[str, Any]:
    facts = dataset.schema["tables"][resource.table]
    schema: dict[str, Any] = {
        "fields": list(map(_field, resource.fields, resource.facts or [None] * len(resource.fields)))
    }
    if facts["primary_key"] and _never_null(resource, facts["primary_key"]):
        schema["primaryKey"] = facts["primary_key"]
    unique = [key for key in facts.get("unique_keys", []) if _never_null(resource, key)]
    if unique:
        schema["uniqueKeys"] = unique
    if keys := list(_foreign_keys(dataset, resource, written, named, coverage)):
        schema["foreignKeys"] = keys
    described: dict[str, Any] = {
        "name": named[resource.path],
        "title": resource.table,
        "path": resource.path,
        "format": resource.form,
        "mediatype": _MEDIA_TYPES[resource.form],
        "encoding": "utf-8",
        "bytes": resource.bytes,
        "hash": f"sha256:{resource.sha256}",
    }
    if delimiter is not None:
        described["dialect"] = {"delimiter": delimiter, "lineTerminator": "\r\n", "quoteChar": '"'}
    return {
        **described,
        "schema": schema,
        KEY: {"table": resource.table, **integrity["tables"][resource.table]},
    }


_MEDIA_TYPES = {"csv": "text/csv", "tsv": "text/tab-separated-values", "ndjson": "application/x-ndjson"}


def _field(field: Field, facts: ColumnFacts | None) -> dict[str, Any]:
    """One column: its type as these values show it, and SQLite's own."""
    own: dict[str, Any] = {"type": field.type}
    own |= {k: True for k, v in (("json", field.holds_json), ("generated", field.generated)) if v}
    if facts is None:
        return {"name": field.name, "type": "any", KEY: own}
    own["kind"] = facts.kind
    found: dict[str, Any] = {"name": field.name, "type": _TYPES[facts.kind]}
    if facts.kind == "blob":
        found["format"] = "binary"
    if facts.kind in ("integer", "number") and facts.has_infinity:
        found["type"] = "any"  # the standard's word for infinity is another
    found["missingValues"] = [facts.null] if facts.has_null else []
    return {**found, KEY: own}


def _never_null(resource: Resource, columns: Sequence[str]) -> bool:
    if resource.facts is None:
        return False
    by_name = {f.name: facts for f, facts in zip(resource.fields, resource.facts)}
    return all(c in by_name and not by_name[c].has_null for c in columns)


def _foreign_keys(
    dataset: Dataset,
    resource: Resource,
    written: Mapping[str, Resource],
    named: Mapping[str, str],
    coverage: Mapping[str, Any],
) -> Any:
    """The references that hold in this package by plain equality, which is all that the standard knows."""
    dangling = {(d["table"], tuple(d["columns"]), d["other_table"]) for d in coverage["dangling"]}
    for key in dataset.schema["tables"][resource.table]["foreign_keys"]:
        parent = written.get(key["table"])
        if parent is None or (resource.table, tuple(key["columns"]), key["table"]) in dangling:
            continue
        if resource.facts is None or parent.facts is None:
            continue
        mine = {f.name: facts.kind for f, facts in zip(resource.fields, resource.facts)}
        theirs = {f.name: facts.kind for f, facts in zip(parent.fields, parent.facts)}
        collated = {c["name"] for c in dataset.schema["tables"][key["table"]]["columns"] if "collation" in c}
        if any(c in collated or c not in theirs for c in key["other_columns"]):
            continue
        pairs = zip(key["columns"], key["other_columns"])
        if any(mine.get(a) != theirs[b] or theirs[b] in ("mixed", "number") for a, b in pairs):
            continue
        reference = {"fields": key["other_columns"]}
        if parent.table != resource.table:
            reference = {"resource": named[parent.path], **reference}
        yield {"fields": key["columns"], "reference": reference}

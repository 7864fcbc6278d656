"""Pydantic models of a document's description: the contract for readers, and the source of its JSON Schema."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

import msgspec
from pydantic import BaseModel, ConfigDict, Field

from ..errors import UnreadableError
from ..files.beside import Beside, Hash
from ..files.reading_limits import LARGE, Limits
from .dataset import Dataset, TableStream
from .dataset import Field as TableField
from .description.coverage import Coverage, parsed_coverage
from .description.integrity import parsed_integrity
from .description.parsing import dumped
from .description.schema import DocumentSchema, parsed_schema

Fields = tuple[TableField, ...]


def proving_itself(
    body: Iterator[bytes], dataset: Dataset, beside: Beside, end: Callable[[dict[str, Any]], bytes]
) -> Iterator[bytes]:
    """Yield the body of a document and its end, which ``end`` makes of the counts and digests."""
    hashed = Hash(beside)
    for chunk in body:
        hashed.update(chunk)
        yield chunk
    yield end({**dumped(dataset.integrity()), "document": hashed.hexdigest(), "complete": True})


def described_dataset(
    head: Mapping[str, Any],
    known: tuple[str, int],
    tables: Callable[[Mapping[str, Fields]], Iterator[TableStream]],
    tail: Mapping[str, Any],
    where: str = "The description at the beginning",
) -> Dataset:
    """Return the dataset of a document by its description at the beginning, ``head``.

    ``known`` is the format's name and version, ``tables`` reads the rows of the tables with these columns, and fills
    ``tail`` with what stands at the end. Raises UnreadableError, which calls the head ``where``."""
    name, version = known
    try:
        schema = parsed_schema(head["schema"])
        if head["version"] != version:
            raise UnreadableError(f"This is version {head['version']} of {name}; version {version} is known.")
        export = head["export"]
    except (KeyError, TypeError, AttributeError):
        raise UnreadableError(f"{where} is not as this program writes it.") from None
    return Dataset(
        head=export,
        schema=schema,
        tables=tables(tables_of(schema)),
        coverage=lambda: parsed_coverage(tail["coverage"]),
        integrity=lambda: parsed_integrity(tail["integrity"]),
    )


def description(data: bytes, where: str, limits: Limits) -> Mapping[str, Any]:
    """Parse a JSON object of a description; ``where`` names it in errors. Raises UnreadableError."""
    if len(data) > limits.description:
        raise UnreadableError(f"{where} is far too large.")
    limits.few_parts(data, where)
    if len(data) > LARGE:
        limits.turn()
    try:
        found = msgspec.json.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise UnreadableError(f"{where} cannot be read: it is not JSON as this program writes it.")
    return found


def check_integrity(found: Any, document: str) -> None:
    """Check that this is the end of a complete document with that digest. Raises UnreadableError if it is not."""
    if not isinstance(found, dict) or list(found) != ["rows", "tables", "document", "complete"]:
        raise UnreadableError("The end is not as this program writes it.")
    if found["document"] != document:
        raise UnreadableError("The file was changed after it was written: its digest is another.", "changed")
    if found["complete"] is not True:
        raise UnreadableError("The file says itself that it is not complete.")


def tables_of(schema: DocumentSchema) -> dict[str, Fields]:
    """Return the columns of each table of a document's schema."""
    return {
        name: tuple(TableField(c.name, c.type, c.json, c.generated) for c in table.columns)
        for name, table in schema.tables.items()
    }


DIALECT = "https://json-schema.org/draft/2020-12/schema"


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", defer_build=True)  # only the JSON Schema needs them, not an export


class Proven(_Model):
    """The proof that the document was imported into a new database, which then held exactly what it announces."""

    at: str
    seconds: float = Field(description="What the proof took.")
    tables: int
    rows: int


class Head(_Model):
    """The origin of a document."""

    created_at: str = Field(description="UTC, as 2026-11-24T04:05:06Z.")
    generator: str = Field(description="The program and its version.")
    source: str = Field(description="The database's name.")
    scope: Literal["record", "table", "query", "database"]
    request: dict[str, Any] = Field(description="What was asked for; what was at its default is not written.")
    proven: Proven | None = None
    preset: str | None = Field(default=None, description="The known application whose database it was taken for.")


class TableIntegrity(_Model):
    """A table's row count and digest (docs/programjson.md)."""

    rows: int
    sha256: str = Field(pattern="^[0-9a-f]{64}$")


class Integrity(_Model):
    """The end of a document, which shows that it is complete."""

    rows: int
    tables: dict[str, TableIntegrity]
    document: str = Field(pattern="^[0-9a-f]{64}$", description='SHA-256 of every byte before the "integrity" key.')
    complete: Literal[True]


class Document(_Model):
    """A programjson document, version 1."""

    format: Literal["programjson"]
    version: Literal[1]
    export: Head
    schema_: DocumentSchema = Field(alias="schema")
    tables: dict[str, list[dict[str, Any]]] = Field(
        description="Rows by table. A value: null, number, string; an embedded JSON object or array; or a tag: "
        '{"$real": "Infinity"}, {"$base64": true, "encoded": ...}, the latter with "type": "text" for a text '
        "that is not UTF-8."
    )
    coverage: Coverage
    integrity: Integrity


def json_schema(model: type[BaseModel]) -> dict[str, Any]:
    """Return the JSON Schema of a model, draft 2020-12."""
    return {"$schema": DIALECT, **model.model_json_schema(by_alias=True, mode="validation")}

"""The schema in a document: its tables, and the other objects of its database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from .parsing import CLOSED, parsed

NOT_HERE = "it needs what is not here"  # a reason that hides SQLite's own, which would name a hidden table
TableKind = Literal["view", "query", "virtual", "shadow"]
ObjectKind = Literal["index", "view", "virtual", "trigger"]
Encoding = Literal["UTF-8", "UTF-16le", "UTF-16be"]


@dataclass(frozen=True)
class DocumentColumn:
    """A column as it was declared."""

    __pydantic_config__ = CLOSED

    name: str
    type: Annotated[str, Field(description="The declared type; empty where there is none.")]
    collation: Annotated[str | None, Field(description="Of a column that others refer to, unless BINARY.")] = None
    json: Annotated[bool, Field(description="Its texts that are JSON are embedded.")] = False
    generated: Annotated[bool, Field(description="SQLite computes it: not in the digest, not to be loaded.")] = False


@dataclass(frozen=True)
class DocumentReference:
    """A foreign key."""

    __pydantic_config__ = CLOSED

    columns: tuple[str, ...]
    table: str
    other_columns: tuple[str, ...]
    where: Annotated[
        Mapping[str, tuple[str | int, ...]],
        Field(description="It holds only for rows that have one of these values in each of these columns."),
    ] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class DocumentTable:
    """A table's columns and keys."""

    __pydantic_config__ = CLOSED

    columns: Annotated[tuple[DocumentColumn, ...], Field(min_length=1)]
    primary_key: tuple[str, ...]
    foreign_keys: tuple[DocumentReference, ...]
    strict: bool = False
    unique_keys: Annotated[tuple[tuple[str, ...], ...], Field(description="Keys beside the primary one.")] = ()
    kind: Annotated[TableKind | None, Field(description="Where it was no ordinary table.")] = None
    sql: Annotated[str, Field(description="The CREATE TABLE that makes it anew, of the columns that are in.")]


@dataclass(frozen=True)
class DocumentObject:
    """An index, view, search index (virtual) or trigger that works with these tables; made after the rows."""

    __pydantic_config__ = CLOSED

    type: ObjectKind
    name: str
    table: str
    sql: str


@dataclass(frozen=True, kw_only=True)
class NotCarried:
    """A part of the source's schema that the document does not carry, and why."""

    __pydantic_config__ = CLOSED

    type: str
    name: str | None = None
    table: str
    why: str


@dataclass(frozen=True)
class DatabaseFacts:
    """Facts of the database as a whole."""

    __pydantic_config__ = CLOSED

    encoding: Encoding
    user_version: int = 0
    application_id: int = 0
    analyzed: Annotated[bool, Field(description="It has statistics for the query planner (ANALYZE).")] = False
    sequences: Annotated[
        Mapping[str, Any] | SkipJsonSchema[None],
        Field(description="Of AUTOINCREMENT: the last key that was given.", json_schema_extra={"default": {}}),
    ] = None

    @property
    def numbers(self) -> dict[str, int]:
        """SQLite's numbers that are not 0, by the name of their PRAGMA."""
        numbers = {"user_version": self.user_version, "application_id": self.application_id}
        return {name: number for name, number in numbers.items() if number}


@dataclass(frozen=True)
class DocumentSchema:
    """The schema of the document's tables, in their order."""

    __pydantic_config__ = CLOSED

    tables: Mapping[str, DocumentTable]
    deferred: Annotated[tuple[str, ...], Field(description="References that the order of the tables cannot satisfy.")]
    objects: tuple[DocumentObject, ...]
    not_carried: tuple[NotCarried, ...]
    database: DatabaseFacts


def parsed_schema(found: Any) -> DocumentSchema:
    """A schema from its JSON value. Raises UnreadableError."""
    return parsed(DocumentSchema, found, "The schema is not as this program writes it.")

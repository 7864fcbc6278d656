"""The coverage in a document: what it holds, what it leaves out, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import Field

from ...files.rooted.walking import Why
from .parsing import CLOSED, parsed

ReferenceKey = tuple[str, tuple[str, ...], str]  # table, columns, other table


@dataclass(frozen=True)
class Group:
    """The rows of one table, counted by the reason for which they are included."""

    __pydantic_config__ = CLOSED

    belongs: int
    needed: int


@dataclass(frozen=True)
class Withheld:
    """Rows of people who were not asked for."""

    __pydantic_config__ = CLOSED

    table: str
    along: Annotated[str, Field(description="The reference, as child.column.")]
    direction: Literal["down", "up"]
    rows: int
    why: str


@dataclass(frozen=True)
class WithheldByRule:
    """Rows that a plugin of the program that exported withholds from every export."""

    __pydantic_config__ = CLOSED

    table: str
    rows: int
    plugin: str
    why: str


@dataclass(frozen=True)
class NoPermission:
    """A table that the person may not see, to which a visible table refers."""

    __pydantic_config__ = CLOSED

    table: str
    along: str


@dataclass(frozen=True)
class Secret:
    """A column that was left out as secret."""

    __pydantic_config__ = CLOSED

    table: str
    column: str
    why: str


@dataclass(frozen=True)
class LeftOut:
    """A table, a column or a reference that was left out; without ``why``, on request."""

    __pydantic_config__ = CLOSED

    table: str | None = None
    column: str | None = None
    reference: str | None = None
    why: str | None = None


@dataclass(frozen=True)
class Dangling:
    """A foreign key of rows in the document whose parents are not in it."""

    __pydantic_config__ = CLOSED

    table: str
    columns: tuple[str, ...]
    other_table: str
    other_columns: tuple[str, ...]
    rows: int
    missing_in_source: Annotated[int | None, Field(description="How many of them lead nowhere in the source too.")] = (
        None
    )
    virtual: Annotated[bool, Field(description="A reference that only settings declare.")] = False

    @property
    def reference(self) -> ReferenceKey:
        """The key that identifies the reference."""
        return self.table, self.columns, self.other_table


@dataclass(frozen=True)
class People:
    """The tables of people by which rows of others were told, as far as this person may see them."""

    __pydantic_config__ = CLOSED

    tables: tuple[str, ...]
    known_by: Annotated[
        Literal["request", "settings", "preset", "guess"],
        Field(description="Who said so; `guess`: nobody, their names and columns sound like people."),
    ]
    doubtful: Annotated[
        Mapping[str, tuple[str, ...]],
        Field(
            description="Exported tables, and those that they refer to, with columns that sound like people's, which "
            "were not taken for people."
        ),
    ] = field(default_factory=dict)


@dataclass(frozen=True)
class FileGap:
    """Files that rows name and that are not in the document, for one reason."""

    __pydantic_config__ = CLOSED

    why: Annotated[
        Why,
        Field(
            description="`missing`: not there; `outside`: no path within its folder; `link`: a link is on the way; "
            "`special`: no ordinary file; `denied`: cannot be read; `changed`: while it was read; `database`: a "
            "database; `large`, `full`: more than the settings allow; `form`: this kind of file holds none."
        ),
    ]
    files: int
    names: Annotated[tuple[str, ...], Field(description="The first of them, as the rows name them.")] = ()


@dataclass(frozen=True)
class ColumnFiles:
    """The files that a column's values name: how many different ones, and how many of them are in the document."""

    __pydantic_config__ = CLOSED

    table: str
    column: str
    named: int
    inside: int
    bytes: Annotated[int, Field(description="Of those that are in it, each counted where it is named first.")]
    gaps: tuple[FileGap, ...] = ()


@dataclass(frozen=True)
class Coverage:
    """What the document holds, what it leaves out, and why."""

    __pydantic_config__ = CLOSED

    tables: Mapping[str, Group]
    withheld: tuple[Withheld, ...]
    no_permission: tuple[NoPermission, ...]
    secret: tuple[Secret, ...]
    left_out: tuple[LeftOut, ...]
    dangling: tuple[Dangling, ...]
    warnings: tuple[str, ...]
    people: People | None = None
    by_rules: tuple[WithheldByRule, ...] = ()
    files: tuple[ColumnFiles, ...] = ()

    @property
    def dangling_by_reference(self) -> dict[ReferenceKey, int]:
        """The number of rows with a dangling reference, by reference."""
        return {d.reference: d.rows for d in self.dangling}


EMPTY = Coverage({}, (), (), (), (), (), ())


def parsed_coverage(found: Any) -> Coverage:
    """Parse a coverage from its JSON value. Raises UnreadableError."""
    return parsed(Coverage, found, "What the file says of itself is not as this program writes it.")

"""A plan as data: tables, columns, and the references between them."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema, field_serializer, field_validator

from ..formats.description.coverage import EMPTY, Coverage
from ..formats.description.parsing import dumped


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PlannedColumn(_Model):
    """One column of a planned table."""

    name: str
    type: str = Field(description="The declared type, as it was written.")
    left_out: str | None = Field(default=None, description="Why the column is not in the file: `as you asked`, …")


class Sampled(_Model):
    """What a look at some rows of a table told."""

    rows: int = Field(description="How many rows were looked at.")
    binary: dict[str, int] = Field(default={}, description="Per column: how many of them hold binary data.")
    long_texts: dict[str, int] = Field(
        default={}, description="Per column: how many of them hold a text longer than a spreadsheet's cell."
    )
    many_digits: dict[str, int] = Field(
        default={}, description="Per column: how many of them hold a number of more than 15 digits."
    )
    mistakable: dict[str, list[str]] = Field(
        default={},
        description="Per column: what a plain csv does not tell apart (untyped, texts, odd, empty).",
    )
    dates: list[str] = Field(default=[], description="The columns that hold dates, as far as these rows tell.")


class PlannedTable(_Model):
    """One table of the plan. References are spelled ``child.column``."""

    table: str
    label: str = Field(description="What so many of its rows are called, where somebody said.")
    belongs: int = Field(description="Rows that belong to what was asked for.")
    needed: int = Field(description="Rows that the others point to.")
    because: str | None = Field(default=None, description="The first reference by which rows came that belong.")
    under: str | None = Field(default=None, description="The table from which that reference was followed.")
    needed_because: str | None = Field(default=None, description="The first reference by which needed rows came.")
    needed_under: str | None = Field(default=None, description="The table whose rows point to those.")
    bytes: int | None = Field(default=None, description="About how large its rows are as JSON, by a sample.")
    bytes_error: int | None = Field(
        default=None,
        description="How far `bytes` may be off, to either side, 19 times out of 20 (1.96 standard errors).",
    )
    spreadsheet_bytes: int | None = Field(default=None, description="About how large as a file for a spreadsheet.")
    zipped_bytes: int | None = Field(default=None, description="About how large it is in a zip of plain tables.")
    page_bytes: int | None = Field(default=None, description="About how large it is in a page that people read.")
    value_bytes: int | None = Field(default=None, description="About how large its texts and binary data are.")
    columns: list[PlannedColumn] = Field(default=[], description="Its columns, those that are left out too.")
    sampled: Sampled | None = None

    @property
    def rows(self) -> int:
        """The number of rows in both groups."""
        return self.belongs + self.needed


class PlannedReference(_Model):
    """A reference that touches an exported table: followed, or not and why, and what it leaves behind."""

    name: str = Field(description="`child.column`, as `_export_stop` takes it.")
    table: str = Field(description="The table whose rows point.")
    columns: list[str]
    other_table: str = Field(description="The table that they point to.")
    where: dict[str, list[str | int]] = Field(
        default={}, description="For which rows it holds: columns with their values; all rows if there are none."
    )
    followed: bool = Field(description="Whether rows came, or could have come, along it.")
    why_not: str | None = Field(default=None, description="Why it was not followed.")
    stopped: bool = Field(default=False, description="Whether that was asked for: `_export_stop`.")
    withheld: int = Field(default=0, description="Rows of people not asked for that were met along it and left.")
    dangling: int = Field(default=0, description="Exported rows that point along it to a row that is not exported.")
    cyclic: bool = Field(default=False, description="Whether it closes a circle, so that no order has parents first.")


class Plan(_Model):
    """What an export would hold.

    ``complete`` is false when the counting took longer than ``plan_seconds``: the counts
    then read "at least", and there is no coverage."""

    source: str
    preset: str | None
    scope: str = Field(description="`record`, `table`, `query` or `database`.")
    subject: str | None = Field(description="The table that was asked for, if it was one.")
    title: str
    told_apart: str = Field(default="", description="What tells it from others of the same title.")
    tables: list[PlannedTable]
    references: list[PlannedReference] = Field(default=[], description="The references between these tables.")
    rows: int
    bytes: int | None
    bytes_error: int | None = Field(default=None, description="How far `bytes` may be off, 19 times out of 20.")
    picture_bytes: int = Field(
        default=0, description="Bytes of the files that a page shows as pictures, by the endings of their names."
    )
    complete: bool
    coverage: Annotated[Coverage, WithJsonSchema({"additionalProperties": True, "title": "Coverage", "type": "object"})]
    labels: dict[str, tuple[str, str]] = Field(description="Per table: what one of its rows is called, and several.")
    parents: str | None = Field(default=None, description="`needed` or `none`, where references are followed.")
    person: list[str] = Field(
        default=[], description="The tables that were guessed to hold people, as `_export_person` takes them."
    )
    confidential: list[str] = Field(default=[], description="The tables that the export page asks about first.")
    can_cascade: bool = Field(description="Whether references could be followed from the subject's rows.")
    notes: list[str] = Field(description="What is worth knowing before: slow references, unfinished counts.")

    @field_validator("coverage", mode="before")
    @classmethod
    def _empty_where_unknown(cls, value: Any) -> Any:
        return EMPTY if value == {} else value

    @field_serializer("coverage")
    def _as_in_a_document(self, value: Coverage) -> dict[str, Any]:
        return dumped(value) if self.complete else {}

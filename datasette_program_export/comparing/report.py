"""The result of a comparison: per table how many rows are unchanged, changed, gone and new, and some of them."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ChangedValue(_Model):
    """The two values of one column in one row."""

    before: Any
    after: Any


class Difference(_Model):
    """One row that is not the same on both sides. A value that counts as secret is never in it."""

    table: str
    kind: Literal["changed", "gone", "new"]
    key: dict[str, Any] = Field(default={}, description="The row's key; empty where rows are compared by value.")
    columns: dict[str, ChangedValue] = Field(default={}, description="Of a changed row: what differs.")
    row: dict[str, Any] = Field(default={}, description="Of a row that is gone or new: its values.")
    times: int = Field(default=1, description="How many such rows, where rows are compared by value.")
    person: dict[str, Any] = Field(default={}, description="Whose row it is, where people are known.")


class PersonCounts(_Model):
    """How many rows of one person differ in one table."""

    key: dict[str, Any] = Field(description="The person, by the columns by which rows refer to people.")
    changed: int = 0
    gone: int = 0
    new: int = 0


class ComparedTable(_Model):
    """One table. ``status`` is ``skipped`` where one side says that it leaves the table out."""

    status: Literal["compared", "gone", "new", "skipped"] = "compared"
    now: str | None = Field(default=None, description="Its other name on the second side, as it was mapped.")
    before: int = Field(default=0, description="Rows of the first side.")
    after: int = Field(default=0, description="Rows of the second side.")
    unchanged: int = 0
    changed: int = 0
    gone: int = 0
    new: int = 0
    by: Literal["key", "value"] = Field(default="key", description="How rows are found again.")
    columns_gone: list[str] = []
    columns_new: list[str] = []
    columns_renamed: dict[str, str] = Field(default={}, description="As they were mapped.")
    not_compared: dict[str, str] = Field(default={}, description="Columns that were not compared, each with the why.")
    note: str | None = None
    differences: list[Difference] = Field(default=[], description="The first of them.")
    people: list[PersonCounts] = Field(default=[], description="Those whose rows differ most.")
    people_count: int = Field(default=0, description="How many people have rows that differ.")

    @property
    def complete(self) -> bool:
        """Whether all rows and columns of the first side are there, with the same values."""
        return self.status != "gone" and not (self.gone or self.changed or self.columns_gone)

    @property
    def same(self) -> bool:
        """Whether nothing is gone, changed or new."""
        return self.complete and self.status != "new" and not (self.new or self.columns_new)


class Proposal(_Model):
    """A table or column that seems to have another name now; it is compared so only when it is mapped."""

    old: str
    new: str
    table: str | None = Field(default=None, description="Of a column: its table.")
    looked_at: int = Field(description="The rows that were looked at.")
    equal: int = Field(description="How many of them have equal values.")

    @property
    def map(self) -> str:
        """The argument that says so: ``old=new``."""
        return f"{self.table}.{self.old}={self.new}" if self.table else f"{self.old}={self.new}"


class Comparison(_Model):
    """The result of ``compare``."""

    before: str = Field(description="The first side's name.")
    after: str = Field(description="The second side's name.")
    sentence: str = Field(default="", description="The answer in one sentence.")
    tables: dict[str, ComparedTable] = {}
    proposals: list[Proposal] = []
    notes: list[str] = []
    seconds: float = 0.0

    @property
    def complete(self) -> bool:
        """Whether everything of the first side is still there, unchanged."""
        return all(table.complete for table in self.tables.values())

    @property
    def same(self) -> bool:
        """Whether the two sides hold the same: everything is still there, and nothing is new."""
        return all(table.same for table in self.tables.values())

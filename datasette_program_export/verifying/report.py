"""The report on a file: its status, its tables, and what is wrong with it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from ..errors import Door, in_words


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid")


class VerifiedTable(_Model):
    """One table of a file as it was read."""

    rows: int = Field(description="The rows that were read.")
    sha256: str = Field(description="The digest of these rows (docs/programjson.md).")
    sha256_as_exported: str | None = Field(
        default=None, description="Where a SQLite file keeps its rows in another order: the digest in the export's."
    )
    announced_rows: int | None = Field(default=None, description="The rows that the file says it has.")
    same: bool = Field(default=False, description="Whether rows and digest are those that the file announces.")


class VerifiedFiles(_Model):
    """The files that rows name by a path, as far as the file holds them; each was compared with its digest."""

    named: int = Field(description="How many different paths the rows name.")
    inside: int = Field(description="How many of them are in the package.")
    bytes: int = Field(description="Their size in all.")


class DanglingReference(_Model):
    """A foreign key with rows whose parents are not in the file."""

    table: str
    columns: list[str]
    other_table: str
    rows: int
    announced: int = Field(description="For how many rows the file says so itself.")


class Report(_Model):
    """The result of verifying a file, and of comparing it with a database."""

    file: str
    status: Literal["complete", "cut", "damaged", "changed", "unknown"]
    problems: list[str] = Field(default=[], description="What is wrong, in sentences.")
    format: str | None = None
    compression: str | None = None
    bytes: int = Field(default=0, description="The size of the file.")
    export: dict[str, Any] = Field(default={}, description="When, by what, from where, what was asked for.")
    rows: int = 0
    tables: dict[str, VerifiedTable] = {}
    dangling: list[DanglingReference] = []
    files: VerifiedFiles | None = Field(default=None, description="The files that rows name, if they name any.")
    references_checked: bool = Field(default=False, description="Whether all references could be checked.")
    left_out: list[str] = Field(default=[], description="What the file says that it left out, in sentences.")
    differences: list[str] | None = Field(default=None, description="What the database holds otherwise now.")

    @property
    def complete(self) -> bool:
        """Whether the file is complete and unchanged, and the database, if it was compared, holds the same."""
        return self.status == "complete" and not self.differences

    def in_words(self, door: Door) -> Report:
        """Return the report with its sentences in the words of a door."""
        return self.model_copy(update={"problems": [in_words(problem, door) for problem in self.problems]})

"""What a check of settings told: problems, and what an export of each subject would hold."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from ..proposal import Example


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Problem(_Model):
    """One problem. An ``error`` is a setting that does not do what it says; a ``warning`` is worth a look."""

    level: Literal["error", "warning"] = "error"
    setting: str = Field(description="The setting that it is about; empty for the file as a whole.")
    message: str


class CheckedDatabase(_Model):
    """One database, and what its settings come to."""

    database: str
    tables: int = 0
    persons: list[str] = []
    known_by: str = Field(default="", description="Who named the people: `settings`, `preset`, `guess`.")
    secrets: list[str] = Field(default=[], description="Columns that no export holds.")
    files: str | None = Field(default=None, description="How many of the files that rows name are there.")
    problems: list[Problem] = []
    examples: list[Example] = Field(default=[], description="What an export of one row of each subject would hold.")


class CheckReport(_Model):
    """A check of one file of settings."""

    settings: str = Field(description="The file's name.")
    problems: list[Problem] = []
    databases: list[CheckedDatabase] = []

    @property
    def errors(self) -> int:
        """How many settings do not do what they say; warnings do not count."""
        told = [*self.problems, *(p for d in self.databases for p in d.problems)]
        return sum(p.level == "error" for p in told)

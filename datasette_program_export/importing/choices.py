"""The options of an import, validated."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..database.schema import Schema, fold
from ..errors import RequestError
from ..options.faults import faults

Policy = Literal["fail", "skip", "update", "replace"]
POLICIES: tuple[str, ...] = get_args(Policy)


class ImportChoices(BaseModel):
    """How rows that are there already are treated, and what else may happen.

    ``fail``: other values stop the import. ``skip``: the row stays. ``update``: it gets the
    values that the file gives. ``replace``: what the file does not give goes back to its default,
    too (never a secret that the file left out); rows that refer to it are not touched."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    on_conflict: Policy = "fail"
    on_conflict_for: dict[str, Policy] = {}
    preview: bool = False
    insert: bool = Field(default=True, description="False: rows that are not there are skipped.")
    allow_dangling: bool = Field(default=False, description="References that the file announces as leading nowhere.")
    triggers: bool = Field(default=False, description="Let the target's triggers fire for the rows.")
    backup: bool | str | Path = Field(default=True, description="A safety copy: its name, or True for one beside.")
    leave_out_bad_rows: bool = Field(default=False, description="Import what is good, and report the rest.")
    table: str | None = Field(default=None, description="For a file that names no table.")
    delimiter: str | None = Field(default=None, description="Of a plain CSV file; else it is found out.")
    encoding: str | None = None
    header: bool | None = None
    trusted: bool = Field(default=False, description="Also a file that unpacks very far, or with large rows.")

    @classmethod
    def of(cls, choices: dict[str, Any]) -> ImportChoices:
        """Raises RequestError that names what is wrong."""
        try:
            return cls(**choices)
        except ValidationError as error:
            raise RequestError(f"This cannot be asked of an import: {faults(error)}.") from None

    def policy(self, table: str) -> Policy:
        named = {fold(name): policy for name, policy in self.on_conflict_for.items()}
        return named.get(fold(table), self.on_conflict)

    def check(self, schema: Schema) -> None:
        """Raise RequestError for a table that there is not."""
        names = [*self.on_conflict_for, *([self.table] if self.table else [])]
        if unknown := [name for name in names if schema.find(name) is None]:
            raise RequestError(f"There is no table {unknown[0]} in the target. It has: {', '.join(schema) or 'none'}.")

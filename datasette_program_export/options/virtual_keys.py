"""References that the schema does not declare, as settings name them; also those that hold for some rows only."""

from __future__ import annotations

import re
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

# ``column = 'text'`` or ``column = 1``: a shorthand, read here and never given to SQLite as it is
_EQUAL = re.compile(r"""\s*(?:"([^"]+)"|([^\s"'=]+))\s*=\s*(?:'((?:[^']|'')*)'|(-?\d+))\s*""")


class VirtualForeignKey(BaseModel):
    """A foreign key that the schema does not declare."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    table: str
    columns: list[str]
    other_table: str
    other_columns: list[str]
    where: dict[str, list[str | int]] = Field(
        default={},
        description="The rows for which it holds: columns of `table`, each with a value or several.",
    )

    @field_validator("where", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        if isinstance(value, str):
            found = _EQUAL.fullmatch(value)
            if found is None:
                raise ValueError(f"write {{column: value}}, or column = 'value', not {value}")
            quoted, bare, text, number = found.groups()
            value = {quoted or bare: int(number) if number is not None else text.replace("''", "'")}
        if not isinstance(value, dict):
            raise ValueError("must name columns, each with its value or several, such as {owner_type: Client}")
        listed = {column: one if isinstance(one, list) else [one] for column, one in value.items()}
        if empty := [column for column, values in listed.items() if not values]:
            raise ValueError(f"{empty[0]} has no value: the reference would hold for no row")
        return listed

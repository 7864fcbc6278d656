"""The validated options of an import."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from pathlib import Path
from typing import Any, Literal, TypedDict, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..database.schema import Schema, fold
from ..errors import RequestError
from ..options.faults import faults
from ..options.suggestion import meant

Policy = Literal["fail", "skip", "update", "replace"]
POLICIES: tuple[str, ...] = get_args(Policy)
Decimal = Literal["point", "comma"]
Dates = Literal["day-first", "month-first", "text"]
Kind = Literal["text", "number", "boolean", "base64", "hex"]
NotANumber = Literal["null"]
DECIMALS: tuple[str, ...] = get_args(Decimal)
DATES: tuple[str, ...] = get_args(Dates)
KINDS: tuple[str, ...] = get_args(Kind)
NOT_A_NUMBER: tuple[str, ...] = get_args(NotANumber)
ColumnKind = Literal["INTEGER", "REAL", "TEXT", "BLOB"]
COLUMN_KINDS: tuple[str, ...] = get_args(ColumnKind)


class Choices(TypedDict, total=False):
    """The choices as arguments of ``load``; ``ImportChoices`` explains them and has their defaults."""

    on_conflict: Policy
    on_conflict_for: Mapping[str, Policy]
    preview: bool
    insert: bool
    allow_dangling: bool
    triggers: bool
    allow_stale_indexes: bool
    backup: bool | str | Path
    expect: str | None
    leave_out_bad_rows: bool
    without: Sequence[str]
    skip_bad: str | Path | None
    create: bool
    alter: bool
    types: Mapping[str, ColumnKind]
    pk: str | Sequence[str]
    map: Mapping[str, str | None]
    table: str | None
    find_table: bool
    delimiter: str | None
    encoding: str | None
    header: bool | None
    skip_lines: int
    sheet: str | None
    decimal: Decimal | None
    dates: Dates | None
    cells: Mapping[str, Kind]
    nan: NotANumber | None
    rows_at: str | None
    trusted: bool
    files: str | Path | Mapping[str, str | Path] | None
    keys: Literal["kept", "new"]
    match: Sequence[str]


class ImportChoices(BaseModel):
    """The options of an import, among them the policy for rows whose key the target already has.

    The policies: ``fail`` stops the import if a row has other values. ``skip`` leaves the row unchanged.
    ``update`` sets the values that the file gives. ``replace`` also resets the columns that the file
    does not give to their defaults, except secrets that the file left out; rows that refer to the row
    are not touched."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    on_conflict: Policy = "fail"
    on_conflict_for: dict[str, Policy] = {}
    preview: bool = False
    insert: bool = Field(default=True, description="False: rows that are not there are skipped.")
    allow_dangling: bool = Field(default=False, description="References that the file announces as leading nowhere.")
    triggers: bool = Field(default=False, description="Let the target's triggers fire for the rows.")
    allow_stale_indexes: bool = Field(
        default=False, description="Where a search or spatial index cannot be brought up to date here."
    )
    backup: bool | str | Path = Field(default=True, description="A safety copy: its name, or True for a free one.")
    expect: str | None = Field(
        default=None,
        pattern=r"^[0-9a-f]{64}$",
        description="The digest of a preview: the import is refused if it would do anything else.",
    )
    leave_out_bad_rows: bool = Field(default=False, description="Import what is good, and report the rest.")
    without: tuple[str, ...] = Field(default=(), description="Tables of the file that are left out.")
    skip_bad: str | Path | None = Field(
        default=None, description="The same, and the rest is written into this new file, each row with its reasons."
    )
    create: bool = Field(default=False, description="Plain rows: make a table that is not there, as its rows need it.")
    alter: bool = Field(default=False, description="Make the columns that a table lacks.")
    types: dict[str, ColumnKind] = Field(default={}, description="Of new columns; else they are found in the rows.")
    pk: tuple[str, ...] = Field(default=(), description="The columns that are the key of a new table.")
    map: dict[str, str | None] = Field(
        default={}, description="The target's name of a column of the file, or None to leave it away."
    )
    table: str | None = Field(default=None, description="For a file that names no table.")
    find_table: bool = Field(
        default=True, description="CSV without `table` goes into the only table that has all columns of its header."
    )
    delimiter: str | None = Field(default=None, description="Of a plain CSV file; else it is found out.")
    encoding: str | None = None
    header: bool | None = Field(default=None, description="Of a plain CSV file; else it is found out, or asked for.")
    skip_lines: int = Field(default=0, ge=0, le=1_000_000, description="Of a CSV file: lines above its header.")
    sheet: str | None = Field(default=None, description="Of a workbook: the sheet with the rows.")
    decimal: Decimal | None = Field(default=None, description="Of a CSV file: `comma` reads 1.234,56.")
    dates: Dates | None = Field(default=None, description="Of a CSV file: how 1/2/2024 is read; `text`: as it is.")
    cells: dict[str, Kind] = Field(default={}, description="Of a CSV file: by column (* for all), what its cells are.")
    nan: NotANumber | None = Field(default=None, description="`null`: a bare NaN or Infinity in JSON is no value.")
    rows_at: str | None = Field(
        default=None, min_length=1, max_length=1000, description="Of JSON: the keys that lead to its rows, such as a.b."
    )
    trusted: bool = Field(default=False, description="Also a file that unpacks very far, or with large rows.")
    files: str | Path | dict[str, str | Path] | None = Field(
        default=None,
        description="Where the files of a package go that its rows name: a folder, or one for each `table.column`.",
    )
    keys: Literal["kept", "new"] = Field(
        default="kept", description="new: rows that are not matched get new numbers, and references go along."
    )
    match: tuple[str, ...] = Field(
        default=(), description="`table.column`: unique columns by which rows are told, in place of the primary key."
    )

    @classmethod
    def of(cls, choices: dict[str, Any]) -> ImportChoices:
        """Return validated choices. Raises RequestError, which names each fault."""
        if isinstance(choices.get("pk"), str):
            choices = {**choices, "pk": (choices["pk"],)}
        try:
            found = cls(**choices)
        except ValidationError as error:
            raise RequestError(f"This cannot be asked of an import: {faults(error, _worded)}.") from None
        found._check_map()
        return found

    def _check_map(self) -> None:
        """Check that no two columns of a table become one. Raises RequestError."""
        met: dict[str, list[str]] = {}
        for name, to in self.map.items():
            for other in met.setdefault(fold(to), []) if to is not None else ():
                tables = {fold(one.rpartition(".")[0]) for one in (name, other)}
                if len(tables) == 1 or "" in tables:
                    raise RequestError(
                        f"map stores {other} and {name} of the file in one column, {to}; only one of them can be "
                        "stored in it."
                    )
            if to is not None:
                met[fold(to)].append(name)

    @property
    def goes_on(self) -> bool:
        """Whether bad rows are left out, and the others imported."""
        return self.leave_out_bad_rows or self.skip_bad is not None

    def policy(self, table: str) -> Policy:
        """Return the policy for a table: its own, or that of all."""
        named = {fold(name): policy for name, policy in self.on_conflict_for.items()}
        return named.get(fold(table), self.on_conflict)

    def kind_of(self, column: str) -> Kind | None:
        """Return what the cells of a CSV column were said to be: for it alone, or for all columns."""
        if not self.cells:  # asked for each value
            return None
        named = {fold(name): kind for name, kind in self.cells.items()}
        return named.get(fold(column), self.cells.get("*"))

    def check_without(self, in_file: Set[str]) -> None:
        """Check that the file has every table that is left out, by folded names. Raises RequestError if not."""
        if unknown := [name for name in self.without if fold(name) not in in_file]:
            raise RequestError(
                f"There is no table {unknown[0]} in the file, to be left out.{meant(unknown[0], in_file)}"
            )

    def matched(self, schema: Schema) -> dict[str, tuple[str, ...]]:
        """Return the columns of ``match`` by table. Raises RequestError for one that is unknown or not unique."""
        found: dict[str, tuple[str, ...]] = {}
        for name in self.match:
            tables = [schema.find(name[:at]) for at, character in enumerate(name) if character == "."]
            ends = [(t, name[len(t.name) + 1 :].split(",")) for t in tables if t is not None]
            named = [(t, tuple(t.column(c) for c in columns)) for t, columns in ends]
            table, columns = next(((t, c) for t, c in named if None not in c), (None, ()))
            if table is None:
                raise RequestError(f"There is no column {name} in the target to match rows by; it is table.column.")
            known = tuple(column.name for column in columns if column is not None)
            if not table.is_unique(known):
                raise RequestError(f"{name} is not unique in the target, so rows cannot be matched by it.")
            if table.name in found:
                raise RequestError(f"The rows of {table.name} are matched by one thing alone: several columns as a,b.")
            found[table.name] = known
        return found

    def check(self, schema: Schema, visible: Set[str] | None) -> None:
        """Check that the target has every table named here. Raises RequestError if not, which lists those visible."""
        self.matched(schema)
        names = [*self.on_conflict_for, *([self.table] if self.table else [])]
        if unknown := [name for name in names if schema.find(name) is None]:
            hint = (
                " For the rows of a plain file it is made with the argument create." if unknown[0] == self.table else ""
            )
            there = [name for name in schema if visible is None or name in visible]
            raise RequestError(
                f"There is no table {unknown[0]} in the target.{meant(unknown[0], there)} "
                f"It has: {', '.join(there) or 'none'}.{hint}"
            )


def _worded(key: str, fault: Any) -> str | None:
    return f"there is no choice {key}" if fault["type"] == "extra_forbidden" else None

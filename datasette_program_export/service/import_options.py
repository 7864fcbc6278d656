"""The options of ``ImportService``: each one works, is always so, or is refused with a sentence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..errors import RequestError
from ..importing.choices import Choices, ColumnKind, Dates, Decimal, Kind, NotANumber, Policy
from ..options.faults import faults


class ImportMode(str, Enum):
    """What happens to rows whose key the database already has, and to new ones."""

    MERGE = "merge"
    REPLACE = "replace"
    SKIP = "skip"
    UPDATE = "update"


class ImportFormat(str, Enum):
    """What the data are. It is found out; said, it must be so."""

    JSON = "json"
    CSV = "csv"


class ConflictResolution(str, Enum):
    """What happens to a row that is there with other values; ``ask_user`` leaves it to the mode."""

    ASK_USER = "ask_user"
    KEEP_EXISTING = "keep_existing"
    OVERWRITE = "overwrite"
    MERGE_FIELDS = "merge_fields"
    RENAME = "rename"


class ProgressUpdate(BaseModel):
    """What ``progress_callback`` is given: the rows of the data that have been read so far."""

    table_name: str | None = Field(default=None, description="Always None: the rows of all tables are counted.")
    current_record: int = 0
    total_records: int = Field(default=0, description="0 as long as it is not known: until all rows are read.")
    percent_complete: float = Field(default=0.0, description="0 to 100; 0 as long as the total is not known.")
    records_per_second: float | None = None
    eta_seconds: float | None = None
    status: Literal["reading", "waiting", "copying", "writing", "complete"] = "reading"


_MODES: Mapping[ImportMode, Policy] = {
    ImportMode.MERGE: "update",
    ImportMode.REPLACE: "replace",
    ImportMode.SKIP: "skip",
    ImportMode.UPDATE: "update",
}
_RESOLUTIONS: Mapping[ConflictResolution, Policy] = {
    ConflictResolution.KEEP_EXISTING: "skip",
    ConflictResolution.OVERWRITE: "replace",
    ConflictResolution.MERGE_FIELDS: "update",
}
_ALWAYS = "It is always so"


class ImportOptions(BaseModel):
    """The options of an import; an unknown name is an error.

    ``merge`` inserts new rows and sets the given values in existing rows; ``replace`` sets all values
    of existing rows and keeps their children; ``skip`` only inserts new rows; ``update`` inserts none.
    Options that allow one value only say what is always so here. Example::

        ImportOptions(mode=ImportMode.SKIP, continue_on_error=True, max_errors=10)
    """

    model_config = ConfigDict(extra="forbid")

    mode: ImportMode = ImportMode.MERGE
    format: ImportFormat | None = Field(default=None, description="Found out; data of another format are refused.")
    table: str | None = Field(default=None, description="For a list of rows and for CSV; else it is found if it can.")

    strict_validation: bool = Field(
        default=True, description="Either way each row must keep the rules of the database, which alone decide."
    )
    validate_foreign_keys: Literal[True] = Field(default=True, description=f"{_ALWAYS}; see allow_dangling.")
    validate_unique_constraints: Literal[True] = Field(default=True, description=f"{_ALWAYS}.")
    disable_foreign_key_checks: Literal[False] = Field(default=False, description="See allow_dangling.")

    default_conflict_resolution: ConflictResolution = Field(
        default=ConflictResolution.ASK_USER, description="For existing rows, in place of what the mode does."
    )
    conflict_resolutions: dict[str, ConflictResolution] = Field(default={}, description="The same, by table.")

    use_transactions: Literal[True] = Field(default=True, description=f"{_ALWAYS}: one transaction, all or nothing.")
    create_backup: bool = Field(default=True, description="A safety copy; a database in memory has none.")
    backup_path: str | None = Field(
        default=None,
        description="Its name; by default one in `backup_dir`, or in `safety-copies` beside the database.",
    )

    batch_size: int = Field(default=1000, ge=1, description="Rows between two calls of progress_callback.")
    enable_progress_tracking: bool = Field(default=True, description="False: progress_callback is not called.")
    progress_callback: Callable[[ProgressUpdate], object] | None = Field(
        default=None, description="Called while rows are read; an exception from it ends the import, unchanged."
    )

    continue_on_error: bool = Field(default=False, description="Leave bad rows out, and import the others.")
    max_errors: int | None = Field(default=None, ge=0, description="With continue_on_error: more stop the import.")
    allow_dangling: bool = Field(default=False, description="References that the data announce as leading nowhere.")
    triggers: bool = Field(default=False, description="Let the triggers of the database fire.")

    csv_delimiter: str | None = Field(default=None, description="Else it is found out.")
    csv_quotechar: Literal['"'] = '"'
    csv_has_header: bool | None = Field(default=None, description="Else it is found out.")
    encoding: str | None = Field(default=None, description="Of data as bytes; else it is found out.")
    skip_lines: int = Field(default=0, ge=0, le=1_000_000, description="Of CSV: lines above its header.")
    sheet: str | None = Field(default=None, description="Of a workbook: the sheet with the rows.")
    decimal: Decimal | None = Field(default=None, description="Of CSV: `comma` reads 1.234,56.")
    dates: Dates | None = Field(default=None, description="Of CSV: how 1/2/2024 is read; `text`: as it is.")
    cells: dict[str, Kind] = Field(default={}, description="Of CSV: by column (* for all), what its cells are.")
    nan: NotANumber | None = Field(default=None, description="`null`: a bare NaN or Infinity in JSON is no value.")
    rows_at: str | None = Field(default=None, min_length=1, description="Of JSON: the keys that lead to its rows.")

    create: bool = Field(default=False, description="Make a table that is not there, as the rows need it.")
    alter: bool = Field(default=False, description="Make the columns that a table lacks.")
    types: dict[str, ColumnKind] = Field(default={}, description="Of new columns; else they are found in the rows.")
    pk: tuple[str, ...] = Field(default=(), description="The columns that are the key of a new table.")
    map: dict[str, str | None] = Field(
        default={}, description="The database's name of a column of the data, or None to leave it away."
    )

    auto_decompress: Literal[True] = Field(default=True, description=f"{_ALWAYS}: by the first bytes.")
    compression_format: Literal["gzip", "bz2", "zstd"] | None = Field(
        default=None, description="Found out; data that are compressed otherwise, or not at all, are refused."
    )

    if not TYPE_CHECKING:  # else a type checker would not know the options

        def __init__(self, **options: Any) -> None:
            try:
                super().__init__(**options)
            except ValidationError as error:
                raise RequestError(f"Invalid import options: {faults(error, _sentence)}.") from error

    def policy(self) -> Policy:
        """Return what happens to existing rows of tables that ``conflict_resolutions`` does not name."""
        return _policy(self.default_conflict_resolution, _MODES[self.mode])

    def of_files(self) -> Choices:
        """Return the choices of how the data are read, and what is made for them, as arguments of ``load``."""
        return {
            "table": self.table,
            "delimiter": self.csv_delimiter,
            "header": self.csv_has_header,
            "encoding": self.encoding,
            "skip_lines": self.skip_lines,
            "sheet": self.sheet,
            "decimal": self.decimal,
            "dates": self.dates,
            "cells": self.cells,
            "nan": self.nan,
            "rows_at": self.rows_at,
            "create": self.create,
            "alter": self.alter,
            "types": self.types,
            "pk": self.pk,
            "map": self.map,
        }

    def policies(self) -> dict[str, Policy]:
        """Return what happens to existing rows of the tables that ``conflict_resolutions`` names."""
        return {table: _policy(how, self.policy()) for table, how in self.conflict_resolutions.items()}


def _policy(how: ConflictResolution, otherwise: Policy) -> Policy:
    if how is ConflictResolution.RENAME:
        raise RequestError(
            "rename: a row never gets a new key here, as references to it could not follow. "
            "Choose keep_existing, overwrite or merge_fields."
        )
    return _RESOLUTIONS.get(how, otherwise)


Options = ImportOptions | Mapping[str, Any] | None

_REFUSED = {
    "use_transactions": "an import is always one transaction: leave it out",
    "validate_foreign_keys": "references are always checked; allow_dangling lets announced ones in",
    "validate_unique_constraints": "what must be unique is always checked: leave it out",
    "disable_foreign_key_checks": "references are always checked; allow_dangling lets announced ones in",
    "auto_decompress": "compressed data are always recognised: leave it out",
    "csv_quotechar": 'the fields of CSV are quoted with " alone (RFC 4180)',
    "compression_format": "gzip, bz2 and zstd are read",
    "mode": f"one of {', '.join(mode.value for mode in ImportMode)} is needed",
}


def options_of(options: Options, table: str | None = None) -> ImportOptions:
    """Return validated options, with ``table`` in them. Raises RequestError, which names each fault."""
    if not isinstance(options, (ImportOptions, Mapping, type(None))):
        raise RequestError(f"options: ImportOptions or a dict is needed, not {type(options).__name__}.")
    given = {} if options is None else options
    if not isinstance(given, ImportOptions):
        if odd := [name for name in given if not isinstance(name, str)]:
            raise RequestError(f"options: its keys are names of options, not {type(odd[0]).__name__}.")
        given = ImportOptions(**given)
    return given.model_copy(update={"table": table}) if table is not None else given


def _sentence(key: str, fault: Any) -> str | None:
    if fault["type"] == "extra_forbidden":
        return f"there is no option {key}"
    return f"{key}: {_REFUSED[key]}" if key in _REFUSED else None

"""A request: which rows to export, in which format; pure validated data."""

from __future__ import annotations

from functools import cache
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from ..errors import RequestError
from .delimiters import WORDS, WRITTEN, delimiter_of
from .faults import faults, reason

_OF_TABLES = ("where", "sort", "columns", "limit", "offset", "cascade", "parents", "others", "person", "stop")
# The options that have no meaning for a scope, and so are refused instead of ignored
FOREIGN: dict[str, tuple[str, ...]] = {
    "record": ("where", "params", "limit", "offset", "tables", "name"),
    "table": ("records", "tables", "name"),
    "query": ("records", "tables", "without", *_OF_TABLES),
    "database": ("records", "params", "name", *_OF_TABLES),
}
_TOLD = {
    "record": "records that are named one by one",
    "table": "the rows of a table",
    "query": "a query (say it in the SQL)",
    "database": "a whole database",
}
_WORDS = {"where": "A filter (where)", "params": "A parameter (params)"}
OF_THE_FILE = (
    "format",
    "layout",
    "members",
    "blobs",
    "guide",
    "dialect",
    "delimiter",
    "compress",
    "language",
)  # how, not which rows
_OF_REFERENCES = ("parents", "others", "person", "stop")
NOBODY = "none"  # as ``person``, in place of a table: no table holds people
DEFAULT_FORMAT = "programjson"
PACKAGE = "package"  # the format that contains files of other formats
DEFAULT_MEMBER = "csv"


@cache
def _defaults() -> dict[str, Any]:
    """Return the default of each field: pydantic takes long to look for its fields."""
    return {name: field.default for name, field in Request.model_fields.items()}


class Request(BaseModel):
    """Which rows to export, and in which format.

    The scope is ``record`` with ``records``, ``table`` with a ``table`` only, ``query`` with ``sql``, else
    ``database``. ``records`` are rows by their key, each a tuple of texts in the key's order (as in a Datasette
    row path). ``where`` are SQL conditions with named parameters ``params``. ``sort`` holds (column, descending)
    pairs. ``columns`` None means all columns. ``name`` is the name of a query. ``delimiter`` may be a character or
    its word (``tab``); None means the format's own. ``format`` and ``members`` are names of formats, which
    ``formats/`` knows. ``blobs`` says whether BLOBs that are files of a known kind, or large, become files of their own
    in a package; ``guide`` whether a page, START-HERE.html, shows it. ``language`` is that of a file for people.
    ``person`` are the tables of people, ``none`` alone for nobody; empty means what is known or guessed. ``profile`` is
    the saved profile that the other fields override.

    Raises RequestError, which names the field, for a value that is not valid or fields that contradict each other."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    table: str | None = None
    sql: str | None = None
    name: str | None = None
    tables: tuple[str, ...] = ()
    records: tuple[tuple[str, ...], ...] = ()
    where: tuple[str, ...] = ()
    params: dict[str, Any] = {}
    sort: tuple[tuple[str, bool], ...] = ()
    columns: tuple[str, ...] | None = None
    limit: int | None = None
    offset: int | None = None
    format: str = DEFAULT_FORMAT
    layout: Literal["rows", "pretty", "envelope", "data-only"] = "rows"
    members: str | None = None
    blobs: Literal["files", "inline"] = "files"
    guide: Literal["text", "page"] = "text"
    dialect: Literal["exact", "spreadsheet"] = "exact"
    delimiter: str | None = None
    compress: Literal["gzip", "zstd"] | None = None
    language: Literal["en", "de"] | None = None
    cascade: bool | None = None
    parents: Literal["needed", "none"] | None = None
    others: Literal["withhold", "include"] = "withhold"
    person: tuple[str, ...] = ()
    secrets: Literal["withhold", "include"] = "withhold"
    without: tuple[str, ...] = ()
    stop: tuple[str, ...] = ()
    profile: str | None = None

    @field_validator("delimiter")
    @classmethod
    def _one_sane_character(cls, value: str | None) -> str | None:
        character = delimiter_of(value) if value is not None else None
        if character is not None and (len(character) != 1 or character not in WRITTEN):
            raise ValueError(f"must be {', '.join(WORDS)}, or one sign that is not part of numbers or quotes")
        return character

    @field_validator("limit", "offset")
    @classmethod
    def _not_negative(cls, value: int | None) -> int | None:
        if value is not None and not 0 <= value < 2**63:
            raise ValueError("must be a whole number, zero or more")
        return value

    def __init__(self, **fields: Any) -> None:
        try:
            super().__init__(**fields)
        except ValidationError as error:
            raise RequestError(faults(error, _sentence)) from None
        self._check()

    def _check(self) -> None:
        if self.sql is not None and self.table is not None:
            raise RequestError("sql does not go with a table: ask for one of them.")
        if self.members is not None and self.format != PACKAGE:
            raise RequestError(f"members goes with the format {PACKAGE} only.")
        if self.blobs != "files" and self.format != PACKAGE:
            raise RequestError(f"blobs goes with the format {PACKAGE} only.")
        if self.guide != "text" and self.format != PACKAGE:
            raise RequestError(f"guide goes with the format {PACKAGE} only.")
        if NOBODY in self.person and len(self.person) > 1:
            raise RequestError(f"person says {NOBODY}, and {next(p for p in self.person if p != NOBODY)}: which?")
        if self.records and self.table is None:
            raise RequestError("record needs a table.")
        for name in FOREIGN[self.scope]:
            if self._given(name):
                raise RequestError(f"{_WORDS.get(name, name)} does not go with {_TOLD[self.scope]}.")
        if not self.cascades:
            for name in _OF_REFERENCES:
                if self._given(name):
                    raise RequestError(f"{name} only goes with following references (cascade).")
        elif self.limit is not None or self.offset is not None:
            raise RequestError("limit and offset do not go with following references (cascade).")

    def _given(self, name: str) -> bool:
        return bool(getattr(self, name) != _defaults()[name])

    def as_recorded(self) -> dict[str, Any]:
        """Return the request as data for a document or a log.

        Parameters that a stored query took from headers and cookies are left out."""
        facts = self.model_dump(mode="json", exclude_defaults=True)
        if "params" in facts:
            facts["params"] = {k: v for k, v in facts["params"].items() if not k.startswith("_")}
        return facts

    @property
    def scope(self) -> Literal["record", "table", "query", "database"]:
        """The scope: ``record``, ``table``, ``query`` or ``database``."""
        if self.table is not None:
            return "record" if self.records else "table"
        return "query" if self.sql is not None else "database"

    @property
    def cascades(self) -> bool:
        """Whether references are followed: by default for records, not for tables."""
        return bool(self.records) if self.cascade is None else self.cascade


def choices_of(field: str) -> tuple[str, ...]:
    """Return the words that a field of a Request accepts; empty if it accepts any value."""
    annotation = Request.model_fields[field].annotation
    kinds = (annotation, *get_args(annotation))  # of ``Literal[...] | None`` the first is the Literal
    return next((get_args(kind) for kind in kinds if get_origin(kind) is Literal), ())


def _sentence(key: str, fault: Any) -> str:
    name = str(fault["loc"][0]) if fault["loc"] else "request"
    if fault["type"] == "literal_error":
        return f"{name} must be {fault['ctx']['expected']}."
    if fault["type"] == "extra_forbidden":
        return f"There is no option {name}."
    return f"{name}: {reason(fault)}."

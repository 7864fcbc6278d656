"""What is asked for: one grammar for URL, command line, YAML and Python.

A Request is pure data. ``OPTIONS`` is the table of its parts: the field, its name in a
URL, its option on the command line. Everything that reads or writes a request goes by it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import unquote_plus

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from .errors import RequestError

PREFIX = "_export_"


@dataclass(frozen=True)
class Option:
    """One part of the grammar: ``many`` may be repeated."""

    field: str
    help: str
    many: bool = False
    choices: tuple[str, ...] = ()
    number: bool = False

    @property
    def url(self) -> str:
        return PREFIX + ({"records": "record"}.get(self.field, self.field))

    @property
    def cli(self) -> str:
        return "--" + self.field.replace("_", "-")


OPTIONS = (
    Option("format", "The format of the file."),
    Option("layout", "One row a line, or each value on its own line.", choices=("rows", "pretty")),
    Option("cascade", "Whether to follow references from the rows asked for.", choices=("1", "0")),
    Option("parents", "Whether to add the rows that the exported rows point to.", choices=("needed", "none")),
    Option("others", "Whether rows of people not asked for are left out.", choices=("withhold", "include")),
    Option("without", "Leave out a table, or a column (table.column).", many=True),
    Option("stop", "Follow nothing along a reference (child.column).", many=True),
    Option("limit", "At most so many rows.", number=True),
    Option("offset", "Leave out so many rows first.", number=True),
)
_BY_URL = {o.url: o for o in OPTIONS}


class Request(BaseModel):
    """Which rows, and as what.

    ``records`` are rows by their key, each a tuple of texts in the key's order (as in a
    Datasette row path). ``where`` are SQL conditions with named parameters ``params``;
    ``sort`` is (column, descending) pairs; ``columns`` None means all.

    Raises RequestError, which names the culprit, for anything that cannot be understood.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    table: str
    records: tuple[tuple[str, ...], ...] = ()
    where: tuple[str, ...] = ()
    params: dict[str, Any] = {}
    sort: tuple[tuple[str, bool], ...] = ()
    columns: tuple[str, ...] | None = None
    limit: int | None = None
    offset: int | None = None
    format: str = "programjson"
    layout: Literal["rows", "pretty"] = "rows"
    cascade: bool | None = None
    parents: Literal["needed", "none"] | None = None
    others: Literal["withhold", "include"] = "withhold"
    without: tuple[str, ...] = ()
    stop: tuple[str, ...] = ()

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
            raise RequestError("; ".join(_sentence(e) for e in error.errors())) from None
        if self.records and (self.where or self.limit is not None or self.offset is not None):
            raise RequestError("Records were named one by one: filters, limit and offset do not go with that.")
        if self.cascade and (self.limit is not None or self.offset is not None):
            raise RequestError("limit and offset do not go with following references (cascade).")

    @property
    def cascades(self) -> bool:
        """Whether references are followed: by default for records, not for tables."""
        return bool(self.records) if self.cascade is None else self.cascade


def _sentence(error: Any) -> str:
    name = str(error["loc"][0]) if error["loc"] else "request"
    if error["type"] == "literal_error":
        return f"{name} must be {error['ctx']['expected']}."
    if error["type"] == "extra_forbidden":
        return f"There is no option {name}."
    return f"{name}: {error['msg'].removeprefix('Value error, ')}."


def parse_row_path(text: str) -> tuple[str, ...]:
    """A row as Datasette's URLs name it: ``a`` or ``a,b``, tilde-encoded
    (https://docs.datasette.io/en/stable/internals.html#tilde-encoding)."""
    return tuple(unquote_plus(part.replace("%", "%25").replace("~", "%")) for part in text.split(","))


def parse_options(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """The ``_export_*`` parameters of a URL as fields of a Request; other parameters are passed over.

    Raises RequestError for an unknown, a doubled, or an ill-formed one."""
    fields: dict[str, Any] = {}
    for name, value in pairs:
        if not name.startswith(PREFIX):
            continue
        option = _BY_URL.get(name)
        if option is None:
            raise RequestError(f"There is no parameter {name}. Known: {', '.join(sorted(_BY_URL))}.")
        if option.many:
            fields.setdefault(option.field, []).append(value)
            continue
        if option.field in fields:
            raise RequestError(f"{name} was given twice.")
        fields[option.field] = _value(option, name, value)
    return fields


def _value(option: Option, name: str, value: str) -> Any:
    if option.choices and value not in option.choices:
        raise RequestError(f"{name} must be {' or '.join(option.choices)}.")
    if option.field == "cascade":
        return value == "1"
    if option.number:
        if not (value.isascii() and value.isdigit() and len(value) < 19):
            raise RequestError(f"{name} must be a whole number, zero or more.")
        return int(value)
    return value


def format_options(request: Request) -> list[tuple[str, str]]:
    """The parameters that ``parse_options`` reads back; what is at its default is not written."""
    pairs: list[tuple[str, str]] = []
    for option in OPTIONS:
        value = getattr(request, option.field)
        if value == Request.model_fields[option.field].default:
            continue
        for part in value if option.many else [value]:
            pairs.append((option.url, str(int(part)) if isinstance(part, bool) else str(part)))
    return pairs

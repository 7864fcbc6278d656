"""The grammar of a request: one text form for URL, command line, YAML and Python.

``OPTIONS`` is the table of its options: the field, its name in a URL, its option on the command line. All code
that reads or writes a request as text uses it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote_plus

from ..errors import RequestError, SettingsError
from .delimiters import word_of
from .request import DEFAULT_MEMBER, FOREIGN, Request, choices_of

PREFIX = "_export_"


@dataclass(frozen=True)
class Option:
    """One option of the grammar; ``many`` allows it to be repeated, ``number`` makes it a whole number."""

    field: str
    help: str
    many: bool = False
    choices: tuple[str, ...] = ()
    number: bool = False

    @property
    def scopes(self) -> tuple[str, ...]:
        """The scopes in which it has a meaning."""
        return tuple(scope for scope, foreign in FOREIGN.items() if self.field not in foreign)

    @property
    def url(self) -> str:
        """Its name in an address."""
        return PREFIX + _SINGULAR.get(self.field, self.field)

    @property
    def cli(self) -> str:
        """Its name at the command line."""
        return "--" + _SINGULAR.get(self.field, self.field)


# When to choose which dialect of CSV, in a sentence each
DIALECTS = {
    "exact": "exact: for programs and databases, every value as it is, NULL apart from an empty text.",
    "spreadsheet": "spreadsheet: to open in Excel or LibreOffice, texts stay texts and no formula runs; "
    "not to be imported again.",
}
_SINGULAR = {"records": "record", "tables": "table"}
OPTIONS = (
    Option("format", "The format of the file."),
    Option(
        "layout",
        "One row a line; each value on its own line (pretty, programjson); with a first and last lines that prove it "
        "complete (envelope, ndjson); only the rows, for tables that are there (data-only, sql).",
        choices=choices_of("layout"),
    ),
    Option("members", f"What the files in a package are; {DEFAULT_MEMBER} by default."),
    Option(
        "blobs",
        "In a package, pictures, documents and other large BLOBs: files of their own, or inline in their table.",
        choices=choices_of("blobs"),
    ),
    Option(
        "guide",
        "What shows a package to its reader: README.txt, or also a page, START-HERE.html, in the language of language.",
        choices=choices_of("guide"),
    ),
    Option("dialect", " ".join(DIALECTS.values()), choices=choices_of("dialect")),
    Option("delimiter", "Between the fields of a csv: comma, semicolon, tab, pipe, or the character itself."),
    Option("compress", "Compress the file.", choices=choices_of("compress")),
    Option("language", "Of a file that people read (dossier): its language.", choices=choices_of("language")),
    Option("cascade", "Whether to follow references from the rows asked for.", choices=("1", "0")),
    Option("parents", "Whether to add the rows that the exported rows point to.", choices=choices_of("parents")),
    Option("others", "Whether rows of people not asked for are left out.", choices=choices_of("others")),
    Option("person", "A table of people, in place of those that are known or guessed; none: nobody.", many=True),
    Option(
        "secrets",
        "Whether columns with secrets are left out; to include them needs a permission of its own.",
        choices=choices_of("secrets"),
    ),
    Option("tables", "Of a database: only this table.", many=True),
    Option("without", "Leave out a table, or a column (table.column).", many=True),
    Option("stop", "Follow nothing along a reference (child.column).", many=True),
    Option("records", "Of a table: only this row, named as in a row's path.", many=True),
    Option("limit", "At most so many rows.", number=True),
    Option("offset", "Leave out so many rows first.", number=True),
    Option("profile", "A saved choice, by its name; what is said beside it goes before it."),
)
_BY_URL = {o.url: o for o in OPTIONS}


def parse_row_path(text: str) -> tuple[str, ...]:
    """Parse a row as Datasette's URLs name it: ``a`` or ``a,b``, tilde-encoded.

    The encoding: https://docs.datasette.io/en/stable/internals.html#tilde-encoding"""
    return tuple(unquote_plus(part.replace("%", "%25").replace("~", "%")) for part in text.split(","))


def row_path(record: Iterable[str]) -> str:
    """Return the row path that ``parse_row_path`` reads back."""
    return ",".join("".join(map(_tilde, part.encode())) for part in record)


def _tilde(byte: int) -> str:
    character = chr(byte)
    if character.isascii() and (character.isalnum() or character in "_-"):
        return character
    return "+" if character == " " else f"~{byte:02X}"


def parse_options(
    pairs: Iterable[tuple[str, str]], choices: Mapping[str, tuple[str, ...]] | None = None
) -> dict[str, Any]:
    """Return the ``_export_*`` parameters of a URL as fields of a Request; other parameters are ignored.

    ``choices`` holds the values of fields that are defined elsewhere (``formats.registry.choices``). Raises
    RequestError for an unknown parameter, a repeated one, or an invalid value."""
    fields: dict[str, Any] = {}
    for name, value in pairs:
        if not name.startswith(PREFIX):
            continue
        option = _BY_URL.get(name)
        if option is None:
            raise RequestError(f"There is no parameter {name}. Known: {', '.join(sorted(_BY_URL))}.")
        if choices is not None and option.field in choices:
            option = replace(option, choices=choices[option.field])
        if option.many:
            fields.setdefault(option.field, []).append(_value(option, name, value))
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
    if option.field == "records":
        return parse_row_path(value)
    if option.number:
        if not (value.isascii() and value.isdigit() and len(value) < 19):
            raise RequestError(f"{name} must be a whole number, zero or more.")
        return int(value)
    return value


def with_profile(fields: Mapping[str, Any], profiles: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the fields on top of those of the profile that they name, if any.

    Raises RequestError for an unknown name, SettingsError for a profile with an unknown option."""
    name = fields.get("profile")
    if name is None:
        return dict(fields)
    if name not in profiles:
        known = f" Known: {', '.join(sorted(profiles))}." if profiles else ""
        raise RequestError(f"There is no profile {name}.{known}")
    check_profile(name, profiles[name])
    return {**profiles[name], **fields}


def check_profile(name: str, fields: Mapping[str, Any]) -> None:
    """Raise SettingsError unless every key of a profile is an option."""
    for key in fields:
        if key not in {o.field for o in OPTIONS} - {"profile", "records"}:
            raise SettingsError(f"profiles: {name}: there is no option {key}")


def format_options(request: Request) -> list[tuple[str, str]]:
    """Return the URL parameters that ``parse_options`` reads back; values at their default are left out."""
    return [(option.url, text) for option, text in _texts(request)]


def arguments(request: Request, database: str) -> list[str]:
    """Return the arguments of ``datasette program-export`` that make the same request."""
    options: list[str] = []
    for clause in request.where:
        options += ["--where", clause]
    for name, value in request.params.items():
        options += ["--param", name, str(value)]
    for name, descending in request.sort:
        options += ["--order", f"{name} desc" if descending else _ascending(name)]
    for name in request.columns or ():
        options += ["--column", name]
    for option, text in _texts(request):
        if option.field == "cascade":
            options.append("--cascade" if text == "1" else "--no-cascade")
        elif option.field != "records":
            options += [option.cli, text]
    words = [database, *(word for word in (request.table, request.sql) if word is not None)]
    words += [row_path(record) for record in request.records]
    dashes = ["--"] if any(word.startswith("-") for word in words) else []
    return [request.scope, *options, *dashes, *words]


def parse_order(text: str) -> tuple[str, bool]:
    """Parse ``name``, ``name asc`` or ``name desc`` into a column and whether it is descending."""
    name, blank, way = text.rpartition(" ")
    return (name, way.lower() == "desc") if blank and way.lower() in ("asc", "desc") else (text, False)


def _ascending(name: str) -> str:
    return name if parse_order(name) == (name, False) else f"{name} asc"


def _texts(request: Request) -> Iterator[tuple[Option, str]]:
    for option in OPTIONS:
        value = getattr(request, option.field)
        if value == Request.model_fields[option.field].default:
            continue
        for part in value if option.many else [value]:
            if option.field == "records":
                part = row_path(part)
            if option.field == "delimiter" and part == "\t":
                part = word_of(part)
            yield option, str(int(part)) if isinstance(part, bool) else str(part)

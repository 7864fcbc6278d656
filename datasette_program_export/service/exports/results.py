"""The types of what ``ExportService`` returns: plain dicts whose keys a type checker knows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict

import msgspec

from ...formats.description.coverage import Coverage
from ...formats.description.coverage_text import coverage_sentences

Row = dict[str, Any]  # column: value; JSON columns as objects, a BLOB as {"$base64": true, "encoded": ...}


class Withheld(TypedDict):
    """Rows of people who were not asked for; ``along`` is the reference that led to them, as ``child.column``."""

    table: str
    along: str
    direction: str
    rows: int
    why: str


class SecretColumn(TypedDict):
    """A column that was dropped as secret."""

    table: str
    column: str
    why: str


class Skipped(TypedDict):
    """A table, a column of a table, or a reference that is not in the export; ``why`` is None if that was asked for."""

    table: str | None
    column: str | None
    reference: str | None
    why: str | None


class Dangling(TypedDict):
    """Rows whose parents are not in the export. ``missing_in_source``: of these, how many have none in the database."""

    table: str
    columns: list[str]
    other_table: str
    other_columns: list[str]
    rows: int
    missing_in_source: int | None
    virtual: bool


class People(TypedDict):
    """The tables taken for people, and who said so: ``known_by`` is settings, preset, or guess."""

    tables: list[str]
    known_by: str
    doubtful: dict[str, list[str]]


class LeftOut(TypedDict):
    """What an export does not hold, and why; ``sentences`` say all of it, in the words of documents and pages."""

    withheld: list[Withheld]
    secret: list[SecretColumn]
    skipped: list[Skipped]
    dangling: list[Dangling]
    people: People | None
    warnings: list[str]
    sentences: list[str]


class Metadata(TypedDict):
    """Facts about a full export. The time is UTC, ISO 8601 with microseconds, without a zone."""

    export_timestamp: str
    export_format: str
    total_tables: int
    total_records: int
    table_counts: dict[str, int]
    left_out: LeftOut


class _FullDatabase(TypedDict):
    format: str
    tables: list[str]
    record_counts: dict[str, int]
    left_out: LeftOut
    data: Any


class FullDatabaseExport(_FullDatabase, total=False):
    """The result of ``export_full_database``."""

    metadata: Metadata


class _Clients(TypedDict):
    format: str
    table: str
    clients: list[Row]
    client_count: int
    missing_ids: list[Any]
    left_out: LeftOut
    data: Any


class ClientsExport(_Clients, total=False):
    """The result of ``export_clients``; ``table`` is the table that holds the people."""

    related_data: dict[str, list[Row]]
    related_counts: dict[str, int]


class _Charts(TypedDict):
    format: str
    table: str
    charts: list[Row]
    chart_count: int
    missing_ids: list[Any]
    left_out: LeftOut
    data: Any


class ChartsExport(_Charts, total=False):
    """The result of ``export_charts``."""

    interpretations: list[Row]
    interpretation_count: int
    aspect_patterns: list[Row]
    transit_events: list[Row]


class _Table(TypedDict):
    format: str
    table: str
    record_count: int
    filters: dict[str, Any]
    limit: int | None
    offset: int | None
    left_out: LeftOut
    data: Any


class TableExport(_Table, total=False):
    """The result of ``export_table``; ``records`` for json only."""

    records: list[Row]


class Validation(TypedDict):
    """The result of ``validate_export``."""

    valid: bool
    warnings: list[str]
    errors: list[str]


class Summary(TypedDict):
    """The result of ``summarize_export``; ``size_estimate`` is that of ``data`` in UTF-8, such as ``2.5 MB``."""

    total_records: int
    tables: list[str]
    format: str
    size_estimate: str | None
    timestamp: str


class AvailableTables(TypedDict):
    """The result of ``available_tables``."""

    tables: list[str]
    default_tables: list[str]
    table_descriptions: dict[str, str]


def left_out_of(coverage: Coverage, labels: Mapping[str, tuple[str, str]]) -> LeftOut:
    """Return what a coverage says was left out; ``labels`` name a row of a table, and several."""
    parts: dict[str, Any] = _with_lists(msgspec.to_builtins(coverage))
    return LeftOut(
        withheld=parts["withheld"],
        secret=parts["secret"],
        skipped=parts["left_out"],
        dangling=parts["dangling"],
        people=parts["people"],
        warnings=parts["warnings"],
        sentences=coverage_sentences(coverage, labels),
    )


def _with_lists(value: Any) -> Any:
    """Return a value with lists in place of tuples, as it is read back from JSON."""
    if isinstance(value, dict):
        return {key: _with_lists(inner) for key, inner in value.items()}
    return list(map(_with_lists, value)) if isinstance(value, (list, tuple)) else value

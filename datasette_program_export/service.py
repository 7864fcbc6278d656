"""``ExportService``: exports as Python objects and texts, for programs of one's own.

Everything is read by ``exporter``, at one moment, and held in memory; ``stream_table_export``
is for what is too large for that. Results are plain dicts; ``service_models`` describes
and validates them. Wrong arguments raise ValueError.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import datetime, timezone
from typing import Any

import msgspec

from .catalog import Catalog, catalog
from .errors import NotFoundError, RequestError
from .exporter import Export
from .records import Dataset
from .request import Request
from .schema import Table, quote
from .service_filters import conditions
from .service_text import Taken, check_delimiter, check_format, csv_text, json_text, pieces, taken
from .settings import Settings
from .snapshot import Snapshot
from .source import Source

_INTERPRETING = ("chart_interpretations", "aspect_patterns", "transit_events")


class ExportService:
    """Exports of one database: a path, a ``sqlite3`` connection, or a ``sqlite_utils`` Database."""

    def __init__(self, db: Any, settings: Settings | None = None) -> None:
        self.source = Source.of(db)
        self.settings = settings or Settings()

    def available_tables(self) -> dict[str, Any]:
        """``tables`` that can be exported, each with name and description, and the ``default_tables``."""
        known = self._known()
        default = self._default_tables(known)
        tables = [
            {"name": t.name, "description": known.subject(t.name).plural or f"{len(t.columns)} columns"}
            for t in known.schema.values()
            if t.kind in ("table", "virtual") and not t.problem
        ]
        return {"tables": tables, "default_tables": default}

    def export_full_database(
        self,
        format: str = "json",
        include_tables: Sequence[str] | None = None,
        exclude_tables: Sequence[str] | None = None,
        include_metadata: bool = True,
        pretty: bool = True,
        csv_delimiter: str = ",",
    ) -> dict[str, Any]:
        """All tables but caches, or those that are named, in the order in which they are named.

        ``data`` is for json one text, ``{"metadata": …, table: [rows]}``; for csv a text per
        table, each with a header. An unknown name raises ValueError, which lists all such."""
        check_format(format)
        check_delimiter(csv_delimiter)
        known = self._known()
        names = self._named(known, include_tables) if include_tables else self._default_tables(known)
        dropped = {t.name for n in exclude_tables or () if (t := known.schema.find(n))}
        names = [name for name in names if name not in dropped]
        if not names:
            raise RequestError("No tables are left to export.")
        found = self._read(Request(tables=tuple(names)))
        counts = {name: found[name].count for name in names}
        result: dict[str, Any] = {"format": format, "tables": names, "record_counts": counts}
        head: dict[str, Any] = {}
        if include_metadata:
            result["metadata"] = _metadata(format, counts)
            head["metadata" if "metadata" not in counts else "_metadata"] = result["metadata"]
        result["data"] = _data(format, [found[name] for name in names], head, pretty, csv_delimiter)
        return result

    def export_clients(
        self,
        client_ids: Sequence[Any],
        format: str = "json",
        include_related: bool = True,
        pretty: bool = True,
        csv_delimiter: str = ",",
    ) -> dict[str, Any]:
        """Clients with everything that belongs to them. ``missing_ids`` are those that there are not."""
        check_format(format)
        check_delimiter(csv_delimiter)
        found = self._read(self._by_ids("clients", client_ids, cascade=include_related))
        clients = found.pop("clients")
        result: dict[str, Any] = {"format": format, "clients": clients.rows(), "client_count": clients.count}
        result["missing_ids"] = _missing(client_ids, result["clients"])
        if include_related:
            result["related_data"] = {name: table.rows() for name, table in found.items()}
            result["related_counts"] = {name: table.count for name, table in found.items()}
        result["data"] = _data(format, [clients, *found.values()], {}, pretty, csv_delimiter)
        return result

    def export_charts(
        self,
        chart_ids: Sequence[Any],
        format: str = "json",
        include_interpretations: bool = True,
        pretty: bool = True,
        csv_delimiter: str = ",",
    ) -> dict[str, Any]:
        """Charts, with their interpretations, patterns and transits, without their parents."""
        check_format(format)
        check_delimiter(csv_delimiter)
        found = self._read(self._by_ids("charts", chart_ids, cascade=include_interpretations, parents="none"))
        charts = found["charts"]
        result: dict[str, Any] = {"format": format, "charts": charts.rows(), "chart_count": charts.count}
        result["missing_ids"] = _missing(chart_ids, result["charts"])
        if include_interpretations:
            parts = {name: found[name].rows() if name in found else [] for name in _INTERPRETING}
            result["interpretations"] = parts["chart_interpretations"]
            result["interpretation_count"] = len(parts["chart_interpretations"])
            result["aspect_patterns"] = parts["aspect_patterns"]
            result["transit_events"] = parts["transit_events"]
        result["data"] = _data(format, list(found.values()), {}, pretty, csv_delimiter)
        return result

    def export_table(
        self,
        table_name: str,
        format: str = "json",
        filters: Mapping[str, Any] | None = None,
        limit: int | None = None,
        offset: int | None = None,
        pretty: bool = True,
        csv_delimiter: str = ",",
    ) -> dict[str, Any]:
        """One table's rows for which every filter holds (``None`` is NULL). ``limit`` 0 is no row."""
        check_format(format)
        check_delimiter(csv_delimiter)
        known = self._known()
        table = self._table(known, table_name)
        where, params = conditions(known, table, filters or {})
        request = Request(table=table.name, where=where, params=params, limit=limit, offset=offset)
        found = self._read(request)[table.name]
        facts = {"format": format, "table": table.name, "record_count": found.count}
        facts |= {"filters": dict(filters or {}), "limit": limit, "offset": offset}
        if format == "csv":
            return {**facts, "data": csv_text(found, csv_delimiter)}
        return {**facts, "records": found.rows(), "data": json_text([found], facts, pretty, key="records")}

    def stream_table_export(
        self, table_name: str, format: str = "json", chunk_size: int = 1000, csv_delimiter: str = ","
    ) -> Iterator[str]:
        """One table as pieces of text of ``chunk_size`` rows: a JSON array, or csv. Nothing is held in memory."""
        check_format(format)
        check_delimiter(csv_delimiter)
        if chunk_size < 1:
            raise RequestError("chunk_size must be 1 or more.")
        table = self._table(self._known(), table_name)
        request = Request(table=table.name)
        with Export(
            self.source, request, settings=self.settings, form=pieces(format, chunk_size, csv_delimiter)
        ) as made:
            for piece in made:
                yield piece.decode()

    def validate_export(self, result: Mapping[str, Any]) -> dict[str, Any]:
        """Whether a result is whole: its ``data`` there, readable, and with the rows that its counts say."""
        errors, warnings = [], []
        counts = dict(result.get("record_counts") or result.get("related_counts") or {})
        for name, count in counts.items():
            if count == 0:
                warnings.append(f"Table '{name}' has 0 records")
        if "data" not in result or result["data"] is None:
            errors.append("Export result missing 'data' field")
        elif isinstance(result["data"], str) and result.get("format") == "json":
            errors += _differences(result["data"], counts)
        return {"valid": not errors, "warnings": warnings, "errors": errors}

    def _known(self) -> Catalog:
        with closing(Snapshot(self.source)) as snapshot:
            return catalog(snapshot.schema, self.settings)

    def _default_tables(self, known: Catalog) -> list[str]:
        """All ordinary tables but caches; in the preset's order, where it has one."""
        caches = known.caches()
        names = [n for n in known.graph().parents_first() if n not in caches]
        order = known.preset.order if known.preset else []
        place = {t.name: i for i, n in enumerate(order) if (t := known.schema.find(n))}
        return sorted(names, key=lambda name: place.get(name, len(place)))

    def _named(self, known: Catalog, names: Iterable[str]) -> list[str]:
        found = {name: known.schema.find(name) for name in names}
        bad = [name for name, table in found.items() if table is None]
        if bad:
            raise RequestError(f"Invalid table names: {bad}")
        return list(dict.fromkeys(t.name for t in found.values() if t is not None))

    def _table(self, known: Catalog, name: str) -> Table:
        table = known.schema.find(name)
        if table is None:
            raise RequestError(f"Unknown table: {name}")
        return table

    def _by_ids(self, name: str, ids: Sequence[Any], **options: Any) -> Request:
        table = self._table(self._known(), name)
        (key,) = table.pk or ("id",)
        params = {f"id{i}": value for i, value in enumerate(dict.fromkeys(ids))}
        if not params:
            raise RequestError(f"No ids of {name} were given.")
        places = ", ".join(f":{name}" for name in params)
        options["parents"] = options.get("parents") if options["cascade"] else None
        return Request(table=table.name, where=(f"{quote(key)} IN ({places})",), params=params, **options)

    def _read(self, request: Request) -> dict[str, Taken]:
        def take(dataset: Dataset) -> dict[str, Taken]:
            return {table.name: taken(table) for table in dataset.tables}

        try:
            return Export(self.source, request, settings=self.settings).read(take)
        except NotFoundError as error:
            raise RequestError(str(error)) from None


def _metadata(format: str, counts: Mapping[str, int]) -> dict[str, Any]:
    return {
        "export_timestamp": datetime.now(timezone.utc).replace(tzinfo=None).isoformat(timespec="microseconds"),
        "export_format": format,
        "total_tables": len(counts),
        "total_records": sum(counts.values()),
        "table_counts": dict(counts),
    }


def _data(format: str, tables: list[Taken], head: Mapping[str, Any], pretty: bool, delimiter: str) -> Any:
    if format == "csv":
        return {table.name: csv_text(table, delimiter) for table in tables}
    return json_text(tables, head, pretty)


def _missing(asked: Iterable[Any], rows: Iterable[Mapping[str, Any]]) -> list[Any]:
    there = {str(row.get("id")) for row in rows}
    return [value for value in dict.fromkeys(asked) if str(value) not in there]


def _differences(data: str, counts: Mapping[str, int]) -> list[str]:
    """What a json text lacks of the counts that go with it."""
    try:
        found = msgspec.json.decode(data)
    except msgspec.DecodeError:
        return ["'data' is not JSON"]
    held = {name: len(rows) for name, rows in found.items() if isinstance(rows, list)}
    return [
        f"Table '{name}' should have {count} records but has {held.get(name, 0)}"
        for name, count in counts.items()
        if held.get(name, 0) != count
    ]

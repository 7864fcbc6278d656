"""``ExportService``: exports as Python objects.

``exporting`` reads all rows in one snapshot, and the result is held in memory; use
``stream_table_export`` for tables that are too large for that. Results are plain dicts;
``export_models`` describes and validates them. Wrong arguments raise ValueError.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import datetime, timezone
from typing import Any

from ..database.snapshot import Snapshot
from ..database.source import Source
from ..errors import NotFoundError, RequestError
from ..exporting.exporter import Export
from ..formats.dataset import Dataset
from ..options.request import Request
from ..options.settings import Settings
from ..selection.annotated_schema import AnnotatedSchema, annotate
from ..selection.scopes.database import DatabaseScope
from .export_checks import validated
from .export_filters import ByIds, conditions, json_filter, table_of
from .export_models import AvailableTablesResponse, ExportMetadata, TableDescription
from .export_text import Taken, check_delimiter, check_format, csv_text, json_text, pieces, taken

_INTERPRETING = ("chart_interpretations", "aspect_patterns", "transit_events")


class ExportService:
    """Export from one database: a path, a ``sqlite3`` connection, or a ``sqlite_utils`` Database.

    Example::

        service = ExportService("practice.db")
        result = service.export_clients([client_id], format="csv")
        assert service.validate_export(result)["valid"]
    """

    def __init__(self, db: Any, settings: Settings | None = None) -> None:
        self.source = Source.of(db)
        self.settings = settings or Settings()

    def available_tables(self) -> dict[str, Any]:
        """Return the ``tables`` that can be exported, each with name and description, and the ``default_tables``."""
        return self._available().model_dump()

    def _available(self) -> AvailableTablesResponse:
        with closing(Snapshot(self.source)) as snapshot:
            known = annotate(snapshot.schema, self.settings)
            default = DatabaseScope(snapshot, known, Request())
            default.prepare()
            default.resolve()
            if default.damaged is not None:
                raise default.damaged
            names = [chosen.table.name for chosen in default.tables]
            caches = [name for name in known.schema if name in known.caches() and name in default.skipped]
        tables = [
            TableDescription(name=n, description=known.subject(n).plural or f"{len(known.schema[n].columns)} columns")
            for n in (*names, *caches)
        ]
        return AvailableTablesResponse(tables=tables, default_tables=self._ordered(known, names))

    def export_full_database(
        self,
        format: str = "json",
        include_tables: Sequence[str] | None = None,
        exclude_tables: Sequence[str] | None = None,
        include_metadata: bool = True,
        pretty: bool = True,
        csv_delimiter: str = ",",
    ) -> dict[str, Any]:
        """Export all tables except caches, or only ``include_tables`` in the given order.

        In the result, ``data`` is one text for json, ``{"metadata": …, table: [rows]}``, and for csv a
        text per table, each with a header. Raises ValueError for unknown names; the message lists them all."""
        check_format(format)
        check_delimiter(csv_delimiter)
        known = self._known()
        dropped = {t.name for n in _several(exclude_tables) if (t := known.schema.find(n))}
        asked = self._named(known, _several(include_tables)) if include_tables else self._default()
        names = [name for name in asked if name not in dropped]
        if not names:
            raise RequestError("No tables are left to export.")
        found = self._read(Request(tables=tuple(names)))
        counts = {name: found[name].count for name in names}
        result: dict[str, Any] = {"format": format, "tables": names, "record_counts": counts}
        head: dict[str, Any] = {}
        if include_metadata:
            result["metadata"] = _metadata(format, counts).model_dump()
            key = "metadata"
            while key in counts:
                key = f"_{key}"
            head[key] = result["metadata"]
        result["data"] = _data(format, [found[name] for name in names], head, pretty, csv_delimiter)
        return result

    def export_clients(
        self,
        client_ids: Iterable[Any],
        format: str = "json",
        include_related: bool = True,
        pretty: bool = True,
        csv_delimiter: str = ",",
    ) -> dict[str, Any]:
        """Export clients with everything that belongs to them; ``missing_ids`` lists the ids that were not found."""
        check_format(format)
        check_delimiter(csv_delimiter)
        asked = ByIds(self._known(), "clients", client_ids)
        found = self._read(asked.request(cascade=include_related))
        clients = found.pop(asked.table.name)
        result: dict[str, Any] = {"format": format, "clients": clients.rows(), "client_count": clients.count}
        result["missing_ids"] = asked.missing(clients)
        if include_related:
            result["related_data"] = {name: table.rows() for name, table in found.items()}
            result["related_counts"] = {name: table.count for name, table in found.items()}
        result["data"] = _data(format, [clients, *found.values()], {}, pretty, csv_delimiter)
        return result

    def export_charts(
        self,
        chart_ids: Iterable[Any],
        format: str = "json",
        include_interpretations: bool = True,
        pretty: bool = True,
        csv_delimiter: str = ",",
    ) -> dict[str, Any]:
        """Export charts with their interpretations, patterns and transits, and nothing else."""
        check_format(format)
        check_delimiter(csv_delimiter)
        known = self._known()
        asked = ByIds(known, "charts", chart_ids)
        found = self._read(asked.request(cascade=include_interpretations, parents="none"))
        charts = found[asked.table.name]
        result: dict[str, Any] = {"format": format, "charts": charts.rows(), "chart_count": charts.count}
        result["missing_ids"] = asked.missing(charts)
        parts = [t.name for n in _INTERPRETING if (t := known.schema.find(n)) and t.name in found]
        if include_interpretations:
            rows = {name.lower(): found[name].rows() for name in parts}
            result["interpretations"] = rows.get("chart_interpretations", [])
            result["interpretation_count"] = len(result["interpretations"])
            result["aspect_patterns"] = rows.get("aspect_patterns", [])
            result["transit_events"] = rows.get("transit_events", [])
        result["data"] = _data(format, [charts, *(found[name] for name in parts)], {}, pretty, csv_delimiter)
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
        """Export the rows of one table that match every filter (``None`` matches NULL). ``limit=0`` exports no rows."""
        check_format(format)
        check_delimiter(csv_delimiter)
        known = self._known()
        table = table_of(known, table_name)
        where, params = conditions(known, table, filters or {})
        request = Request(table=table.name, where=where, params=params, limit=limit, offset=offset)
        found = self._read(request)[table.name]
        facts = {"format": format, "table": table.name, "record_count": found.count}
        facts |= {"filters": dict(filters or {}), "limit": limit, "offset": offset}
        if format == "csv":
            return {**facts, "data": csv_text(found, csv_delimiter)}
        told = {**facts, "filters": {name: json_filter(value) for name, value in (filters or {}).items()}}
        return {**facts, "records": found.rows(), "data": json_text([found], told, pretty, key="records")}

    def stream_table_export(
        self, table_name: str, format: str = "json", chunk_size: int = 1000, csv_delimiter: str = ","
    ) -> Iterator[str]:
        """Yield one table as text, ``chunk_size`` rows at a time: a JSON array, or CSV.

        The table is not held in memory.
        """
        check_format(format)
        check_delimiter(csv_delimiter)
        if not isinstance(chunk_size, int) or chunk_size < 1:
            raise RequestError("chunk_size must be 1 or more.")
        table = table_of(self._known(), table_name)
        request = Request(table=table.name)
        with Export(
            self.source, request, settings=self.settings, form=pieces(format, chunk_size, csv_delimiter)
        ) as made:
            for piece in made:
                yield piece.decode()

    def validate_export(self, result: Mapping[str, Any]) -> dict[str, Any]:
        """Check that a result is whole: ``data`` is present, readable, and holds as many rows as its counts say."""
        return validated(result).model_dump()

    def _default(self) -> list[str]:
        return self._available().default_tables

    def _known(self) -> AnnotatedSchema:
        with closing(Snapshot(self.source)) as snapshot:
            return annotate(snapshot.schema, self.settings)

    def _ordered(self, known: AnnotatedSchema, names: Iterable[str]) -> list[str]:
        """Return the names in the order of the preset; without a preset, keep their order, parents first."""
        order = known.preset.order if known.preset else []
        place = {t.name: i for i, n in enumerate(order) if (t := known.schema.find(n))}
        return sorted(names, key=lambda name: place.get(name, len(place)))

    def _named(self, known: AnnotatedSchema, names: Iterable[str]) -> list[str]:
        found = {name: known.schema.find(name) for name in names}
        bad = [name for name, table in found.items() if table is None]
        if bad:
            raise RequestError(f"Invalid table names: {bad}")
        return list(dict.fromkeys(t.name for t in found.values() if t is not None))

    def _read(self, request: Request) -> dict[str, Taken]:
        def take(dataset: Dataset) -> dict[str, Taken]:
            return {table.name: taken(table) for table in dataset.tables}

        try:
            return Export(self.source, request, settings=self.settings).read(take)
        except NotFoundError as error:
            raise RequestError(str(error)) from None


def _several(names: Iterable[str] | None) -> list[str]:
    """Return names as a list. Raises RequestError for a single string, which would be read as a list of letters."""
    if isinstance(names, str):
        raise RequestError(f"A list of names is needed, not {names}.")
    return list(names or ())


def _metadata(format: str, counts: Mapping[str, int]) -> ExportMetadata:
    return ExportMetadata(
        export_timestamp=datetime.now(timezone.utc).replace(tzinfo=None).isoformat(timespec="microseconds"),
        export_format=format,
        total_tables=len(counts),
        total_records=sum(counts.values()),
        table_counts=dict(counts),
    )


def _data(format: str, tables: list[Taken], head: Mapping[str, Any], pretty: bool, delimiter: str) -> Any:
    if format == "csv":
        return {table.name: csv_text(table, delimiter) for table in tables}
    return json_text(tables, head, pretty)

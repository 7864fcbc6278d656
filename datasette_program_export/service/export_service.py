"""``ExportService``: exports as Python objects.

Results are plain dicts: ``exports.results`` has their types, ``export_models`` pydantic models of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from typing import Any, Literal

from ..database.snapshot import Snapshot
from ..database.source import Source
from ..errors import RequestError
from ..options.request import Request
from ..options.settings import Settings
from ..selection.annotated_schema import AnnotatedSchema, annotate
from .exports import results
from .exports.checks import summarized, validated
from .exports.filters import ByIds, clients_of, conditions, table_of
from .exports.heads import Head, anything_left_out, facts_of, metadata_of, nothing
from .exports.options import Output, Progress, Sort, choices, names
from .exports.reading import Read, Reading
from .exports.streaming import TableText, streamed
from .exports.tables import available, in_usual_order, interpreting, named
from .exports.values import csv_of, json_of

Choice = Literal["withhold", "include"]
Compression = Literal["gzip", "zstd"]


class ExportService:
    """Exports from one database, as Python objects and texts. All tables of a result come from one moment.

    Arguments that several methods share:

    - ``format`` is ``json`` or ``csv``; ``pretty`` puts every value of JSON on a line; ``csv_delimiter`` is a sign;
    - ``secrets="include"`` keeps columns that hold secrets, ``others="include"`` rows of people who were not asked for;
    - ``without`` names tables, or columns as ``table.column``, to leave out;
    - ``compress`` is ``gzip`` or ``zstd``: the texts in ``data`` are bytes then;
    - ``progress(table, rows)`` is called with the rows read so far; an exception that it raises ends the export.

    Every result has ``data``, a text or a text per table, and ``left_out``: what is not in it and why, as
    ``LeftOut`` of ``exports.results`` lists it. Raises RequestError (a ValueError) for wrong arguments, and other
    kinds of ExportError for what cannot be read. Example::

        service = ExportService("practice.db")
        result = service.export_clients([client_id], format="csv")
        assert service.validate_export(result)["valid"]
        print(*result["left_out"]["sentences"], sep="\\n")"""

    def __init__(self, db: Any, settings: Settings | None = None) -> None:
        """Use ``db``: a path, a ``file:`` address, a sqlite3 connection, a Database or Table of sqlite_utils, or a
        Session, Engine or Connection of SQLAlchemy. ``settings`` are the plugin's; None: what a preset knows, or none.

        Raises what ``Source.of`` raises: NotFoundError, SourceError for uncommitted changes, RequestError, TypeError.
        Example: ``ExportService(session, Settings(secrets={"users": ["pin"]}))``."""
        self.source = Source.of(db)
        self.settings = settings or Settings()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.source.path or self.source.name)!r})"

    def available_tables(self) -> results.AvailableTables:
        """Return what can be exported: ``tables``, their ``table_descriptions``, and the ``default_tables``.

        These are the tables of a full export that names none. Example: ``available_tables()["default_tables"]``."""
        return available(self.source, self.settings)

    def export_full_database(
        self,
        format: str = "json",
        include_tables: Sequence[str] | None = None,
        exclude_tables: Sequence[str] | None = None,
        include_metadata: bool = True,
        pretty: bool = True,
        csv_delimiter: str = ",",
        *,
        secrets: Choice = "withhold",
        without: Sequence[str] | None = None,
        compress: Compression | None = None,
        progress: Progress | None = None,
    ) -> results.FullDatabaseExport:
        """Export all tables except caches, or only ``include_tables`` in the given order.

        Returns ``format``, ``tables``, ``record_counts`` (rows per table), ``metadata`` (with ``include_metadata``: UTC
        time, totals, ``left_out``), ``left_out`` and ``data``: for json one text, ``{"metadata": …, table: [rows]}``;
        for csv a text per table, each with a header. Memory takes little more than ``data``.

        Raises RequestError for unknown ``include_tables``, listing all of them; unknown ``exclude_tables`` are ignored.
        Example: ``export_full_database(exclude_tables=["app_config"], pretty=False)["data"]``."""
        output = Output(format, pretty, csv_delimiter, compress, progress)
        known = self._known()
        include = named(known, names("include_tables", include_tables))
        dropped = {t.name for n in names("exclude_tables", exclude_tables) if (t := known.schema.find(n))}
        asked = tuple(name for name in include if name not in dropped)
        if include and not asked:
            raise RequestError("No tables are left to export.")
        chosen = choices(secrets=secrets, without=(*sorted(dropped), *names("without", without)))
        head = metadata_of(format) if include_metadata else nothing

        first = asked or in_usual_order(known, known.schema)
        read = self._read(Request(tables=asked, **chosen), output, head, first=first)
        counts = {name: table.count for name, table in read.tables.items()}
        result = results.FullDatabaseExport(
            format=format, tables=list(counts), record_counts=counts, left_out=read.left_out, data=read.data
        )
        for metadata in read.head.values():
            result["metadata"] = metadata
        return result

    def export_clients(
        self,
        client_ids: Iterable[Any],
        format: str = "json",
        include_related: bool = True,
        pretty: bool = True,
        csv_delimiter: str = ",",
        *,
        others: Choice = "withhold",
        secrets: Choice = "withhold",
        without: Sequence[str] | None = None,
        compress: Compression | None = None,
        progress: Progress | None = None,
    ) -> results.ClientsExport:
        """Export people with everything that belongs to them. ``client_ids`` are texts, integers or UUIDs.

        The people are the rows of ``clients``, or of the table that settings or the preset name: in an application
        without clients, its birth records. Returns ``table`` (its name), ``clients`` (rows), ``client_count``,
        ``missing_ids`` (those without a row, as given), ``left_out``, ``data`` and, with ``include_related``,
        ``related_data`` (rows per table) and ``related_counts``. ``data`` of json is ``{table: [rows]}``, with
        ``left_out`` before them if it says anything.

        Raises RequestError if no ids were given, or if it is not known which table holds the people.
        Example: ``export_clients([client_id], without=["session_notes"])["related_counts"]["charts"]``."""
        output = Output(format, pretty, csv_delimiter, compress, progress)
        asked = ByIds(clients_of(self._known()), client_ids)
        chosen = choices(secrets=secrets, others=others, without=without)
        request = asked.request(cascade=bool(include_related), **chosen)
        read = self._read(request, output, anything_left_out, keep=True, first=[asked.table.name], key=asked.key)
        clients = read.tables.pop(asked.table.name)
        result = results.ClientsExport(
            format=format,
            table=clients.name,
            clients=clients.rows,
            client_count=clients.count,
            missing_ids=asked.missing(clients),
            left_out=read.left_out,
            data=read.data,
        )
        if include_related:
            result["related_data"] = {name: table.rows for name, table in read.tables.items()}
            result["related_counts"] = {name: table.count for name, table in read.tables.items()}
        return result

    def export_charts(
        self,
        chart_ids: Iterable[Any],
        format: str = "json",
        include_interpretations: bool = True,
        pretty: bool = True,
        csv_delimiter: str = ",",
        *,
        others: Choice = "withhold",
        secrets: Choice = "withhold",
        without: Sequence[str] | None = None,
        compress: Compression | None = None,
        progress: Progress | None = None,
    ) -> results.ChartsExport:
        """Export charts with their interpretations, patterns and transits, and nothing else.

        Returns ``table``, ``charts`` (rows), ``chart_count``, ``missing_ids``, ``left_out``, ``data`` and, with
        ``include_interpretations``, the rows ``interpretations``, ``aspect_patterns`` and ``transit_events``, and
        ``interpretation_count``. In the JSON of ``data``, ``left_out`` comes first if it says anything.

        Raises RequestError if no ids were given, or if there is no table of charts.
        Example: ``export_charts([chart_id], include_interpretations=False)["charts"][0]["chart_data"]``."""
        output = Output(format, pretty, csv_delimiter, compress, progress)
        known = self._known()
        asked = ByIds(table_of(known, "charts"), chart_ids)
        parts, reasons = interpreting(known, asked.table) if include_interpretations else ({}, {})
        chosen = choices(secrets=secrets, others=others, without=(*reasons, *names("without", without)))
        request = asked.request(cascade=bool(include_interpretations), parents="none", **chosen)
        first = [asked.table.name, *parts.values()]
        read = self._read(request, output, anything_left_out, keep=True, first=first, key=asked.key, reasons=reasons)
        charts = read.tables[asked.table.name]
        result = results.ChartsExport(
            format=format,
            table=charts.name,
            charts=charts.rows,
            chart_count=charts.count,
            missing_ids=asked.missing(charts),
            left_out=read.left_out,
            data=read.data,
        )
        if include_interpretations:
            rows = {part: read.tables[name].rows for part, name in parts.items() if name in read.tables}
            result["interpretations"] = rows.get("chart_interpretations", [])
            result["interpretation_count"] = len(result["interpretations"])
            result["aspect_patterns"] = rows.get("aspect_patterns", [])
            result["transit_events"] = rows.get("transit_events", [])
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
        *,
        columns: Sequence[str] | None = None,
        sort: Sort | None = None,
        secrets: Choice = "withhold",
        without: Sequence[str] | None = None,
        compress: Compression | None = None,
        progress: Progress | None = None,
    ) -> results.TableExport:
        """Export the rows of one table that match every filter (``None`` matches NULL).

        ``limit`` and ``offset`` are rows; ``limit=0`` exports none. ``columns`` are written in their order. ``sort``
        lists ``"name"``, ``"name desc"`` or ``(name, True)``. Returns ``table``, ``record_count``, ``filters``,
        ``limit``, ``offset``, ``left_out``, ``data`` (json: all of it; csv: one text) and, for json, ``records``.

        Raises RequestError for an unknown table or column, DeniedError for one that is left out as secret.
        Example: ``export_table("charts", filters={"chart_type": "natal"}, sort=["created_at desc"], limit=10)``."""
        output = Output(format, pretty, csv_delimiter, compress, progress)
        known = self._known()
        table = table_of(known, table_name)
        where, params = conditions(known, table, filters or {})
        chosen = choices(secrets=secrets, without=without, columns=columns, sort=sort)
        request = Request(table=table.name, where=where, params=params, limit=limit, offset=offset, **chosen)
        head = facts_of(format, table.name, filters or {}, limit, offset)
        json = format == "json"
        read = self._read(request, output, head, keep=json, first=[table.name], rows_as="records")
        result = results.TableExport(**{**read.head, "filters": dict(filters or {}), "data": read.data})  # type: ignore[typeddict-item]
        if json:
            result["records"] = read.tables[table.name].rows
        else:
            result["data"] = read.data[table.name]
        return result

    def stream_table_export(
        self,
        table_name: str,
        format: str = "json",
        chunk_size: int = 1000,
        csv_delimiter: str = ",",
        *,
        filters: Mapping[str, Any] | None = None,
        columns: Sequence[str] | None = None,
        sort: Sort | None = None,
        secrets: Choice = "withhold",
        progress: Progress | None = None,
    ) -> TableText:
        """Yield one table as text, ``chunk_size`` rows at a time: a JSON array, or CSV. It is not held in memory.

        The iterator has ``left_out`` when it has ended, and ``close`` to end it earlier. Every error is raised at the
        first piece; errors as for ``export_table``, and RequestError for a ``chunk_size`` that is not 1 or more.
        Example: ``file.writelines(service.stream_table_export("transit_events"))``."""
        output = Output(format, True, csv_delimiter, None, progress)
        chosen = choices(secrets=secrets, columns=columns, sort=sort)

        def request() -> Request:
            known = self._known()
            table = table_of(known, table_name)
            where, params = conditions(known, table, filters or {})
            return Request(table=table.name, where=where, params=params, **chosen)

        return streamed(self.source, self.settings, request, output, chunk_size)

    def validate_export(self, result: Mapping[str, Any]) -> results.Validation:
        """Check that a result is whole: ``data`` is present, readable, and holds as many rows as its counts say.

        Returns ``valid``, ``warnings`` (empty tables, and tables that are not in it, with the reason) and ``errors``.
        Raises RequestError for what is no mapping. Example: ``validate_export(result)["errors"]``."""
        return validated(result)

    def summarize_export(self, result: Mapping[str, Any]) -> results.Summary:
        """Return a result's ``total_records``, ``tables``, ``format``, ``size_estimate`` (of ``data``), ``timestamp``.

        Raises RequestError for what is no mapping. Example: ``summarize_export(result)["size_estimate"]``."""
        return summarized(result)

    def _to_json(self, data: Any, pretty: bool = True) -> str:
        """See ``json_of``. Example: ``_to_json({"at": datetime.now()})``."""
        return json_of(data, pretty)

    def _to_csv(self, data: Iterable[Mapping[str, Any]], table_name: str, delimiter: str = ",") -> str:
        """See ``csv_of``. Example: ``_to_csv([{"id": 1, "tags": ["a"]}], "notes")``."""
        return csv_of(data, table_name, delimiter)

    def _known(self) -> AnnotatedSchema:
        with closing(Snapshot(self.source)) as snapshot:
            return annotate(snapshot.schema, self.settings)

    def _read(self, request: Request, output: Output, head: Head, **more: Any) -> Read:
        return Reading(self.source, self.settings, request, output, head, **more).read()

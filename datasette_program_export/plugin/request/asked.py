"""Turn an HTTP request and its actor into a ``Request`` and the tables that it may read.

Permissions are checked here, at every request. Data that an actor may not see is answered as
if it did not exist, with the same message: 404, or 403 on a site that is closed to them.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from threading import Event
from typing import Any

from datasette.utils import tilde_decode

from ...database.schema import fold
from ...database.snapshot import Snapshot
from ...database.source import Source
from ...errors import DeniedError, ExportError, NotFoundError, RequestError
from ...files.rooted.reading import FileStore
from ...formats.registry import check_members, choices, endings, get_format
from ...options.grammar import PREFIX, parse_options, parse_row_path, with_profile
from ...options.request import DEFAULT_FORMAT, Request
from ...options.settings import Settings
from ...planning.planner import Plan, plan
from ...selection.annotated_schema import AnnotatedSchema, annotate
from .. import host
from ..host.permission_hooks import SECRETS
from ..host.protocols import Database, Datasette, HttpRequest
from ..http.answers import not_seen
from ..http.looking import look
from ..http.parameters import ReadOnce
from .profiles import with_saved
from .queries import query_fields, stored_fields
from .table_page import chooses_rows, page_fields


def as_form(asked: ExportContext) -> ExportContext:
    """Drop the options that the chosen format does not have, because the export page's form always sends them."""
    form = get_format(asked.request.format)
    idle: dict[str, Any] = {}
    if asked.request.layout not in form.layouts:
        idle["layout"] = "rows"
    if form.delimiter is None:
        idle |= {"dialect": "exact", "delimiter": None}
    return replace(asked, request=asked.request.model_copy(update=idle))


@dataclass(frozen=True)
class ExportContext:
    """An export request that has passed the permission checks, with everything that a view needs.

    ``visible`` are the tables that the export may read (None: a trusted query, which may read all).
    ``stores`` are the places of files that another plugin knows.
    ``words`` describes the page's filters. ``max_seconds`` is set if the request runs SQL from a
    user."""

    datasette: Datasette
    http: HttpRequest
    database: Database
    request: Request
    visible: frozenset[str] | None
    settings: Settings
    source: Source
    words: str = ""
    max_seconds: float | None = None
    stores: Mapping[str, FileStore] = field(default_factory=dict)


async def resolve_export(datasette: Datasette, http: HttpRequest) -> ExportContext:
    """Make an ExportContext of an HTTP request.

    Raises NotFoundError, DeniedError, RequestError, SettingsError, SourceError.
    """
    return await _Asking(datasette, http).asked()


async def plan_of(asked: ExportContext) -> Plan:
    """Return the plan of an export; the work ends when the client leaves. Raises what ``plan`` and ``look`` raise."""

    def made(unwanted: Event) -> Plan:
        return plan(
            asked.source,
            asked.request,
            settings=asked.settings,
            visible=asked.visible,
            cancelled=unwanted,
            stores=asked.stores,
        )

    return await look(asked.http, made)


_CLOSED = {"allow_csv_stream": "all rows at once", "allow_download": "whole databases"}


class _Asking:
    def __init__(self, datasette: Datasette, http: HttpRequest) -> None:
        self.datasette = datasette
        self.http = ReadOnce(http.scope, http.receive)
        self.actor = http.actor

    async def asked(self) -> ExportContext:
        route = tilde_decode(self.http.url_vars["database"])
        found = host.database_for(self.datasette, route)
        if found is None:
            raise await self._nothing(f"no database {route} here")
        self.database: Database = found
        with host.readable(self.database):
            visible = await host.visible_tables(self.datasette, self.actor, self.database)
            if not visible and not await self._may("view-database"):
                raise await self._nothing(f"no database {route} here")
            exportable = await host.exportable_tables(self.datasette, self.actor, self.database, visible)
            self.settings = await host.settings_for(self.datasette, self.database.name, visible)
        if f"{PREFIX}profile" in self.http.args:
            told = (self.datasette, self.actor, self.database.name, exportable, self.settings)
            self.settings = await with_saved(*told)
        self.source = host.source_for(self.datasette, self.database, self.settings)
        if "table" not in self.http.url_vars:
            return await (self._query(exportable) if "sql" in self.http.args else self._database(visible, exportable))
        name = tilde_decode(self.http.url_vars["table"])
        table = next((t for t in visible if fold(t) == fold(name)), None)
        if (table is None or host.QUERY_BEFORE_TABLE) and "pks" not in self.http.url_vars:
            stored = await host.stored_query(self.datasette, self.actor, self.database.name, name)
            if stored is not None:
                return await self._stored(stored, exportable)
        if table is None:
            raise await self._nothing(f"no table {name} in {self.database.name}", self.database.name)
        if table not in exportable:
            raise DeniedError(f"You may not export {table}.")
        if "pks" in self.http.url_vars:
            return await self._record(table, exportable)
        return await self._table(table, exportable)

    async def _record(self, table: str, visible: frozenset[str]) -> ExportContext:
        self._check_no_filters("one record")
        if host.closed_by(self.datasette, self.settings):  # then as much as Datasette gives at once
            most = min(self.settings.max_rows or sys.maxsize, self.datasette.setting("max_returned_rows"))
            self.settings = self.settings.model_copy(update={"max_rows": most})
        options = self._options()
        records = [parse_row_path(self.http.url_vars["pks"]), *options.pop("records", ())]
        return await self._made({"table": table, "records": records, **options}, visible)

    def _check_no_filters(self, what: str, params: Collection[str] | None = None) -> None:
        """``params`` are those of a query, which may have any name; other names without ``_`` mean nothing there."""
        for name in self.http.args:
            filters = chooses_rows(name) or (params is None and not name.startswith("_"))
            if filters and name not in (params or ()):
                raise RequestError(f"{name} would be a filter, and this is {what}; filters go with a table.")

    async def _table(self, table: str, visible: frozenset[str]) -> ExportContext:
        self._check_open()
        fields: dict[str, Any] = {}
        words = ""
        options = self._options()
        if "records" in options and "ending" not in self.http.url_vars:
            return await self._made({"table": table, **options}, visible)  # rows picked on the page
        config = await host.table_settings(self.datasette, self.database.name, table)
        if self.http.method == "HEAD":  # HEAD runs no export, so filters are not checked
            return await self._made({"table": table, **options}, visible)
        if any(not n.startswith(PREFIX) for n in self.http.args) or {"sort", "sort_desc"} & set(config):
            known = await look(self.http, self._known)
            found = known.schema.find(table)
            if found is None:
                raise NotFoundError(f"There is no table {table} in {self.database.name}.")
            indexes = {n for n in visible if (t := known.schema.find(n)) and known.drawn_from(t) == {table}}
            fields, words = await page_fields(self.datasette, self.http, self.database.name, found, indexes)
            if fields["columns"] is not None:  # a secret column named in _col stays: it is refused later
                partly = known.secret_paths(found).keys() if not fields["where"] else set()
                gone = known.secrets(found).keys() - partly - set(self.http.args.getlist("_col"))
                fields["columns"] = tuple(c for c in fields["columns"] if c not in gone)
        asked = {"table": table, **fields, **options}
        seconds = self.settings.max_seconds if fields.get("where") else None
        return await self._made(asked, visible, words=words, max_seconds=seconds)

    async def _stored(self, query: host.StoredQuery, visible: frozenset[str]) -> ExportContext:
        await self._check_may_export()
        self._check_open()
        fields = await stored_fields(self.datasette, self.http, self.database, query)
        self._check_no_filters("a query", fields["params"])
        seen = None if query.trusted else visible
        return await self._made({**fields, **self._options()}, seen, max_seconds=self.settings.max_seconds)

    async def _query(self, visible: frozenset[str]) -> ExportContext:
        await self._check_may_export()
        self._check_open()
        fields = await query_fields(self.datasette, self.http, self.database)
        self._check_no_filters("a query", fields["params"])
        return await self._made({**fields, **self._options()}, visible, max_seconds=self.settings.max_seconds)

    async def _database(self, visible: frozenset[str], exportable: frozenset[str]) -> ExportContext:
        self._check_no_filters("a whole database")
        if visible and not exportable:
            raise DeniedError(f"You may not export anything from {self.database.name}.")
        self._check_open(whole=True)
        return await self._made(self._options(), exportable)

    async def _made(self, fields: dict[str, Any], visible: frozenset[str] | None, **more: Any) -> ExportContext:
        request = Request(**fields)
        get_format(request.format)
        check_members(request)
        if request.secrets == "include" and not await self._may(SECRETS):
            raise DeniedError("You may not have secrets included (_export_secrets).")
        if visible is not None and request.scope != "query":
            more["stores"] = await host.file_stores(self.datasette, self.actor, self.database.name, visible)
        return ExportContext(
            self.datasette, self.http, self.database, request, visible, self.settings, self.source, **more
        )

    def _options(self) -> dict[str, Any]:
        args = self.http.args
        given = parse_options(((key, value) for key in args for value in args.getlist(key)), choices())
        options = with_profile(given, self.settings.profiles)
        ending = self.http.url_vars.get("ending")
        if ending is not None:
            meant = endings()[ending]
            if meant != DEFAULT_FORMAT and given.get("format", meant) != meant:
                raise RequestError(f"_export_format={given['format']} contradicts the address, which says {meant}.")
            options["format"] = meant if meant != DEFAULT_FORMAT else options.get("format", meant)
        return options

    async def _may(self, action: str) -> bool:
        return await host.may(self.datasette, self.actor, action, self.database.name)

    async def _check_may_export(self) -> None:
        if not await host.may_export(self.datasette, self.actor, self.database.name):
            raise DeniedError(f"You may not export from {self.database.name}.")

    def _known(self, unwanted: Event) -> AnnotatedSchema:
        with closing(Snapshot(self.source, cancelled=unwanted)) as snapshot:
            return annotate(snapshot.schema, self.settings)

    def _check_open(self, whole: bool = False) -> None:
        """Raise DeniedError where the site's owner closed bulk downloads, for everybody, root too."""
        closed = host.closed_by(self.datasette, self.settings, whole)
        if closed is not None:
            raise DeniedError(
                f"The owner of this site has closed downloads of {_CLOSED[closed]}: Datasette's setting {closed} is "
                "off, and this plugin's setting allow, which would open exports, is not set."
            )

    async def _nothing(self, what: str, database: str | None = None) -> ExportError:
        action = "view-instance" if database is None else "view-database"
        if await host.may(self.datasette, self.actor, action, database):
            return NotFoundError(f"There is {what}, or you may not see it.")
        return not_seen()

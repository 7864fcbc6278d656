"""Check the settings before the site starts."""

from __future__ import annotations

import asyncio
import logging
from contextlib import closing
from pathlib import Path

import click
from datasette.utils import StartupError

from ..database.library import keep_temporary_files_in
from ..database.schema import Schema
from ..database.snapshot import Snapshot
from ..database.source import belongs_to
from ..errors import AuditError, ExportError, PluginError, RequestError, SettingsError
from ..exporting.file_columns import file_columns
from ..formats.registry import faults, get_format
from ..options.grammar import check_profile
from ..options.hooks.preset_sources import preset_sources
from ..options.request import DEFAULT_FORMAT
from ..options.settings import Settings
from ..selection.annotated_schema import annotate
from . import host
from .host.permission_hooks import PLUGIN
from .host.protocols import Database, Datasette
from .request.profiles import in_settings
from .server.audit_log import AuditLog
from .server.site import open_at_start

_log = logging.getLogger(__name__)


class _NotStartedError(StartupError, click.ClickException):  # type: ignore[misc]
    """A setting is wrong. Datasette 0.x shows other errors at its start with a traceback, these with one line."""


async def check_settings(datasette: Datasette) -> None:
    """Check all settings before the site starts: a misspelt name of a secret would leave it unprotected.

    Raises StartupError, which names the wrong setting. A plugin with a hook of ours that fails does not stop the site:
    the log says so now, and so does every export that needs what is missing.
    """
    _keep_logs_quiet()
    for fault in _faults_of_plugins():
        _log.warning("%s", fault)
    try:
        if wrong := host.misplaced(datasette):
            raise SettingsError(f"{PLUGIN}: {wrong}")
        shared = await host.site_settings(datasette)
        if shared.audit_log is not None:
            _check_log(datasette, shared.audit_log)
        missing = shared.tables_named()
        unknown = False
        for name, database in list(datasette.databases.items()):
            if name == "_internal":
                continue
            schema = await _checked(datasette, database)
            unknown = unknown or (schema is None and bool(database.path))
            for table in list(missing):
                if schema is not None and schema.find(table):
                    del missing[table]
        if missing and not unknown and not any(d.path is None for d in _others(datasette)):
            table, key = min(missing.items())
            raise SettingsError(f"{PLUGIN}: {key} names {table}, a table that no database has")
        if shared.spool_dir is not None:
            keep_temporary_files_in(shared.spool_dir)
        try:
            await open_at_start(datasette, shared)
        except SettingsError as error:
            raise SettingsError(f"{PLUGIN}: {error}") from None
    except SettingsError as error:
        raise _NotStartedError(str(error)) from None


def _faults_of_plugins() -> list[str]:
    found = faults()
    try:
        preset_sources()
    except PluginError as error:
        found = [*found, str(error)]
    return list(dict.fromkeys(found))


def _keep_logs_quiet() -> None:
    """Log no line for each export, import and check unless the site's log is set up so: pages and audit log tell."""
    for package in ("exporting", "importing", "verifying"):
        logger = logging.getLogger(f"datasette_program_export.{package}")
        if logger.level == logging.NOTSET:
            logger.setLevel(logging.ERROR)


def _check_log(datasette: Datasette, path: str) -> None:
    for name, database in datasette.databases.items():
        if database.path and belongs_to(Path(database.path), Path(path)):
            raise SettingsError(f"{PLUGIN}: audit_log: {path} is a file of the database {name}")
    try:
        AuditLog(path).check()
    except AuditError:
        raise SettingsError(f"{PLUGIN}: audit_log: {path} cannot be written") from None


async def _checked(datasette: Datasette, database: Database) -> Schema | None:
    """Check the settings for one database and return its schema; None if the database cannot be read now."""
    settings = await host.settings_for(datasette, database.name)
    settings.check_folders()
    for profile, fields in settings.profiles.items():
        check_profile(profile, fields)
        try:
            get_format(fields.get("format", DEFAULT_FORMAT))
        except PluginError:
            pass  # told in the log, and to whoever uses the profile
        except RequestError as error:
            raise SettingsError(f"{PLUGIN} ({database.name}): profiles: {profile}: {error}") from None
    if database.path is None:
        return None
    source = host.source_for(datasette, database, settings)

    def look() -> Schema:
        with closing(Snapshot(source)) as snapshot:
            _ = annotate(snapshot.schema, settings).people  # names that do not exist are errors now
            for table in snapshot.schema.values():
                file_columns(table, settings.files)
            return snapshot.schema

    try:
        schema = await asyncio.to_thread(look)
    except SettingsError as error:
        raise SettingsError(f"{PLUGIN} ({database.name}): {error}") from None
    except ExportError:  # a damaged file is reported when it is requested
        return None
    own: Settings = await host.own_settings(datasette, database.name)
    for table, key in own.tables_named().items():
        if schema.find(table) is None:
            raise SettingsError(f"{PLUGIN} ({database.name}): {key} names {table}, a table that there is not")
    for saved in in_settings(own, database.name):  # for whoever uses it, such a name is as if it were hidden
        for unknown in saved.unknown(frozenset(schema)):
            where = f"{PLUGIN} ({database.name}): profiles: {saved.name}"
            raise SettingsError(f"{where} names {unknown}, a table or column that there is not")
    return schema


def _others(datasette: Datasette) -> list[Database]:
    """Return the databases other than ``_internal`` and ``_memory``; those in memory may get their tables later."""
    return [d for name, d in datasette.databases.items() if name not in ("_internal", "_memory")]

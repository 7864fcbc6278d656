"""The plugin's settings in the configuration of a site, on Datasette 0.x and 1.0."""

from __future__ import annotations

from ...errors import SettingsError
from ...options.settings import FOR_THE_SITE, Settings, merge, parse_settings
from ...options.settings_file import with_descriptions
from .line import V1
from .permission_hooks import PLUGIN
from .protocols import Datasette, on_0, on_1
from .tables import described_tables


def misplaced(datasette: Datasette) -> str | None:
    """Return a sentence about plugin settings in a place where they have no effect, or None."""
    configured = (on_1(datasette).config if V1 else on_0(datasette)._metadata_local) or {}
    for database, about in (configured.get("databases") or {}).items():
        ours = ((about or {}).get("plugins") or {}).get(PLUGIN)
        if ours and database not in datasette.databases:
            return f"there are settings for the database {database}, which is not served"
        for table, said in ((about or {}).get("tables") or {}).items():
            if isinstance(said, dict) and PLUGIN in (said.get("plugins") or {}):
                return f"settings stand under the table {table}; they go under its database, {database}"
    return None


async def site_settings(datasette: Datasette) -> Settings:
    """Return the settings of the whole site."""
    return parse_settings(datasette.plugin_config(PLUGIN) or {}, PLUGIN)


async def own_settings(datasette: Datasette, database: str) -> Settings:
    """Return the settings that are set for one database only."""
    return parse_settings(datasette.plugin_config(PLUGIN, database=database, fallback=False) or {}, PLUGIN)


def closed_by(datasette: Datasette, settings: Settings, whole: bool = False) -> str | None:
    """Return the name of Datasette's own setting by which the owner closed bulk downloads; None if they are open.

    ``whole`` asks for the download of a whole database. Where ``allow`` is set, the owner has decided about exports."""
    if settings.allow is not None:
        return None
    names = ("allow_csv_stream", "allow_download") if whole else ("allow_csv_stream",)
    return next((name for name in names if not datasette.setting(name)), None)


async def settings_for(datasette: Datasette, database: str, tables: frozenset[str] = frozenset()) -> Settings:
    """Return the settings for a database: those of the site, overridden by its own.

    ``tables`` are the tables whose JSON column types (1.0) are added to ``json_columns``, and whose descriptions in
    Datasette's metadata to ``descriptions``. Raises SettingsError for a setting that applies to the whole site only.
    """
    shared = datasette.plugin_config(PLUGIN) or {}
    own = datasette.plugin_config(PLUGIN, database=database, fallback=False) or {}
    for name in FOR_THE_SITE:
        if name in own:
            raise SettingsError(f"{PLUGIN} ({database}): {name} is for the whole site, not for one database")
    settings = parse_settings(merge(shared, own), f"{PLUGIN} ({database})")
    if not tables:
        return settings
    settings = with_descriptions(settings, await described_tables(datasette, database, tables))
    if not V1:
        return settings
    columns = dict(settings.json_columns)
    for table in tables & await _with_column_types(datasette, database):
        types = await on_1(datasette).get_column_types(database, table)
        found = [column for column, kind in types.items() if kind.name == "json"]
        if found:
            columns[table] = [*columns.get(table, []), *found]
    return settings.model_copy(update={"json_columns": columns})


async def _with_column_types(datasette: Datasette, database: str) -> frozenset[str]:
    """Return the tables that have column types, in one look for all: most sites have none."""
    sql = "SELECT DISTINCT resource_name FROM column_types WHERE database_name = ?"
    found = await on_1(datasette).get_internal_database().execute(sql, [database])
    return frozenset(name for (name,) in found.rows)

"""The only package that knows the differences between Datasette 0.x and 1.0; the rest of the plugin calls it.

``writing`` holds what an import needs, ``permissions`` the actions of the plugin.
"""

from __future__ import annotations

from .access import allowed_tables, exportable_tables, may, may_export, visible_tables
from .browser import (
    CLOSES_DETAILS,
    action_variables,
    add_templates,
    from_another_site,
    jump_items,
    skips_token,
    static_url,
    styles_of,
)
from .databases import database_for, readable, source_for
from .line import TELLS_ITS_END, V1
from .queries import QUERY_BEFORE_TABLE, StoredQuery, stored_query
from .settings import closed_by, misplaced, own_settings, settings_for, site_settings
from .stored_files import file_stores
from .tables import table_settings

__all__ = [
    "CLOSES_DETAILS",
    "QUERY_BEFORE_TABLE",
    "TELLS_ITS_END",
    "V1",
    "StoredQuery",
    "action_variables",
    "add_templates",
    "allowed_tables",
    "closed_by",
    "database_for",
    "exportable_tables",
    "file_stores",
    "from_another_site",
    "jump_items",
    "may",
    "may_export",
    "misplaced",
    "own_settings",
    "readable",
    "settings_for",
    "site_settings",
    "skips_token",
    "source_for",
    "static_url",
    "stored_query",
    "styles_of",
    "table_settings",
    "visible_tables",
]

"""The paths that the plugin answers. A plugin's routes are tried before Datasette's own."""

from __future__ import annotations

from typing import Any

from . import views

_DATABASE = r"/(?P<database>[^/.]+)"
_TABLE = rf"{_DATABASE}/(?!-/)(?P<table>[^/.]+)"  # below "-" are Datasette's own pages
_ROW = rf"{_TABLE}/(?P<pks>[^/.]*)"

ROUTES: list[tuple[str, Any]] = [
    (rf"^{_TABLE}\.programjson$", views.table_document),
    (rf"^{_ROW}\.programjson$", views.row_document),
    (rf"^{_ROW}/-/program-export$", views.row_page),
    (rf"^{_ROW}/-/program-export\.json$", views.row_plan),
    (rf"^{_ROW}/-/program-export/download$", views.row_download),
]

"""The Datasette plugin: only the hooks, each a few lines."""

from __future__ import annotations

from typing import Any

from datasette import hookimpl
from datasette.utils import StartupError

from ..cli import program_export
from ..errors import SettingsError
from . import host
from .actions import record_actions
from .routes import ROUTES
from .views import unsupported


@hookimpl
def register_routes() -> list[tuple[str, Any]]:
    return ROUTES


@hookimpl
def register_output_renderer() -> dict[str, Any]:
    """Only for the links that table and row pages then show: our own routes answer them."""
    return {"extension": "programjson", "render": unsupported, "can_render": lambda table: bool(table)}


@hookimpl
def register_commands(cli: Any) -> None:
    cli.add_command(program_export)


@hookimpl
def startup(datasette: Any) -> Any:
    async def check_settings() -> None:
        for name in datasette.databases:
            try:
                await host.settings_for(datasette, name)
            except SettingsError as error:
                raise StartupError(str(error)) from None

    return check_settings


@hookimpl
def row_actions(datasette: Any, request: Any, database: str, table: str) -> list[dict[str, str]]:
    return record_actions(datasette, request, database, table)


@hookimpl
def prepare_jinja2_environment(env: Any) -> None:
    host.add_templates(env)  # 0.x has no row actions: its row page gets a place for them


@hookimpl
def extra_template_vars(datasette: Any, request: Any, database: str, table: str, view_name: str) -> dict[str, Any]:
    if view_name != "row" or host.V1:
        return {}
    return {"program_export_actions": record_actions(datasette, request, database, table)}

"""The hooks of the Datasette plugin; each only calls the code that does the work."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from datasette import hookimpl
from datasette.plugins import pm

from ..cli.main import program_export
from ..formats.registry import endings
from ..options.hooks.manager import show_in, take_part
from . import host
from .host import events, permission_hooks
from .host.protocols import Actor, Application, Datasette, HttpRequest, Later, Scope
from .http.answers import View
from .pages import actions
from .pages.actions import Links
from .pages.export import unsupported
from .routes import OWN_FORMS, OWN_FORMS_ENDINGS, routes
from .server import site as job_site
from .server.throttle import WAITING
from .startup import check_settings

take_part(pm)  # when this is imported, so that plugins may be registered before and after it


@hookimpl
def register_routes() -> list[tuple[str, View]]:
    return routes()


@hookimpl
def register_output_renderer() -> list[dict[str, Any]]:
    """Register the extensions only for the links that Datasette's pages show: our own routes answer them."""
    return [
        {"extension": f"program{ending}", "render": unsupported, "can_render": actions.is_linked}
        for ending in endings()
    ]


@hookimpl
def register_commands(cli: Any) -> None:
    cli.add_command(program_export)


@hookimpl
def startup(datasette: Datasette) -> Later[None]:
    show_in(pm)  # by now all plugins of Datasette's own are registered
    return lambda: check_settings(datasette)


@hookimpl
def asgi_wrapper(datasette: Datasette) -> Callable[[Application], Application]:
    return lambda app: WAITING.around(app if host.TELLS_ITS_END else job_site.ending(app, datasette))


@hookimpl
def shutdown(datasette: Datasette) -> Later[None]:
    return lambda: asyncio.to_thread(job_site.close, datasette)


@hookimpl
def register_actions() -> list[Any]:
    return permission_hooks.actions()


@hookimpl
def permission_resources_sql(datasette: Datasette, actor: Actor, action: str) -> Any:
    return permission_hooks.rules(datasette, actor, action)


@hookimpl
def permission_allowed(datasette: Datasette, actor: Actor, action: str, resource: Any) -> bool | None:
    return permission_hooks.allowed_0x(datasette, actor, action, resource)


@hookimpl
def register_events() -> list[type]:
    return events.event_classes()


@hookimpl
def row_actions(datasette: Datasette, request: HttpRequest, actor: Actor, database: str, table: str) -> Later[Links]:
    return lambda: actions.record_actions(datasette, request, actor, database, table)


@hookimpl
def table_actions(datasette: Datasette, request: HttpRequest, actor: Actor, database: str, table: str) -> Later[Links]:
    return lambda: actions.table_actions(datasette, request, actor, database, table)


@hookimpl
def view_actions(datasette: Datasette, request: HttpRequest, actor: Actor, database: str, view: str) -> Later[Links]:
    return lambda: actions.table_actions(datasette, request, actor, database, view)


@hookimpl
def query_actions(
    datasette: Datasette, request: HttpRequest, actor: Actor, database: str, query_name: str | None
) -> Later[Links]:
    return lambda: actions.query_actions(datasette, request, actor, database, query_name)


@hookimpl
def database_actions(datasette: Datasette, request: HttpRequest, actor: Actor, database: str) -> Later[Links]:
    return lambda: actions.database_actions(datasette, request, actor, database)


@hookimpl
def menu_links(datasette: Datasette, actor: Actor, request: HttpRequest | None) -> Later[Links]:
    return lambda: actions.menu_links(datasette, request, actor)


@hookimpl
def homepage_actions(datasette: Datasette, actor: Actor, request: HttpRequest | None) -> Later[Links]:
    return lambda: actions.homepage_actions(datasette, request, actor)


@hookimpl
def jump_items_sql(datasette: Datasette, actor: Actor, request: HttpRequest | None) -> Later[list[Any]]:
    return lambda: actions.jump_items(datasette, request, actor)


@hookimpl
def top_row(datasette: Datasette, request: HttpRequest, database: str, table: str) -> Later[str | None]:
    return lambda: actions.top_of_row(datasette, request, database, table)


@hookimpl
def extra_css_urls(view_name: str, datasette: Datasette) -> list[str]:
    return host.styles_of(datasette, view_name)


@hookimpl
def skip_csrf(datasette: Datasette, scope: Scope) -> bool | None:
    return host.skips_token(datasette, scope, OWN_FORMS, OWN_FORMS_ENDINGS)


@hookimpl
def prepare_jinja2_environment(env: Any) -> None:
    host.add_templates(env)


@hookimpl
def extra_template_vars(datasette: Datasette, request: HttpRequest, database: str, table: str, view_name: str) -> Any:
    links = actions.record_actions, actions.query_actions
    return host.action_variables(datasette, request, database, table, view_name, *links)


@hookimpl
def register_mcp_tools(datasette: Datasette, mcp: Any) -> None:
    from .tools import register  # needs the packages of datasette-mcp, whose hook this is

    register(datasette, mcp)

"""The links to exports in Datasette's menus."""

from __future__ import annotations

from html import escape
from typing import Any

from ...options.grammar import PREFIX
from .. import host
from ..host.permission_hooks import AUDIT, SETUP, VERIFY
from ..host.protocols import Actor, Datasette, HttpRequest
from ..imports.request import may_import
from ..request.profiles import offered, profiles_url
from ..words import Words, words_of
from .addresses import carried, with_query

_MOST_DATABASES = 5  # on the menu of the whole site
Links = list[dict[str, str]]  # each with href, label and description


def _actions(subject: str, pairs: list[tuple[str, str]], kind: str, profiles: list[str], words: Words) -> Links:
    """Return a link to the export page, and one for each matching profile."""
    page = f"{subject}/-/program-export"
    described = words(f"action.{kind}_described")
    found = [{"href": with_query(page, pairs), "label": words(f"action.{kind}"), "description": described}]
    for name in profiles:
        href = with_query(page, [*pairs, (f"{PREFIX}profile", name)])
        label, described = words("action.profile", name=name), words("action.profile_described")
        found.append({"href": href, "label": label, "description": described})
    return found


async def _is_open(datasette: Datasette, database: str, whole: bool = False) -> bool:
    """Check whether the site's owner left bulk downloads open, by Datasette's own settings."""
    return host.closed_by(datasette, await host.settings_for(datasette, database), whole) is None


async def is_linked(
    datasette: Datasette,
    request: HttpRequest,
    database: str | None,
    table: str | None,
    sql: str | None,
    view_name: str | None,
) -> bool:
    """Check whether Datasette's page links this format among its others: for rows of a table, a view or a query."""
    if database is None or not (table or sql):
        return False
    if view_name != "row" and not await _is_open(datasette, database):
        return False
    return await host.may_export(datasette, request.actor, database, table or None)


async def record_actions(datasette: Datasette, request: HttpRequest, actor: Actor, database: str, table: str) -> Links:
    """Return the actions for a row's page."""
    if not await host.may_export(datasette, actor, database, table):
        return []
    row = datasette.urls.row(database, table, request.url_vars["pks"])
    found = await offered(datasette, actor, database, table=table, records=(("",),))
    return _actions(row, [], "record", found, words_of(request))


async def table_actions(datasette: Datasette, request: HttpRequest, actor: Actor, database: str, table: str) -> Links:
    """Return the actions for the page of a table or view: its rows as they are filtered and sorted there."""
    if not await _is_open(datasette, database) or not await host.may_export(datasette, actor, database, table):
        return []
    pairs = carried(request.args)
    found = await offered(datasette, actor, database, table=table)
    kind = "these_rows" if pairs else "all_rows"
    return _actions(datasette.urls.table(database, table), pairs, kind, found, words_of(request))


async def query_actions(
    datasette: Datasette, request: HttpRequest, actor: Actor, database: str, name: str | None
) -> Links:
    """Return the actions for a query's page."""
    if not await _is_open(datasette, database) or not await host.may_export(datasette, actor, database):
        return []
    subject = datasette.urls.table(database, name) if name else datasette.urls.database(database)
    found = await offered(datasette, actor, database, sql="", name=name)
    return _actions(subject, carried(request.args), "query", found, words_of(request))


async def database_actions(datasette: Datasette, request: HttpRequest | None, actor: Actor, database: str) -> Links:
    """Return the actions for a database's page."""
    found = host.database_for(datasette, database)
    if found is None:
        return []
    visible = await host.visible_tables(datasette, actor, found)
    links, words = [], words_of(request)
    is_open = await _is_open(datasette, database, whole=True)
    if is_open and visible and await host.exportable_tables(datasette, actor, found, visible):
        names = await offered(datasette, actor, database)
        links += _actions(datasette.urls.database(database), [], "database", names, words)
    if await may_import(datasette, actor, found):
        href = f"{datasette.urls.database(database)}/-/program-import"
        links.append({"href": href, "label": words("action.import"), "description": words("action.import_described")})
    if visible and await host.may(datasette, actor, SETUP, found.name):
        href = f"{datasette.urls.database(database)}/-/program-export/setup"
        links.append({"href": href, "label": words("action.setup"), "description": words("action.setup_described")})
    return links


async def menu_links(datasette: Datasette, request: HttpRequest | None, actor: Actor) -> Links:
    """Return the links to the actor's exports and saved options, to verifying, and to the log, for who may use them."""
    words = words_of(request)
    found = []
    if actor and (await host.site_settings(datasette)).max_jobs:
        found.append({"href": str(datasette.urls.path("/-/program-export/jobs")), "label": words("menu.exports")})
    if actor:
        found.append({"href": profiles_url(datasette), "label": words("menu.saved")})
    if await host.may(datasette, actor, "view-instance") and await host.may(datasette, actor, VERIFY):
        found.append({"href": str(datasette.urls.path("/-/program-export/verify")), "label": words("menu.verify")})
    if await host.may(datasette, actor, AUDIT):
        found.append({"href": str(datasette.urls.path("/-/program-export/audit")), "label": words("menu.log")})
    return found


async def homepage_actions(datasette: Datasette, request: HttpRequest | None, actor: Actor) -> Links:
    """Return the actions for the page of the whole site: each database, where they are few, and the menu's links."""
    found = []
    names = [name for name in datasette.databases if name not in ("_internal", "_memory")]
    for name in names if len(names) <= _MOST_DATABASES else []:
        for action in await database_actions(datasette, request, actor, name):
            if action["href"].endswith("/-/program-export"):
                found.append({**action, "label": words_of(request)("menu.export", name=name)})
    return [*found, *await menu_links(datasette, request, actor)]


async def jump_items(datasette: Datasette, request: HttpRequest | None, actor: Actor) -> list[Any]:
    """Return the homepage's actions as items of 1.0's menu "Jump to"."""
    return host.jump_items(await homepage_actions(datasette, request, actor))


async def top_of_row(datasette: Datasette, request: HttpRequest, database: str, table: str) -> str | None:
    """Return the button above a row on 1.0, as HTML: one press, where the menu takes two."""
    found = await record_actions(datasette, request, request.actor, database, table)
    if not found:
        return None
    href, label = escape(found[0]["href"]), escape(found[0]["label"])
    return f'<p class="program-export-action"><a class="first" href="{href}" rel="nofollow">{label}</a></p>'

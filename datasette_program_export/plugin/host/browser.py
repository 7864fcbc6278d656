"""What differs between Datasette 0.x and 1.0 in pages and forms: places for actions, forms of other sites."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from datasette.utils import tilde_decode

from .line import V1
from .protocols import Datasette, HttpRequest, Scope
from .queries import stored_query

CLOSES_DETAILS = not V1  # 0.x pages close every <details> when something else is clicked, not only menus
TEMPLATES_0X = Path(__file__).with_name("templates_0x")
Links = Callable[..., Awaitable[list[dict[str, str]]]]


def from_another_site(request: HttpRequest) -> bool:
    """Whether another site's page makes a browser send this; where 0.x does not look for its token.

    1.0 has refused that before we are asked. By what browsers say of it themselves, as 1.0 does."""
    if V1 or request.headers.get("authorization", "").lower().startswith("bearer "):
        return False
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:
        return site not in ("same-origin", "none")
    return origin is not None and urlsplit(origin).netloc != request.host


def skips_token(datasette: Datasette, scope: Scope, paths: Iterable[str], endings: tuple[str, ...]) -> bool | None:
    """Whether 0.x is not to look for its token in a form, as we look ourselves (``from_another_site``).

    Of these whole paths of ours, and of all paths with these endings. None: 0.x does as it always does."""
    files = [str(datasette.urls.path(path)) for path in paths]
    return scope["path"] in files or scope["path"].endswith(endings) or None


def add_templates(environment: Any) -> None:
    """Give 0.x row and query pages a place for actions, below the site's own templates and above core's."""
    if not V1:
        paths = environment.loader.loaders[0].searchpath  # ChoiceLoader, then FileSystemLoader
        paths.insert(len(paths) - 1, str(TEMPLATES_0X))


def action_variables(
    datasette: Datasette,
    request: HttpRequest | None,
    database: str | None,
    table: str | None,
    view_name: str,
    record: Links,
    query: Links,
) -> Any:
    """The actions for those templates, which ``record`` and ``query`` give; 1.0 has menus of its own for them."""
    if V1:
        return {}

    async def variables() -> dict[str, Any]:
        found: list[dict[str, str]] = []
        if request is not None and database is not None:
            if view_name == "row" and table is not None:
                found = await record(datasette, request, request.actor, database, table)
            elif view_name == "database" and "sql" in request.args:
                found = await query(datasette, request, request.actor, database, None)
            elif view_name == "table":
                name = tilde_decode(request.url_vars.get("table") or "")
                if await stored_query(datasette, request.actor, database, name):
                    found = await query(datasette, request, request.actor, database, name)
        return {"program_export_actions": found}

    return variables

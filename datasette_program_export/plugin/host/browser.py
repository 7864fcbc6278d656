"""Differences between Datasette 0.x and 1.0 in pages and forms: places for actions, cross-site forms."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

from datasette.utils import tilde_decode

from .line import V1
from .protocols import Datasette, HttpRequest, Scope, on_1
from .queries import stored_query

CLOSES_DETAILS = not V1  # 0.x pages close every <details>, not only menus, on a click elsewhere
TEMPLATES_0X = Path(__file__).with_name("templates_0x")
_PACKAGE = "datasette-program-export"
Links = Callable[..., Awaitable[list[dict[str, str]]]]
_static_urls: WeakKeyDictionary[Datasette, dict[str, str]] = WeakKeyDictionary()


def from_another_site(request: HttpRequest) -> bool:
    """Check whether a page of another site made the browser send this request, where 0.x does not check its token.

    1.0 has already refused such requests. Like 1.0, this relies on the headers that browsers send
    (Sec-Fetch-Site, Origin)."""
    if V1 or request.headers.get("authorization", "").lower().startswith("bearer "):
        return False
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:
        return site not in ("same-origin", "none")
    return origin is not None and urlsplit(origin).netloc != request.host


def skips_token(datasette: Datasette, scope: Scope, paths: Iterable[str], endings: tuple[str, ...]) -> bool | None:
    """Return True if 0.x must not check its token in a form, because we check the origin (``from_another_site``).

    ``paths`` are whole paths of ours; ``endings`` match any path with that ending. Returns None
    for all other paths, so that 0.x does its own check."""
    files = [str(datasette.urls.path(path)) for path in paths]
    return scope["path"] in files or scope["path"].endswith(endings) or None


def add_templates(environment: Any) -> None:
    """Add a place for actions to the row and query pages of 0.x.

    The templates rank below the site's own templates and above Datasette's.
    """
    if not V1:
        paths = environment.loader.loaders[0].searchpath  # ChoiceLoader, then FileSystemLoader
        paths.insert(len(paths) - 1, str(TEMPLATES_0X))


def static_url(datasette: Datasette, file: str) -> str:
    """Return the URL of a static file of ours; where 1.0 knows its hash, with that, so that browsers keep the file.

    It is kept as long as the site runs, as Datasette keeps the hash, unless the site asks for none to be kept."""
    if not getattr(datasette, "cache_headers", False):
        return _static_url(datasette, file)
    kept = _static_urls.setdefault(datasette, {})
    if file not in kept:
        kept[file] = _static_url(datasette, file)
    return kept[file]


def _static_url(datasette: Datasette, file: str) -> str:
    """For each address Datasette reads the descriptions of all packages of plugins: several ms."""
    with suppress(AttributeError, FileNotFoundError):  # 0.x and early alphas; a plugin without a name of its own
        return str(on_1(datasette).static(file, plugin=_PACKAGE))
    return str(datasette.urls.static_plugins(_PACKAGE, file))


def jump_items(links: list[dict[str, str]]) -> list[Any]:
    """Return links (href, label, perhaps description) as items of 1.0's menu "Jump to"; none where it has none."""
    if find_spec("datasette.jump") is None:
        return []
    from datasette.jump import JumpSQL

    named = [(link["label"], link["href"], link.get("description")) for link in links]
    return [JumpSQL.menu_item(label=a, url=b, **({"description": c} if c else {})) for a, b, c in named]


def styles_of(datasette: Datasette, view_name: str) -> list[str]:
    """Return the style sheets for one of Datasette's own pages on 1.0; the templates of 0.x name them themselves."""
    return [static_url(datasette, "program_export.css")] if V1 and view_name == "row" else []


def action_variables(
    datasette: Datasette,
    request: HttpRequest | None,
    database: str | None,
    table: str | None,
    view_name: str,
    record: Links,
    query: Links,
) -> Any:
    """Return the template variable with the actions for the 0.x templates; empty on 1.0, which has action menus.

    ``record`` and ``query`` are the functions that return the actions of a row and of a query.
    """
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

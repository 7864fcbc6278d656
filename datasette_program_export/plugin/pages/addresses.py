"""The addresses of a page of Datasette, with the filters by which it shows its rows."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlencode

from ...options.grammar import PREFIX
from ..host.protocols import Args

# Parameters of a page that set its position and its look, not which rows it shows
_NOT_CARRIED = {
    "_next", "_size", "_labels", "_shape", "_extra", "_nofacet", "_nosuggest", "_nocount", "_trace", "_json",
    "_hide_sql", "_show_sql", "_timelimit", "_ttl", "_stream", "_dl", "_nl",
}  # fmt: skip


def carried(args: Args) -> list[tuple[str, str]]:
    """Return the parameters of a page that say which rows it shows, as pairs."""
    names = [n for n in args if n not in _NOT_CARRIED and not n.startswith(("_facet", PREFIX))]
    return [(name, value) for name in names for value in args.getlist(name)]


def with_query(url: str, pairs: Iterable[tuple[str, str]]) -> str:
    """Return the URL with these parameters."""
    query = urlencode(list(pairs))
    return f"{url}?{query}" if query else str(url)

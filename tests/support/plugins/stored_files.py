"""The plugin datasette-files, where ``make stored`` has fetched it: a site whose rows name files by its ids."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from datasette.app import Datasette
from datasette.plugins import pm

PLACE = Path(__file__).parents[3] / ".venv" / "datasette-files"
THERE = (PLACE / "datasette_files").exists()


@contextmanager
def datasette_files() -> Iterator[Any]:
    """The plugin, registered for this while."""
    sys.path.insert(0, str(PLACE))
    try:
        plugin = importlib.import_module("datasette_files")
    finally:
        sys.path.remove(str(PLACE))
    pm.register(plugin, "datasette_files")
    try:
        yield plugin
    finally:
        pm.unregister(plugin)
        plugin._sources.clear()
        plugin._source_meta.clear()


def site(path: Path, root: Path, columns: dict[str, dict[str, str]], **config: Any) -> Datasette:
    """A site with two sources; Anna may see one of them, the owner both. ``columns`` have types by table."""
    sources = {name: {"storage": "filesystem", "config": {"root": str(root / name)}} for name in ("open", "closed")}
    name = path.stem
    return Datasette(
        [str(path)],
        config={
            "plugins": {"datasette-files": {"sources": sources}, "datasette-program-export": config},
            "permissions": {
                "files-browse": {"open": {"allow": {"id": ["anna", "owner"]}}, "closed": {"allow": {"id": "owner"}}}
            },
            "databases": {name: {"tables": {t: {"column_types": types} for t, types in columns.items()}}},
        },
    )


async def put(site: Datasette, plugin: Any, source: str, id_: str, filename: str, content: bytes) -> None:
    """Store a file and register it, as an upload ends."""

    async def pieces() -> Any:
        yield content

    told = await plugin._sources[source].receive_upload(f"{id_[3:]}/{filename}", pieces(), "text/plain")
    await site.get_internal_database().execute_write(
        "INSERT INTO datasette_files (id, source_id, path, filename, content_type, content_hash, size) "
        "VALUES (?, (SELECT id FROM datasette_files_sources WHERE slug = ?), ?, ?, ?, ?, ?)",
        [id_, source, told.path, filename, told.content_type, told.content_hash, told.size],
    )

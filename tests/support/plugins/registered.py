"""Registers a plugin for a while."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from datasette_program_export.options.hooks.manager import manager


@contextmanager
def plugged(plugin: Any, name: str | None = None, into: Any = None) -> Iterator[Any]:
    """Register a plugin with our manager, or ``into`` another (Datasette's), until the end of the block."""
    where = into or manager()
    where.register(plugin, name or f"plugin-{id(plugin)}")
    try:
        yield plugin
    finally:
        where.unregister(plugin)

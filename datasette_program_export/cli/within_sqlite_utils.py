"""``sqlite-utils program-export …``: the hook of sqlite-utils' plugins. Only sqlite-utils imports this module."""

from __future__ import annotations

from typing import Any

from sqlite_utils import hookimpl

from .main import program_export


@hookimpl
def register_commands(cli: Any) -> None:
    """Add the commands to those of sqlite-utils."""
    cli.add_command(program_export)

"""YAML files, each with what is known about one application's database."""

from __future__ import annotations

from importlib.resources import as_file, files
from typing import Any

from ..hooks.specs import hookimpl


@hookimpl
def register_export_presets() -> dict[str, Any]:
    """Return our own presets; each is named as its file is."""
    with as_file(files(__name__)) as folder:
        return {path.stem: path for path in sorted(folder.glob("*.yml"))}

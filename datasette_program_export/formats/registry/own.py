"""Our own formats, brought by the same hook as those of other plugins."""

from __future__ import annotations

from importlib import import_module

from ...options.hooks.specs import hookimpl
from .format import Format

# in the order of all lists; each module ends in ``FORMAT = Format(...)``
_MODULES = (
    "json.programjson",
    "json.ndjson",
    "csv.writing",
    "csv.tsv",
    "package.package",
    "xlsx.writing",
    "parquet.writing",
    "markup.xml.writing",
    "markup.yaml.writing",
    "dossier.writing",
    "sqlite.writing",
    "sqlite.script",
)


@hookimpl
def register_export_formats() -> list[Format]:
    """Return our own formats; their modules are imported now."""
    above = __name__.rsplit(".", 2)[0]
    return [import_module(f"{above}.{module}").FORMAT for module in _MODULES]

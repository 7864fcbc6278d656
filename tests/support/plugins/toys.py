"""A plugin that brings the two formats of the tests."""

from __future__ import annotations

from datasette_program_export.formats.registry import Format
from datasette_program_export.options.hooks.manager import manager
from datasette_program_export.options.hooks.specs import hookimpl
from tests.support.files import pipes_format, toy_format

__all__ = ["TOYS", "FormatPlugin", "manager"]


class FormatPlugin:
    """A plugin that brings formats."""

    __name__ = "formats"  # Datasette asks every plugin for it

    def __init__(self, *formats: Format) -> None:
        self.formats = formats

    @hookimpl
    def register_export_formats(self) -> list[Format]:
        return list(self.formats)


TOYS = FormatPlugin(pipes_format.FORMAT, toy_format.FORMAT)

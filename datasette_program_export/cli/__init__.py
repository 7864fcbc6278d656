"""The command line: ``program-export``, by itself or within ``datasette`` or ``sqlite-utils``."""

from .main import program_export

__all__ = ["program_export"]

"""The command line: ``datasette program-export``."""

from .main import program_export

__all__ = ["program_export"]

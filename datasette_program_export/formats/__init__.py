"""Reads and writes the file formats, and defines the dataset that they encode and decode."""

from .registry import NAMES, Format, Options, check_choices, format_for_file, get_format

__all__ = ["NAMES", "Format", "Options", "check_choices", "format_for_file", "get_format"]

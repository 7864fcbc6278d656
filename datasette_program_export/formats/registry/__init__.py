"""Knows every format: our own and those of plugins, by name, by a file's suffix, and by a file's first bytes."""

from .detection import detect, is_cut_beginning
from .format import PURPOSES, Format, Options
from .lookup import (
    NAMES,
    check_choices,
    check_members,
    choices,
    endings,
    format_for_file,
    format_for_purpose,
    get_format,
    member_names,
)
from .registered import faults

__all__ = [
    "NAMES",
    "PURPOSES",
    "Format",
    "Options",
    "check_choices",
    "check_members",
    "choices",
    "detect",
    "endings",
    "faults",
    "format_for_file",
    "format_for_purpose",
    "get_format",
    "is_cut_beginning",
    "member_names",
]

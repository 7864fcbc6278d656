"""Checks the types of arguments that a program gives: a wrong one is an error of ours, in words."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, TypeVar

from ..errors import ArgumentTypeError, RequestError

Kind = TypeVar("Kind")


def kind_of(value: Any) -> str:
    """Return the name of a value's type with its article: an int, a NoneType."""
    name = type(value).__name__
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"


def optional(name: str, value: Any, kind: type[Kind]) -> Kind | None:
    """Return an argument that may be None. Raises ArgumentTypeError if it is something else than this kind."""
    if value is not None and not isinstance(value, kind):
        raise ArgumentTypeError(f"{name}: {kind.__name__} is needed, not {kind_of(value)}.")
    return value


def path_of(name: str, value: Any) -> Path:
    """Return an argument that is a path. Raises ArgumentTypeError, RequestError."""
    if not isinstance(value, (str, bytes, os.PathLike)):
        raise ArgumentTypeError(f"{name}: a path is needed, not {kind_of(value)}.")
    text = os.fsdecode(value)
    if not text or "\0" in text:
        raise RequestError(f"{name}: a path is needed, and this is none.")
    return Path(text)


def yes_or_no(name: str, value: Any) -> bool:
    """Return an argument that is True or False. Raises ArgumentTypeError for anything else, also for 0 and 1."""
    if not isinstance(value, bool):
        raise ArgumentTypeError(f"{name}: True or False is needed, not {kind_of(value)}.")
    return value

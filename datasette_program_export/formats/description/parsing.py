"""Parses the typed parts of a description from JSON values, and dumps them."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError

from ...errors import UnreadableError

Part = TypeVar("Part")
CLOSED = ConfigDict(extra="forbid")  # the configuration of every part: no other keys


_adapters: dict[Any, TypeAdapter[Any]] = {}


def _adapter(kind: Any) -> TypeAdapter[Any]:
    """Return the adapter of a type, made on first use: making one takes much longer than using it."""
    if kind not in _adapters:
        _adapters[kind] = TypeAdapter(kind)
    return _adapters[kind]


def parsed(kind: type[Part], found: Any, problem: str) -> Part:
    """Parse a part of a description from its JSON value. Raises UnreadableError with the text ``problem``."""
    try:
        part: Part = _adapter(kind).validate_python(found)
    except (ValidationError, RecursionError):
        raise UnreadableError(problem) from None
    return part


def dumped(part: Any) -> dict[str, Any]:
    """Return a part as a JSON object, its keys in order and without the values that are at their defaults."""
    found: dict[str, Any] = _adapter(type(part)).dump_python(part, exclude_defaults=True)
    return found

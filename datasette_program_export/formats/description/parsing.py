"""From JSON values to the typed parts of a description, and back."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError

from ...errors import UnreadableError

Part = TypeVar("Part")
CLOSED = ConfigDict(extra="forbid")  # the configuration of every part: no other keys


_adapters: dict[Any, TypeAdapter[Any]] = {}


def _adapter(kind: Any) -> TypeAdapter[Any]:
    """Made when it is first needed: to make one takes much longer than to use it."""
    if kind not in _adapters:
        _adapters[kind] = TypeAdapter(kind)
    return _adapters[kind]


def parsed(kind: type[Part], found: Any, problem: str) -> Part:
    """A part of a description from its JSON value. Raises UnreadableError, which says ``problem``."""
    try:
        part: Part = _adapter(kind).validate_python(found)
    except (ValidationError, RecursionError):
        raise UnreadableError(problem) from None
    return part


def dumped(part: Any) -> dict[str, Any]:
    """A part as a JSON object, its keys in order; what is at its default is left out."""
    found: dict[str, Any] = _adapter(type(part)).dump_python(part, exclude_defaults=True)
    return found

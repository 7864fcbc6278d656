"""Turns pydantic's validation errors into our own sentences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import ValidationError

_WORDS = {
    "bool": "True or False is needed",
    "int": "a whole number is needed",
    "float": "a number is needed",
    "finite_number": "a number is needed",
    "string": "a text is needed",
    "dict": "names with their values (a dict) are needed",
    "mapping": "names with their values (a dict) are needed",
    "model": "names with their values (a dict) are needed",
    "tuple": "a list is needed",
    "list": "a list is needed",
    "set": "a list is needed",
    "frozen_set": "a list is needed",
    "path": "a path is needed",
    "callable": "a function is needed",
    "none_required": "nothing (None) is needed",
    "missing": "is needed, and not given",
    "string_pattern_mismatch": "has not the form that it needs",
    "string_too_short": "must not be empty",
    "too_short": "must not be empty",
    "string_too_long": "is too long",
}
_LIMITS = {"greater_than_equal": "{ge} or more", "less_than_equal": "{le} or less", "greater_than": "more than {gt}",
           "less_than": "less than {lt}"}  # fmt: skip


def faults(error: ValidationError, worded: Callable[[str, Any], str | None] = lambda key, fault: None) -> str:
    """Return ``key: reason`` for each fault, joined by semicolons.

    ``worded(key, fault)`` returns its own wording for a fault, or None for that of ``reason``."""
    found = []
    for fault in error.errors():
        key = ".".join(map(str, fault["loc"]))
        found.append(worded(key, fault) or (f"{key}: {reason(fault)}" if key else reason(fault)))
    return "; ".join(dict.fromkeys(found))


def reason(fault: Any) -> str:
    """Return what is wrong with one value, in our words; those of a validator of ours are ours already."""
    kind: str = fault["type"]
    context = fault.get("ctx") or {}
    if kind in ("value_error", "assertion_error"):
        return str(fault["msg"].partition(", ")[2] or fault["msg"])
    if kind in ("literal_error", "enum"):
        return f"{context['expected']} is needed"
    if kind == "extra_forbidden":
        return "there is no such option"
    if kind in _LIMITS:
        return f"{_LIMITS[kind].format(**context)} is needed"
    if kind.startswith("is_instance_of"):
        return f"{context.get('class', 'another type')} is needed"
    return _WORDS.get(kind) or _WORDS.get(kind.partition("_")[0]) or "is of another kind than is needed"


def why_no_yaml(error: Exception) -> str:
    """Return why a file of settings cannot be read, with the line, if the error knows one."""
    mark = getattr(error, "problem_mark", None)
    where = f", see line {mark.line + 1}" if mark is not None else ""
    return f"{getattr(error, 'strerror', None) or 'it is no YAML in UTF-8'}{where}"

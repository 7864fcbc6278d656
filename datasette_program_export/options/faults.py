"""Turns pydantic's validation errors into readable messages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import ValidationError


def faults(error: ValidationError, worded: Callable[[str, Any], str | None] = lambda key, fault: None) -> str:
    """Return ``key: reason`` for each fault, joined by semicolons.

    ``worded(key, fault)`` returns its own wording for a fault, or None to keep pydantic's."""
    found = []
    for fault in error.errors():
        key = ".".join(map(str, fault["loc"]))
        found.append(worded(key, fault) or f"{key}: {fault['msg']}")
    return "; ".join(found)

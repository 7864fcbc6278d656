"""What pydantic says against options, in words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import ValidationError


def faults(error: ValidationError, worded: Callable[[str, Any], str | None] = lambda key, fault: None) -> str:
    """``key: why`` for each fault, with semicolons between; ``worded`` says some of them in words of its own."""
    found = []
    for fault in error.errors():
        key = ".".join(map(str, fault["loc"]))
        found.append(worded(key, fault) or f"{key}: {fault['msg']}")
    return "; ".join(found)

"""The specifications of the hooks, and the mark for their implementations. ``docs/hooks.md`` has them with examples.

The hooks share one namespace with those of Datasette's other plugins, so each name says ``export``. Each specification
has two marks: one for Datasette's plugin manager, and one for our own, which needs no Datasette.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar, overload

from pluggy import HookimplMarker, HookspecMarker

Function = TypeVar("Function", bound=Callable[..., Any])
PROJECT, DATASETTE = "program_export", "datasette"
_MARKS = tuple(HookimplMarker(project) for project in (PROJECT, DATASETTE))


@overload
def hookimpl(function: Function) -> Function:
    """Mark a function: ``@hookimpl``."""


@overload
def hookimpl(**options: Any) -> Callable[[Function], Function]:
    """Mark a function with options: ``@hookimpl(tryfirst=True)``."""


def hookimpl(function: Any = None, **options: Any) -> Any:
    """Mark a function as the implementation of the hook of its name, for Datasette and for programs without it.

    The ``options`` are those of pluggy's ``HookimplMarker``. ``datasette.hookimpl`` marks for Datasette alone."""
    if function is None:
        return partial(hookimpl, **options)
    for mark in _MARKS:
        mark(function, **options)
    return function


def _hookspec(function: Function) -> Function:
    for project in (PROJECT, DATASETTE):
        HookspecMarker(project)(function)
    return function


@_hookspec
def register_export_formats() -> Any:
    """Return a list of formats (``datasette_program_export.Format``)."""


@_hookspec
def register_export_presets() -> Any:
    """Return presets by name: for each the path of a YAML file, or a mapping with the same keys."""


@_hookspec
def export_owner_rules(schema: Any, database: str) -> Any:
    """Return a list of rules (``datasette_program_export.OwnerRule``) for one database.

    ``schema`` maps the names of its tables and views to their columns and keys, ``database`` is its name."""


@_hookspec
def export_finished(datasette: Any, facts: Any) -> Any:
    """Hear of an export that has ended (``datasette_program_export.ExportFacts``), whole or not.

    ``datasette`` is None where no site runs. On a site the function may be ``async``."""

"""What the caller of an import may look at, and on which connection it writes."""

from __future__ import annotations

from collections.abc import Callable, Set
from dataclasses import dataclass
from typing import Any

from ...database.library import Prepare
from ..report import AllowedReference, ImportReport
from ..staging.columns import ColumnMapping
from ..target import Target

RunOn = Callable[[Callable[[Any], None]], None]  # calls its argument with the connection that writes


@dataclass(frozen=True)
class AppliedImport:
    """Everything that was written, before it is committed or rolled back.

    ``schema`` is the name of the attached staging database; ``unchecked`` are tables with foreign keys that
    SQLite itself cannot check; ``report`` has the counts."""

    target: Target
    intake: ColumnMapping
    schema: str
    dangling: list[AllowedReference]
    unchecked: set[str]
    report: ImportReport


Inspect = Callable[[AppliedImport], None]


@dataclass(frozen=True)
class ImportHooks:
    """The callbacks of ``load``: see its arguments of the same names."""

    inspect: Inspect | None
    inspect_staged: Callable[[ColumnMapping], None] | None
    run_on: RunOn | None
    visible: Set[str] | None = None
    file_name: str | None = None
    prepare: Prepare | None = None

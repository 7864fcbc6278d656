"""Plans without a database."""

from __future__ import annotations

from typing import Any

from datasette_program_export.formats.description.coverage import EMPTY
from datasette_program_export.planning.plan import Plan, PlannedReference, PlannedTable


def planned(*tables: str, references: list[tuple[str, str, str]] = (), **more: Any) -> Plan:
    """A plan with a row in each table; ``references`` are (child, column, parent)."""
    rows = more.pop("rows", {})
    facts: dict[str, Any] = {
        "source": "here", "preset": None, "scope": "record", "subject": tables[0], "title": "Anna", "bytes": None,
        "rows": len(tables), "complete": True, "coverage": EMPTY, "labels": {}, "can_cascade": True, "notes": [],
        "tables": [PlannedTable(table=t, label=t, belongs=rows.get(t, 1), needed=0) for t in tables],
        "references": [reference(*r) for r in references],
    }  # fmt: skip
    return Plan(**{**facts, **more})


def reference(child: str, column: str, parent: str, **more: Any) -> PlannedReference:
    """A reference that is followed."""
    facts = {"name": f"{child}.{column}", "table": child, "columns": [column], "other_table": parent, "followed": True}
    return PlannedReference(**{**facts, **more})

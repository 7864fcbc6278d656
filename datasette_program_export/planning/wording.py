"""Plans as sentences, for the page and the command line."""

from __future__ import annotations

from collections import Counter

from ..formats.description.coverage_text import Number, counted, coverage_sentences, people_sentences, plain
from .plan import Plan, PlannedTable

__all__ = [
    "Number",
    "because",
    "counted",
    "coverage_sentences",
    "kept_back",
    "needed_because",
    "people_sentences",
    "plain",
]


def because(planned: PlannedTable, plan: Plan) -> str | None:
    """Return why a table's rows belong: ``because charts.client_id = this client``; None for the subject."""
    if planned.because is None or planned.under is None:
        return None
    under = next((t for t in plan.tables if t.table == planned.under), None)
    alone = under is not None and under.rows == 1
    label = plan.labels[planned.under][0 if alone else 1] if planned.under in plan.labels else None
    if alone:
        which = f"this {label}" if label else f"this row of {planned.under}"
    else:
        which = f"one of these {label}" if label else f"one of these rows of {planned.under}"
    if not planned.because.startswith(f"{planned.table}."):  # a person's detail: the person refers to it
        return f"because {planned.because} points to it"
    return f"because {planned.because} = {which}"


def needed_because(planned: PlannedTable, plan: Plan) -> str | None:
    """Return why a table's rows were added: ``because charts.birth_data_id points to it``; None if none were."""
    if planned.needed_because is None:
        return None
    return f"because {planned.needed_because} points to {'it' if planned.needed == 1 else 'them'}"


def kept_back(plan: Plan, number: Number = plain) -> list[str]:
    """Return what is kept back as other people's, a count for each table."""
    rows: Counter[str] = Counter()
    for met in plan.coverage.withheld:
        rows[met.table] += met.rows
    return [counted(table, count, plan.labels, number) for table, count in rows.items()]

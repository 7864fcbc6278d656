"""Plans as sentences, for the page and the command line."""

from __future__ import annotations

from collections import Counter

from ..formats.description.coverage_text import counted, coverage_sentences, people_sentences
from ..formats.description.phrases import ENGLISH, Say
from .plan import Plan, PlannedTable

__all__ = [
    "ENGLISH",
    "Say",
    "because",
    "counted",
    "coverage_sentences",
    "kept_back",
    "needed_because",
    "people_sentences",
]


def because(planned: PlannedTable, plan: Plan, say: Say = ENGLISH) -> str | None:
    """Return why a table's rows belong: ``because charts.client_id = this client``; None for the subject."""
    along = planned.because
    if along is None or planned.under is None:
        return None
    if not along.startswith(f"{planned.table}."):  # a person's detail: the person refers to it
        return say("because.points", 1, along=along)
    under = next((t for t in plan.tables if t.table == planned.under), None)
    alone = under is not None and under.rows == 1
    if planned.under in plan.labels:
        label = plan.labels[planned.under][0 if alone else 1]
        return say("because.this" if alone else "because.one_of", along=along, label=label)
    return say("because.this_row" if alone else "because.one_row_of", along=along, table=planned.under)


def needed_because(planned: PlannedTable, plan: Plan, say: Say = ENGLISH) -> str | None:
    """Return why a table's rows were added: ``because charts.birth_data_id points to it``; None if none were."""
    if planned.needed_because is None:
        return None
    return say("because.points", planned.needed, along=planned.needed_because)


def kept_back(plan: Plan, say: Say = ENGLISH) -> list[str]:
    """Return what is kept back as other people's, a count for each table."""
    rows: Counter[str] = Counter()
    for met in plan.coverage.withheld:
        rows[met.table] += met.rows
    return [counted(table, count, plan.labels, say) for table, count in rows.items()]

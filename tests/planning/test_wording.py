"""Why rows are in a plan, as a sentence."""

from __future__ import annotations

from typing import Any

import pytest

from datasette_program_export.planning.plan import Plan, PlannedTable
from datasette_program_export.planning.wording import because, needed_because
from tests.support.plans import planned


def table(name: str, belongs: int = 1, needed: int = 0, **more: Any) -> PlannedTable:
    return PlannedTable(table=name, label=name, belongs=belongs, needed=needed, **more)


def clients(rows: int, *others: PlannedTable, labels: dict[str, tuple[str, str]] | None = None) -> Plan:
    """A plan with so many clients."""
    return planned("clients", labels=labels or {}).model_copy(update={"tables": [table("clients", rows), *others]})


CHARTS = table("charts", 3, because="charts.client_id", under="clients")


@pytest.mark.parametrize(
    ("rows", "labels", "sentence"),
    [
        (1, {"clients": ("client", "clients")}, "because charts.client_id = this client"),
        (2, {"clients": ("client", "clients")}, "because charts.client_id = one of these clients"),
        (1, {}, "because charts.client_id = this row of clients"),
        (2, {}, "because charts.client_id = one of these rows of clients"),
    ],
)
def test_rows_belong_because_of_the_reference_by_which_they_came(rows: int, labels: dict, sentence: str) -> None:
    assert because(CHARTS, clients(rows, CHARTS, labels=labels)) == sentence


def test_what_was_asked_for_needs_no_reason() -> None:
    made = clients(1, CHARTS)
    assert because(made.tables[0], made) is None and needed_because(made.tables[0], made) is None


def test_a_table_whose_parents_are_not_in_the_file_has_rows_of_it_all_the_same() -> None:
    """Those who left the parents out were told so elsewhere; of one row nobody can speak."""
    made = clients(1, CHARTS).model_copy(update={"tables": [CHARTS]})
    assert because(CHARTS, made) == "because charts.client_id = one of these rows of clients"


@pytest.mark.parametrize(("needed", "whom"), [(1, "it"), (2, "them")])
def test_rows_are_needed_because_others_point_to_them(needed: int, whom: str) -> None:
    parent = table("birth_data", 0, needed, needed_because="charts.birth_data_id", needed_under="charts")
    assert needed_because(parent, clients(1, CHARTS, parent)) == f"because charts.birth_data_id points to {whom}"

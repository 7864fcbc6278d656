"""How many statements a walk needs: one for an edge that leads to nothing new, or to rows whose owner is sure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from datasette_program_export.database.snapshot import Snapshot
from datasette_program_export.demo import ANNA, NOBODY, write_demo
from datasette_program_export.exporting.exporter import Export
from datasette_program_export.options.request import Request


@pytest.mark.parametrize(("client", "most"), [(NOBODY, 70), (ANNA, 85)])
def test_an_edge_costs_one_statement_where_it_leads_to_nothing_new_or_the_owner_is_sure(
    client: str, most: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run: list[str] = []
    before = Snapshot.execute

    def counted(self: Snapshot, sql: str, *more: Any) -> Any:
        run.append(sql)
        return before(self, sql, *more)

    monkeypatch.setattr(Snapshot, "execute", counted)
    b"".join(Export(write_demo(tmp_path / "demo.db", 5), Request(table="clients", records=[(client,)])))
    assert len(run) <= most

"""An R-Tree keeps 32 bits of a number: that is told, what is lost is refused, and a second import finds its rows."""

from __future__ import annotations

import json
import random
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from datasette_program_export import RefusedError, load
from datasette_program_export.importing.staging.r_trees import _rounding
from tests.support.databases.house import rows

CSV = "id,x0,x1,name\n1,13.4,13.6,Ulm\n2,-0.1,0.25,Bonn\n"


@pytest.fixture
def geo(tmp_path: Path) -> Path:
    with closing(sqlite3.connect(tmp_path / "t.db")) as connection:
        connection.execute("CREATE VIRTUAL TABLE geo USING rtree(id, x0, x1, +name TEXT)")
        connection.execute("CREATE VIRTUAL TABLE whole USING rtree_i32(id, x0, x1)")
    return tmp_path / "t.db"


def sent(geo: Path, name: str, text: str | list[dict[str, Any]], **choices: Any) -> Any:
    file = geo.with_name(name)
    file.write_text(text if isinstance(text, str) else json.dumps(text))
    return load(geo, file, backup=False, **choices)


def test_what_is_rounded_is_told_and_the_same_file_is_unchanged(geo: Path) -> None:
    seen = sent(geo, "geo.csv", CSV, preview=True)
    told = [note.message for note in seen.notes if note.kind == "type"]
    assert told == [
        "2 value(s) of geo.x0 are rounded down, to the 32 bits that an R-Tree stores.",
        "1 value(s) of geo.x1 are rounded up, to the 32 bits that an R-Tree stores.",
    ]
    assert sent(geo, "geo.csv", CSV, expect=seen.foreseen).tables["geo"].insert == 2
    assert rows(geo, "SELECT x0 < 13.4, x1 > 13.6 FROM geo WHERE id = 1") == [(1, 1)]
    assert sent(geo, "geo.csv", CSV).tables["geo"].unchanged == 2
    as_json = [{"id": 1, "x0": 13.4, "x1": 13.6, "name": "Ulm"}, {"id": 3, "x0": 1, "x1": 2, "name": None}]
    again = sent(geo, "geo.json", as_json).tables["geo"]
    assert (again.unchanged, again.insert) == (1, 1)


@pytest.mark.parametrize("value", [None, "here", 1e39])
def test_what_would_become_another_number_is_refused(geo: Path, value: Any) -> None:
    with pytest.raises(RefusedError, match="x0 is no number"):
        sent(geo, "geo.json", [{"id": 1, "x0": value, "x1": 2e39}])
    with pytest.raises(RefusedError, match="x0 is no number"):
        sent(geo, "whole.json", [{"id": 1, "x0": value, "x1": 9}])
    assert rows(geo, "SELECT * FROM geo") == []


def test_whole_numbers_of_32_bits_stay_and_no_others(geo: Path) -> None:
    assert sent(geo, "whole.json", [{"id": 1, "x0": -(2**31), "x1": 2**31 - 1}]).tables["whole"].insert == 1
    for odd in (2**31, 1.5):
        with pytest.raises(RefusedError, match="x1 is no number"):
            sent(geo, "whole.json", [{"id": 2, "x0": 0, "x1": odd}])


def test_a_bad_row_is_set_aside_as_the_file_has_it(geo: Path) -> None:
    report = sent(geo, "geo.csv", CSV + "3,13.4,1,x\n", skip_bad=geo.with_name("bad"))
    assert (report.tables["geo"].insert, report.set_aside) == (2, 1)
    assert json.loads(geo.with_name("bad").read_text())["row"]["x0"] == 13.4


def test_numbers_are_rounded_as_sqlite_does_it() -> None:
    dice = random.Random(7)
    values = [dice.uniform(-1, 1) * 10 ** dice.randint(-50, 38) for _ in range(2000)]
    values += [0.0, -0.0, 1e-46, -1e-46, 2**24 + 1, -(2**24) - 1, 0.1, 3.4028235677973366e38]
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE VIRTUAL TABLE r USING rtree(id, low, high)")
        for value in values:
            connection.execute("INSERT OR REPLACE INTO r VALUES (1, ?1, ?1)", (value,))
            low, high = connection.execute("SELECT low, high FROM r").fetchone()
            assert [_rounding(False)(value), _rounding(True)(value)] == [
                one if abs(one) != float("inf") else None for one in (low, high)
            ], value

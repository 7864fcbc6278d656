"""JSON that another program spelled anew is unchanged where it means what is stored; the stored text stays."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from datasette_program_export import RefusedError, load
from datasette_program_export.formats.json.meaning import canonical
from tests.support.databases.house import rows

STORED = '{"b": 1.50, "a": "\\u00e9", "c": [1e2, true, 12345678901234567890], "d": -0.0}'


@pytest.fixture(params=["id INTEGER PRIMARY KEY, data TEXT", "id INTEGER, data TEXT"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    with closing(sqlite3.connect(tmp_path / "t.db")) as connection:
        connection.execute(f"CREATE TABLE t ({request.param})")
        connection.execute("INSERT INTO t VALUES (1, ?)", (STORED,))
        connection.commit()
    return tmp_path / "t.db"


def imported(target: Path, data: Any, name: str, **choices: Any) -> Any:
    file, row = target.with_name(name), {"id": 1, "data": data}
    texts = {
        "t.json": json.dumps([row], ensure_ascii=False),
        "t.ndjson": json.dumps(row, ensure_ascii=False, separators=(", ", ":")),
    }
    file.write_text(texts[name], "utf-8")
    return load(target, file, table="t", backup=False, **choices).tables["t"]


@pytest.mark.parametrize("name", ["t.json", "t.ndjson"])
def test_another_spelling_is_unchanged(target: Path, name: str) -> None:
    data = json.loads(STORED)
    data = {key: data[key] for key in sorted(data)}
    assert imported(target, data, name).unchanged == 1
    assert rows(target, "SELECT data FROM t") == [(STORED,)]


@pytest.mark.parametrize(
    "change", [{"b": 1.51}, {"c": [100, 1, 12345678901234567890]}, {"c": [100, True, 12345678901234567891]}, {"d": 0}]
)
def test_another_value_is_none_of_it(target: Path, change: dict[str, Any]) -> None:
    data = {**json.loads(STORED), **change}
    keyed = "PRIMARY" in rows(target, "SELECT sql FROM sqlite_master")[0][0]
    if keyed:
        with pytest.raises(RefusedError, match="with other values"):
            imported(target, data, "t.json")
        (one,) = imported(target, data, "t.json", preview=True).samples
        assert [d.column for d in one.differences] == ["data"]
    assert imported(target, data, "t.json", on_conflict="update").unchanged == 0


def test_what_is_no_json_or_very_deep_means_nothing() -> None:
    assert canonical("NaN") is canonical("[" * 100_000) is canonical(b"\xff\xfe\xfd") is canonical("1e999") is None
    assert canonical('"é"'.encode("utf-16-le")) == canonical('"\\u00e9"')

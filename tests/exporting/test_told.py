"""What an export drops or makes plain is told in the same words by the plan, the document, README.txt and verify."""

from __future__ import annotations

import sqlite3
import zipfile
from pathlib import Path

import pytest

from datasette_program_export import Request, export, plan, verify
from datasette_program_export.errors import SourceError, UnsupportedError
from datasette_program_export.exporting.exporter import Export
from datasette_program_export.formats.description.coverage_text import coverage_sentences
from tests.support.databases.house import made

T = ("CREATE TABLE t (id INTEGER PRIMARY KEY, a)", "INSERT INTO t VALUES (1, 2)")


def trigger(name: str, into: str = "gone") -> str:
    return f"CREATE TRIGGER {name} AFTER INSERT ON t BEGIN INSERT INTO {into} VALUES (new.id); END"


def told(source: Path, folder: Path, **asked: object) -> list[str]:
    """The sentences of an export, the same from the plan, the export, a package's README.txt and verify."""
    request = Request(**asked)
    planned = coverage_sentences(plan(source, request).coverage)
    with Export(source, request) as one:
        (folder / "file").write_bytes(b"".join(one))
        assert coverage_sentences(one.coverage) == planned
    assert verify(folder / "file").left_out == planned
    (folder / "p.zip").write_bytes(b"".join(export(source, request.model_copy(update={"format": "package"}))))
    with zipfile.ZipFile(folder / "p.zip") as zipped:
        readme = zipped.read("README.txt").decode()
    assert [line[4:] for line in readme.splitlines() if line.startswith("  - ")] == (
        planned or ["Nothing was left out."]
    )
    return planned


@pytest.mark.parametrize("form", ["programjson", "sqlite"])
def test_a_trigger_that_does_not_work_without_its_table(tmp_path: Path, form: str) -> None:
    source = made(tmp_path / "a.db", *T, trigger("one"), journal="delete")
    sentences = told(source, tmp_path, format=form)
    assert sentences == ["The trigger one is not included: no such table: main.gone."]


def test_many_of_a_kind_are_one_sentence(tmp_path: Path) -> None:
    views = [f"CREATE VIEW v{i} AS SELECT * FROM t" for i in range(17)]
    source = made(tmp_path / "a.db", *T, *views, *(trigger(f"r{i}", f"gone{i}") for i in range(9)))
    assert told(source, tmp_path) == [
        "17 views are not included, as they are computed from tables (v0, v1, v2, v3, v4 and 12 more); "
        "export them by themselves.",
        "9 triggers are not included (r0, r1, r2, r3, r4 and 4 more): for example, no such table: main.gone0.",
    ]


def test_a_few_views_are_told_one_by_one(tmp_path: Path) -> None:
    source = made(tmp_path / "a.db", *T, "CREATE VIEW v AS SELECT * FROM t")
    assert told(source, tmp_path) == ["v: not included, a view, computed from tables; export it by itself."]


def test_a_record_tells_of_triggers_only_where_its_file_is_a_database(tmp_path: Path) -> None:
    source = made(tmp_path / "a.db", *T, trigger("one"))
    asked = {"table": "t", "records": (("1",),), "person": ("none",)}
    found = plan(source, Request(**asked, format="sqlite")).coverage.warnings
    assert found == ("The trigger one is not included: no such table: main.gone.",)
    assert plan(source, Request(**asked)).coverage.warnings == ()


def broken(path: Path) -> Path:
    """A database whose only table has a damaged first page."""
    source = made(path, "CREATE TABLE t (a)", "INSERT INTO t VALUES (hex(zeroblob(3000)))", journal="delete")
    data = bytearray(source.read_bytes())
    data[4096:4100] = b"\xff" * 4
    source.write_bytes(data)
    return source


def test_a_database_of_which_nothing_can_be_read_tells_why(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"There is nothing in b .* t: it cannot be read, .*malformed"):
        b"".join(export(broken(tmp_path / "b.db"), Request()))


def test_a_table_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """Its collation is known to the application alone."""
    source = tmp_path / "c.db"
    connection = sqlite3.connect(source)
    connection.create_collation("house", lambda a, b: (a > b) - (a < b))
    connection.execute("CREATE TABLE t (id TEXT COLLATE house PRIMARY KEY) WITHOUT ROWID")
    connection.execute("CREATE TABLE ok (a)")
    connection.commit()
    connection.close()
    with pytest.raises(UnsupportedError, match="^t cannot be read: no such collation sequence: house"):
        b"".join(export(source, Request(table="t")))
    (left,) = plan(source, Request()).coverage.left_out
    assert (left.table, left.why) == ("t", "no such collation sequence: house")


def test_a_table_is_named_also_where_its_rows_are_being_read(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="^t in b cannot be read: .*malformed"):
        b"".join(export(broken(tmp_path / "b.db"), Request(table="t", format="csv")))

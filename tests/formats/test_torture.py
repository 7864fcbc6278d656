"""Every awkward value and shape through every format, read by readers that know nothing of the package."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from datasette_program_export import ExportError, Request, Settings, export
from datasette_program_export.formats.registry import NAMES, get_format
from tests.support.databases.building import quoted
from tests.support.databases.strategies import TYPES, VALUES, Built, databases
from tests.support.databases.torture import (
    AFFINITIES,
    JOURNALS,
    JSON_COLUMNS,
    NOT_UTF16,
    VIEWS,
    affinity_table,
    values,
    write,
    write_not_utf16,
)
from tests.support.files.cells import Cell, Found, Read, computed_columns, digest, in_order, stored, table_names
from tests.support.files.csv_reader import csv_fields, csv_holds
from tests.support.files.readers import reader_of
from tests.support.runs.thorough import examples, shared, some

LOSSLESS = [name for name in NAMES if get_format(name).lossless]
NOT_LOSSLESS = [name for name in NAMES if not get_format(name).lossless]
# what has no order of its own
UNORDERED = {*VIEWS, "search"}


@dataclass(frozen=True)
class Source:
    """A database, what SQLite itself says that it holds, and the digests of that."""

    database: Any
    tables: dict[str, Read]
    digests: dict[str, Any]
    json_columns: dict[str, list[str]]

    @classmethod
    def of(cls, database: Any, connection: sqlite3.Connection, json_columns: Any = None, views: Any = ()) -> Source:
        names = [*table_names(connection), *views]
        tables = {name: stored(connection, name, in_order(connection, name)) for name in names}
        digests = {}
        for name, table in tables.items():
            computed = computed_columns(connection, name) if name not in views else set()
            kept = [i for i, column in enumerate(table.columns) if column not in computed]
            rows = [tuple(row[i] for i in kept) for row in table.rows]
            digests[name] = {"rows": len(rows), "sha256": digest(rows)}
        connection.text_factory = str
        return cls(database, tables, digests, json_columns or {})

    def export(self, name: str, **how: Any) -> bytes:
        request = Request(format=name, **how)
        return b"".join(export(self.database, request, settings=Settings(json_columns=self.json_columns)))

    def alone(self, name: str) -> Iterator[tuple[Read, Found]]:
        """Every table and view by itself: as it is, and as read from its export."""
        for table, wanted in self.tables.items():
            yield wanted, reader_of(name)(self.export(name, table=table))


@pytest.fixture(scope="module", params=[*JOURNALS, "names"])
def torture(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Source:
    """Every value in every encoding; and the tables with odd names."""
    path, names = tmp_path_factory.mktemp("torture") / "torture.db", request.param == "names"
    write(path, "UTF-8" if names else request.param, only="names" if names else "values")
    with closing(sqlite3.connect(path)) as connection:
        return Source.of(path, connection, None if names else JSON_COLUMNS, () if names else VIEWS)


def changed(wanted: Read, found: Read) -> list[tuple[str, str, Cell, Cell]]:
    """The cells that are not what they were, as (table, column, wanted, found); all rows must be there."""
    if found.rows or found.columns:
        assert found.columns == wanted.columns, wanted.name
    assert len(found.rows) == len(wanted.rows), wanted.name
    pairs: Any = zip(wanted.rows, found.rows)
    if wanted.name in UNORDERED:
        pairs = zip(sorted(wanted.rows, key=repr), sorted(found.rows, key=repr))
    cells = ((c, w, f) for ws, fs in pairs for c, w, f in zip(wanted.columns, ws, fs))
    return [(str(wanted.name), column, w, f) for column, w, f in cells if w != f]


def shown(losses: list[tuple[str, str, Cell, Cell]]) -> str:
    return "\n".join(f"{t}.{c}: {str(w)[:60]} became {str(f)[:60]}" for t, c, w, f in losses[:10])


def only_table(found: Found, name: str) -> Read:
    """The table of an export of one."""
    named = [table for table in found.tables if table.name in (None, name)]
    assert len(named) == 1, name
    return named[0]


def check_digests(source: Source, found: Found, names: Any) -> None:
    if found.digests is not None:
        assert found.digests == {name: source.digests[name] for name in names}


def test_the_database_is_what_it_is_meant_to_be(tmp_path: Path) -> None:
    for encoding in JOURNALS:
        every = values(encoding)
        assert len(every) == len(dict(every)) > 250  # each with a name of its own
        with closing(sqlite3.connect(write(tmp_path / f"{encoding}.db", encoding))) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            assert connection.execute("PRAGMA encoding").fetchone() == (encoding,)
            for affinity in AFFINITIES:
                table = quoted(affinity_table(affinity))
                assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (len(every),)
            query = "SELECT typeof(v), count(*) FROM plain_none GROUP BY 1"
            kinds = dict(connection.execute(query).fetchall())
            assert kinds["null"] == 1 and min(kinds[k] for k in ("integer", "real", "text", "blob")) > 10


@pytest.mark.parametrize(("torture", "name"), shared(product((*JOURNALS, "names"), NAMES)), indirect=["torture"])
def test_a_whole_database_reads_back(torture: Source, name: str) -> None:
    """All tables, rows and columns are there, for every format; the digests are those of the rows."""
    form = get_format(name)
    for layout in set(form.layouts) - {"data-only"}:  # whose rows are for tables that are there
        found = reader_of(name)(torture.export(name, layout=layout))
        tables = {str(table.name): table for table in found.tables}
        assert set(tables) == set(torture.tables) - set(VIEWS)
        losses = [loss for table, read in tables.items() for loss in changed(torture.tables[table], read)]
        assert not losses, shown(losses)  # csv too: several tables come as a package, which describes them
        check_digests(torture, found, tables)
        assert not form.self_verifying or found.digests is not None


@pytest.mark.parametrize(
    ("torture", "name"), shared(product((*some(tuple(JOURNALS), 2), "names"), NAMES)), indirect=["torture"]
)
def test_every_table_and_view_alone_reads_back(torture: Source, name: str) -> None:
    losses = []
    for wanted, found in torture.alone(name):
        losses += changed(wanted, only_table(found, str(wanted.name)))
        check_digests(torture, found, [wanted.name])
    assert get_format(name).lossless == (not losses), shown(losses)


# What somebody who has a csv file alone, without knowing what its columns hold, takes for something else
NUMBERS = ("0", "-0", "1", "1.0", "1e5", "1e999", "-1.5e3", "9007199254740993")
SPELLED_LIKE_A_NUMBER = {w.encode() for w in (*NUMBERS, "Infinity", "-Infinity")}


def kind_of(found: Cell) -> str | None:
    """The kind of value whose storage class a csv file does not tell."""
    storage_class, value = found
    if storage_class == "blob":
        return "a BLOB, which is a text of base64"
    if storage_class != "text":
        return None
    try:
        value.decode()
    except UnicodeDecodeError:
        return "a text that is not UTF-8, which is a text of base64"
    return (
        "a text that is spelled like a number or an infinity, which is one" if value in SPELLED_LIKE_A_NUMBER else None
    )


@pytest.mark.parametrize("torture", JOURNALS, indirect=True)
@pytest.mark.parametrize("name", NOT_LOSSLESS)
def test_these_kinds_of_values_change_in_csv_and_no_others(torture: Source, name: str) -> None:
    """NULL and '', integers, reals and all other texts are told apart by the file alone."""
    assert name in ("csv", "tsv"), f"say here what {name} does not keep"
    wanted, found = torture.tables["strict_any"], reader_of(name)(torture.export(name, table="strict_any"))
    cells = {row[1] for row in wanted.rows}
    lost = {cell for _, _, cell, _ in changed(wanted, only_table(found, "strict_any"))}
    assert {kind_of(cell) for cell in lost} == {kind_of(cell) for cell in cells} - {None}
    assert lost == {cell for cell in cells if kind_of(cell)}


@pytest.mark.parametrize("name", NOT_LOSSLESS)
def test_who_knows_the_storage_class_reads_the_same_value_from_csv(torture: Source, name: str) -> None:
    """Nothing is cut, rounded or replaced: also of the kinds above the whole content is there."""
    for table in torture.tables:
        text = torture.export(name, table=table).decode()
        header, *lines = csv_fields(text, "\t" if name == "tsv" else ",")
        null = "NULL" if len(header) == 1 else ""
        for line, row in zip(lines, torture.tables[table].rows, strict=True):
            if table not in UNORDERED:
                for field, cell in zip(line, row, strict=True):
                    assert csv_holds(field, null, cell), (table, str(field)[:80], str(cell)[:80])


@pytest.mark.parametrize("encoding", ["UTF-16le", "UTF-16be"])
def test_a_text_that_is_not_utf16_is_what_sqlite_makes_of_it_or_refused(tmp_path: Path, encoding: str) -> None:
    """Texts are read as SQLite gives them, as UTF-8: it takes what follows half a pair for the other half."""
    path = write_not_utf16(tmp_path / "odd.db", encoding)
    with closing(sqlite3.connect(path)) as connection:
        source = Source.of(path, connection)
        connection.text_factory = bytes
        raw = [raw for (raw,) in connection.execute("SELECT CAST(v AS BLOB) FROM t ORDER BY id")]
    assert raw == [text.encode(encoding, "surrogatepass") for text in NOT_UTF16]
    given = [cell[1].decode("utf-8", "surrogatepass") for _, cell in source.tables["t"].rows]
    assert [pair for pair in zip(NOT_UTF16, given) if pair[0] != pair[1]] == [
        ("a\udc00b", "a\U00010062"),
        ("\ud800a", "\U00010061"),
        ("\ud800\ud800", "\U00010000"),
        ("\udc00\ud800", "\U00010000"),
        ("\udbff\0", "\U0010fc00"),
    ]
    for name in LOSSLESS:
        with contextlib.suppress(ExportError):  # a format may say that it cannot hold them
            losses = changed(source.tables["t"], only_table(reader_of(name)(source.export(name)), "t"))
            assert not losses, shown(losses)


@settings(deadline=None, max_examples=examples(15), suppress_health_check=list(HealthCheck))
@given(data=st.data())
@pytest.mark.parametrize("name", LOSSLESS)
def test_random_databases_read_back(name: str, data: st.DataObject) -> None:
    built: Built = data.draw(databases(with_persons=False))
    types = data.draw(st.lists(st.sampled_from((*TYPES, "JSON")), min_size=1, max_size=4))
    rows = data.draw(st.lists(st.tuples(*[VALUES for _ in types]), max_size=12))
    with closing(built.open()) as connection:
        connection.execute(f"CREATE TABLE random ({', '.join(f'v{i} {t}' for i, t in enumerate(types))})")
        connection.executemany(f"INSERT INTO random VALUES ({', '.join('?' * len(types))})", rows)
        source = Source.of(connection, connection)
        found = reader_of(name)(source.export(name))
        tables = {str(table.name): table for table in found.tables}
        losses = [loss for table, wanted in source.tables.items() for loss in changed(wanted, tables[table])]
        assert not losses, shown(losses)
        check_digests(source, found, source.tables)

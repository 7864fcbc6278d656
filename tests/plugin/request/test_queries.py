"""The door for SQL: every row, exact; and nothing but reading."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest
from click.testing import CliRunner, Result

from datasette_program_export import Request, Source, plan
from datasette_program_export.cli.main import program_export
from datasette_program_export.plugin.host import V1
from datasette_program_export.plugin.server.slots import SLOTS
from tests.support.databases.building import database, value
from tests.support.sites.server import make_datasette, served, wait_until

ROWS = 2500
ENDLESS = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c)"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    rows = f"WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT {ROWS}) SELECT x, 'a' || x FROM c"
    database(tmp_path / "q.db", "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT)", f"INSERT INTO t {rows}").close()
    return tmp_path / "q.db"


def run(*words: object) -> Result:
    return CliRunner().invoke(program_export, [str(w) for w in words])


def address(sql: str, ending: str = "json", **more: str) -> str:
    return f"/q/-/query.program{ending}?" + urlencode({"sql": sql, **more})


async def test_every_row_beyond_max_returned_rows(path: Path) -> None:
    ds = make_datasette(path)
    found = (await ds.client.get(address("select id, a from t order by id desc"))).json()
    assert [row["id"] for row in found["tables"]["query"]] == list(range(ROWS, 0, -1))
    assert found["integrity"]["rows"] == ROWS
    assert json.loads(run("query", path, "select id from t").stdout)["integrity"]["rows"] == ROWS


async def test_named_parameters(path: Path) -> None:
    ds = make_datasette(path)
    sql = "select a from t where id = cast(:id as integer) and :id || '' = '7'"
    assert (await ds.client.get(address(sql, id="7"))).json()["tables"]["query"] == [{"a": "a7"}]
    assert (await ds.client.get(address("select :gone as x"))).json()["tables"]["query"] == [{"x": ""}]
    assert json.loads(run("query", path, sql, "--param", "id", "7").stdout)["tables"]["query"] == [{"a": "a7"}]
    refused = run("query", path, sql)
    assert refused.exit_code == 2 and "no value was given for :id" in refused.stderr


NAMES = [
    ("select 1 as a, 2 as a", ["a", "a_2"]),
    ("select 1 as a, 2 as a_2, 3 as a", ["a", "a_2", "a_3"]),
    ("select 1 as a, 2 as a, 3 as a_2", ["a", "a_3", "a_2"]),
    ("select 1 as a, 2 as A", ["a", "A_2"]),
    ("select 1, 1", ["1", "1_2"]),
    ('select 1 as "", 2 as ""', ["", "_2"]),
    ("select 1 as 'é', 2 as 'É'", ["é", "É_2"]),
]


@pytest.mark.parametrize("sql, names", NAMES)
async def test_a_column_name_stands_once(path: Path, sql: str, names: list[str]) -> None:
    found = (await make_datasette(path).client.get(address(sql))).json()
    assert [c["name"] for c in found["schema"]["tables"]["query"]["columns"]] == names
    assert list(found["tables"]["query"][0]) == names


VALUES = {
    "9223372036854775807": 9223372036854775807,
    "-9223372036854775807 - 1": -9223372036854775808,
    "1.0": 1.0,
    "0.1 + 0.2": 0.30000000000000004,
    "-0.0": -0.0,
    "5e-324": 5e-324,
    "9e999": float("inf"),
    "-9e999": float("-inf"),
    "NULL": None,
    "''": "",
    "x''": b"",
    "x'00ff'": b"\x00\xff",
    "'a' || char(0) || 'b'": "a\0b",
    "'{\"a\": 1}'": '{"a": 1}',
    "char(128512)": "😀",
    "CAST(x'61ff' AS TEXT)": b"a\xff",
}


@pytest.mark.parametrize("expression", VALUES)
async def test_values_are_exact(path: Path, expression: str) -> None:
    (row,) = (await make_datasette(path).client.get(address(f"select {expression} as v"))).json()["tables"]["query"]
    found, expected = value(row["v"]), VALUES[expression]
    assert (repr(found), isinstance(found, bytes)) == (repr(expected), isinstance(expected, bytes))
    assert isinstance(row["v"], str) == isinstance(expected, str)


async def test_a_bad_text_after_many_good_ones(path: Path) -> None:
    """The statement is run once only: there is no second try at its rows."""
    sql = "select case id when 2000 then cast(x'ff' as text) else a end as v, random() as r from t"
    rows = (await make_datasette(path).client.get(address(sql))).json()["tables"]["query"]
    assert len(rows) == ROWS and rows[1999]["v"] == {"$base64": True, "encoded": "/w==", "type": "text"}


@pytest.mark.parametrize(
    "sql",
    ["select 1 as x;", "select 1 as x ; ;\n", "select 1 as x -- ;", "/* a; */ select 1 as x", "-- a\nselect 1 as x;"],
)
async def test_semicolons_and_comments(path: Path, sql: str) -> None:
    found = await make_datasette(path).client.get(address(sql))
    assert found.status_code == 200 and found.json()["tables"]["query"] == [{"x": 1}], found.text
    assert json.loads(run("query", "--", path, sql).stdout)["tables"]["query"] == [{"x": 1}]
    plan = await make_datasette(path).client.get("/q/-/program-export.json?" + urlencode({"sql": sql}))
    assert plan.status_code == 200 and plan.json()["rows"] == 1, plan.text


async def test_an_empty_result_has_a_header(path: Path) -> None:
    sql = "select id, a as b, id as b from t where 0"
    ds = make_datasette(path)
    assert (await ds.client.get(address(sql, "csv"))).content == b"id,b,b_2\r\n"
    assert (await ds.client.get(address(sql))).json()["tables"] == {"query": []}
    assert run("query", path, sql, "-f", "csv").stdout_bytes == b"id,b,b_2\r\n"


QUERIES = {
    "plain": "select id from t where id < 3",
    "asked": {"sql": "select a from t where id = cast(:id as integer)"},
    "who": {"sql": "select :_actor_id as who, :_header_x_word as word, :_cookie_c as c"},
    "writes": {"sql": "insert into t (a) values ('x')", "write": True},
    "hidden_write": {"sql": "delete from t"},
    "wrong": {"sql": "select nothing from t"},
}


async def test_stored_queries(path: Path) -> None:
    config = {"databases": {"q": {"queries": QUERIES}}}
    ds = make_datasette(path, **stored(config))
    found = await ds.client.get("/q/plain.programjson")
    assert found.status_code == 200 and found.json()["tables"] == {"plain": [{"id": 1}, {"id": 2}]}, found.text
    assert (await ds.client.get("/q/plain.programcsv")).content == b"id\r\n1\r\n2\r\n"
    assert (await ds.client.get("/q/asked.programjson?id=9")).json()["tables"]["asked"] == [{"a": "a9"}]
    cookies = {"ds_actor": ds.sign({"a": {"id": "x"}}, "actor"), "c": "cookie"}
    found = await ds.client.get("/q/who.programjson", headers={"x-word": "w"}, cookies=cookies)
    assert found.json()["tables"]["who"] == [{"who": "x", "word": "w", "c": "cookie"}], found.text
    nobody = await ds.client.get("/q/who.programjson", headers={"x-word": "w"})
    assert nobody.status_code == 400 and "which your request does not have" in nobody.json()["error"]
    for name in ("writes", "hidden_write", "wrong"):
        refused = await ds.client.get(f"/q/{name}.programjson")
        assert refused.status_code == 400 and refused.json()["error"].endswith("."), refused.text
    assert sqlite3.connect(path).execute("SELECT count(*) FROM t").fetchone() == (ROWS,)
    assert (await ds.client.get("/q/unknown.programjson")).status_code == 404


def stored(config: dict) -> dict:
    """Where a site's queries stand: in the configuration (1.0), in the metadata (0.x)."""
    return {"config": config} if V1 else {"metadata": config}


FORBIDDEN = {
    "attach": "ATTACH 'x.db' AS x",
    "attach_expression": "ATTACH ':memory:' AS x",
    "detach": "DETACH main",
    "vacuum": "VACUUM",
    "vacuum_into": "VACUUM INTO '{folder}/copy.db'",
    "pragma": "PRAGMA user_version = 7",
    "pragma_read": "PRAGMA table_info(t)",
    "writable_schema": "PRAGMA writable_schema = 1",
    "insert": "INSERT INTO t (a) VALUES ('x')",
    "insert_returning": "INSERT INTO t (a) VALUES ('x') RETURNING a",
    "replace": "REPLACE INTO t VALUES (1, 'x')",
    "update": "UPDATE t SET a = 'x' RETURNING id",
    "delete": "DELETE FROM t RETURNING id",
    "create": "CREATE TABLE x (a)",
    "create_as": "CREATE TABLE x AS SELECT * FROM t",
    "create_temp": "CREATE TEMP TABLE t AS SELECT 1 AS id",
    "create_temp_view": "CREATE TEMP VIEW t AS SELECT 1 AS id",
    "create_trigger": "CREATE TEMP TRIGGER x AFTER INSERT ON t BEGIN SELECT 1; END",
    "create_virtual": "CREATE VIRTUAL TABLE temp.x USING fts5(a)",
    "create_index": "CREATE INDEX x ON t (a)",
    "drop": "DROP TABLE t",
    "alter": "ALTER TABLE t RENAME TO u",
    "reindex": "REINDEX",
    "analyze": "ANALYZE",
    "begin": "BEGIN IMMEDIATE",
    "commit": "COMMIT",
    "rollback": "ROLLBACK",
    "savepoint": "SAVEPOINT x",
    "with_insert": "WITH v AS (SELECT 1 AS a) INSERT INTO t (a) SELECT a FROM v",
    "with_delete": "WITH v AS (SELECT 1) DELETE FROM t WHERE id IN (SELECT * FROM v) RETURNING id",
    "with_update": "WITH v AS (SELECT 1) UPDATE t SET a = 'x'",
    "load_extension": "SELECT load_extension('x')",
    "tokenizer": "SELECT fts3_tokenizer('simple')",
    "edit_schema": "UPDATE sqlite_schema SET sql = ''",
    "edit_master": "WITH v AS (SELECT 1) DELETE FROM sqlite_master",
    "two": "SELECT 1; DROP TABLE t",
    "two_begun": "SELECT 1; ROLLBACK; BEGIN",
    "pragma_function": "SELECT * FROM pragma_database_list",
    "pragma_function_schema": "SELECT * FROM pragma_table_info('t')",
    "pragma_function_named": "SELECT * FROM \"pragma_table_info\"('t')",
    "temp_master": "SELECT * FROM sqlite_temp_master",
    "temp_table": "SELECT * FROM temp.t",
    "other_database": "SELECT * FROM other.t",
    "explain_write": "EXPLAIN DELETE FROM t",
    "empty": " ;; ",
    "only_comment": "-- nothing",
    "broken": "SELECT FROM",
    "nul": "SELECT 1\0",
}


@pytest.mark.parametrize("case", FORBIDDEN)
async def test_nothing_but_reading(path: Path, tmp_path: Path, case: str) -> None:
    sql = FORBIDDEN[case].format(folder=tmp_path)
    before, beside = hashlib.sha256(path.read_bytes()).digest(), {p.name for p in tmp_path.iterdir()}
    answered = await make_datasette(path).client.get(address(sql))
    assert answered.status_code in (400, 403), answered.text
    assert sql.strip(" ;") == "" or sql.strip() not in answered.json()["error"]
    done = run("query", "--", path, sql)
    assert done.exit_code in (1, 2) and done.stderr.startswith("Error: ") and done.stderr.endswith(".\n"), done.stderr
    assert not done.stdout and (done.exception is None or isinstance(done.exception, SystemExit))
    assert hashlib.sha256(path.read_bytes()).digest() == before
    assert {p.name for p in tmp_path.iterdir()} - {"q.db-wal", "q.db-shm"} == beside - {"q.db-wal", "q.db-shm"}


async def test_a_query_over_attached_databases_is_refused(path: Path, tmp_path: Path) -> None:
    database(tmp_path / "r.db", "CREATE TABLE t (id)").close()
    ds = make_datasette(path, tmp_path / "r.db", crossdb=True)
    sql = urlencode({"sql": "select * from q.t union all select id, 1 from r.t"})
    answered = await ds.client.get(f"/_memory/-/query.programjson?{sql}")
    assert answered.status_code in (400, 403, 422) and answered.json()["error"].endswith("."), answered.text


@pytest.mark.parametrize("sql", [f"{ENDLESS} SELECT count(*) FROM c", f"{ENDLESS} SELECT x FROM c WHERE x < 0"])
def test_a_query_without_end_or_rows_is_refused_after_max_seconds(path: Path, sql: str) -> None:
    with served(make_datasette(path, settings={"max_seconds": 0.3})) as running:
        answered = httpx.get(running.url + address(sql), timeout=60)
        assert answered.status_code == 422 and "max_seconds" in answered.json()["error"]
    assert SLOTS.taken == 0


def test_a_query_with_rows_without_end_is_cut(path: Path) -> None:
    with (
        served(make_datasette(path, settings={"max_seconds": 0.5})) as running,
        pytest.raises(httpx.RemoteProtocolError),
    ):
        httpx.get(running.url + address(f"{ENDLESS} SELECT x FROM c", "csv"), timeout=60)
    wait_until(lambda: SLOTS.taken == 0, "the export to end")


def test_a_query_ends_when_its_reader_leaves(path: Path) -> None:
    with served(make_datasette(path)) as running:
        for sql in (f"{ENDLESS} SELECT x FROM c", f"{ENDLESS} SELECT count(*) FROM c"):
            with (
                pytest.raises(httpx.TimeoutException),
                httpx.stream("GET", running.url + address(sql), timeout=0.5) as answered,
            ):
                for _ in answered.iter_raw():
                    raise httpx.ReadTimeout("read enough")
            wait_until(lambda: SLOTS.taken == 0, "the export to end")


def test_max_rows_refuses_or_cuts_a_query(path: Path) -> None:
    with served(make_datasette(path, settings={"max_rows": 2000})) as running:
        assert httpx.get(running.url + address("select id from t limit 2000")).json()["integrity"]["rows"] == 2000
        for ending in ("json", "csv", "zip"):
            try:
                answered = httpx.get(running.url + address("select id from t limit 2001", ending), timeout=60)
            except httpx.RemoteProtocolError:
                continue
            assert answered.status_code == 422 and "max_rows" in answered.json()["error"]


def test_a_plan_runs_a_query_no_more_than_twice(tmp_path: Path) -> None:
    """Once for its columns and a sample of its rows, once to count them."""
    runs: list[int] = []

    def prepare(connection) -> None:
        connection.create_function("seen", 0, lambda: runs.append(1) or 1)

    database(tmp_path / "x.db", "CREATE TABLE t (a)", "INSERT INTO t VALUES (1)").close()
    made = plan(Source("x", tmp_path / "x.db", prepare=prepare), Request(sql="SELECT a, seen() AS b FROM t"))
    assert made.rows == 1 and made.labels == {} and 1 <= len(runs) <= 2

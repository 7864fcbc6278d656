"""Two worlds that differ in one secret value only: whatever is asked, both must answer the same.

So not only does the value not get out; nothing at all can be learned about it, neither
whether a guess is right, nor its length, nor how it compares with other values.
"""

from __future__ import annotations

import functools
import io
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from click.testing import CliRunner
from datasette.app import Datasette

from datasette_program_export import ExportError, Request, Settings, export
from datasette_program_export.cli.main import program_export
from datasette_program_export.plugin.host import V1
from tests.support.databases.building import database
from tests.support.sites.server import make_datasette

CANARIES = ("zq7canaryofthefirstworld", "aq7other")
GUESS = CANARIES[0]
SETTINGS = {
    "secrets": {"people": ["answer", "friend"]},
    "subjects": {
        "users": {"title": ["password_hash"], "told_apart_by": ["password_hash"]},
        "people": {"label": "person", "plural": "people", "title": ["answer"]},
    },
}

VIEWS = {
    "renamed": "SELECT id, password_hash AS harmless FROM users",
    "nested": "SELECT harmless AS more_harmless FROM v_renamed",
    "deeper": "SELECT * FROM (SELECT max(more_harmless) AS m FROM v_nested)",
    "listed": "WITH v(a, b) AS (SELECT id, answer FROM people) SELECT b FROM v",
    "using": "SELECT p.id FROM people AS p JOIN (SELECT 'mm' AS answer) USING (answer)",
    "natural": "SELECT count(*) AS n FROM people NATURAL JOIN (SELECT 1 AS id, 'zq7canaryofthefirstworld' AS answer)",
    "over_using": "SELECT * FROM v_using",
    "over_natural": "SELECT n AS m FROM v_natural",
    "compared": "SELECT id, answer > 'mm' AS later FROM people",
    "counted": "SELECT count(*) AS n FROM users GROUP BY password_hash",
    "filtered": "SELECT name FROM users WHERE password_hash > 'mm'",
    "sorted": "SELECT name FROM people ORDER BY answer",
    "long": "SELECT length(api_key) AS n FROM keys",
    "compound": "SELECT name FROM users UNION SELECT password_hash FROM users",
    "foreign": "SELECT key FROM calls",
    "computed": "SELECT initial FROM users",
    "window": "SELECT name, rank() OVER (ORDER BY answer) AS r FROM people",
}

SEARCH = {  # search indexes, each a road to people.answer
    "s_table": "fts5(name, answer, content='people', content_rowid='id')",
    "s_double": 'fts5(name, answer, content="people", content_rowid="id")',
    "s_bracket": "fts5(name, answer, content = [people], content_rowid = id)",
    "s_bare": "fts5(name, answer, CONTENT=people, content_rowid=id)",
    "s_short": "fts5(name, answer, cont='people', content_rowid='id')",  # FTS5 takes any beginning of an option's name
    "s_view": "fts5(name, word, content='v_words', content_rowid='id')",
    "s_short_view": "fts5(name, word, c='v_words', content_rowid='id')",
    "s_four": 'fts4(name, answer, content="people")',
    "s_four_view": "fts4(word, content='v_words')",
}
ODD_SEARCH = {  # the same by other spellings of the statement: name, statement
    "s_comment": "CREATE VIRTUAL TABLE s_comment USING/**/ fts5(name, answer, content='people', content_rowid='id')",
    "s_remark": "CREATE VIRTUAL TABLE s_remark USING /* as */ fts5(name, answer, content='people')",
    "s using x(y": """CREATE VIRTUAL TABLE "s using x(y" USING fts5(name, answer, content='people')""",
}


def world(folder: Path, canary: str) -> Path:
    folder.mkdir()
    path = folder / "w.db"
    made = database(
        path,
        "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT, password_hash TEXT UNIQUE,"
        " initial AS (substr(password_hash, 1, 1)), stored AS (upper(password_hash)) STORED)",
        f"INSERT INTO users (name, password_hash) VALUES ('ada', '{canary}'), ('bob', 'mm'), ('eve', NULL)",
        "CREATE INDEX by_expression ON users (lower(password_hash), name)",
        "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT, answer TEXT, friend TEXT REFERENCES friends(name))",
        "CREATE TABLE friends (name TEXT PRIMARY KEY, town TEXT)",
        f"INSERT INTO friends VALUES ('{canary}', 'here'), ('mm', 'there')",
        f"INSERT INTO people VALUES (1, 'ada', '{canary}', '{canary}'), (2, 'bob', 'mm', 'mm')",
        "CREATE TABLE keys (api_key TEXT PRIMARY KEY, owner INTEGER REFERENCES users)",
        f"INSERT INTO keys VALUES ('{canary}', 1), ('mm', 2)",
        "CREATE TABLE calls (id INTEGER PRIMARY KEY, key TEXT REFERENCES keys(api_key))",
        f"INSERT INTO calls VALUES (1, '{canary}'), (2, 'mm')",
        "CREATE TABLE one (token TEXT)",
        f"INSERT INTO one VALUES ('{canary}')",
        "CREATE VIEW v_words AS SELECT id, name, answer AS word FROM people",
        *(f"CREATE VIEW v_{name} AS {sql}" for name, sql in VIEWS.items()),
        *(f"CREATE VIRTUAL TABLE {name} USING {how}" for name, how in SEARCH.items()),
        *ODD_SEARCH.values(),
        "CREATE VIRTUAL TABLE contentless USING fts5(password_hash, content='')",
        f"INSERT INTO contentless(rowid, password_hash) VALUES (1, '{canary}')",
        "CREATE VIRTUAL TABLE own USING fts5(password_hash)",
        f"INSERT INTO own VALUES ('{canary}')",
        *(f"""INSERT INTO "{name}"("{name}") VALUES ('rebuild')""" for name in (*SEARCH, *ODD_SEARCH)),
        "CREATE VIRTUAL TABLE words USING fts5vocab(s_view, 'row')",
        "CREATE VIRTUAL TABLE terms USING fts4aux(s_four)",
    )
    made.execute("ANALYZE")
    made.close()
    return path


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("worlds")
    return [world(folder / str(number), canary) for number, canary in enumerate(CANARIES)]


def settled(content: bytes) -> str:
    """What is answered, without the time and the digest over it; a zip as the texts of its members."""
    if content.startswith(b"PK"):
        archive = zipfile.ZipFile(io.BytesIO(content))
        content = b"\n".join(name.encode() + archive.read(name) for name in archive.namelist())
    text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ|\d{8}T\d{6}Z", "now", content.decode())
    text = re.sub(r"taken on [0-9-]+ at [0-9:]+ UTC", "", text)
    return re.sub(r'"(?:document|hash)": ?"(?:sha256:)?[0-9a-f]{64}"', "", text)


@functools.cache
def site(path: Path) -> Datasette:
    return make_datasette(path, settings=SETTINGS if path.name == "w.db" else {})


@pytest.fixture(autouse=True)
def _sites_of_a_test() -> Iterator[None]:
    """A Datasette belongs to the event loop of one test."""
    yield
    site.cache_clear()


async def told(paths: list[Path], address: str, **options: Any) -> tuple[int, str]:
    """The answer at an address, which must be the same in both worlds."""
    answers = []
    for path in paths:
        ds = site(path)
        response = await ds.client.get(address, **options)
        name = settled(response.headers.get("content-disposition", "").encode())
        answers.append((response.status_code, name, settled(response.content)))
    assert answers[0] == answers[1]
    status, name, text = answers[0]
    assert CANARIES[1] not in name + text
    return status, text


def python(path: Path, **fields: Any) -> str:
    with export(path, Request(**fields), settings=Settings.model_validate(SETTINGS)) as made:
        return settled(b"".join(made))


def differs(paths: list[Path], **fields: Any) -> bool:
    """Whether the worlds can be told apart with secrets included: else a case would ask nothing."""
    return python(paths[0], secrets="include", **fields) != python(paths[1], secrets="include", **fields)


QUERIES = {
    "plain": "SELECT password_hash FROM users",
    "star": "SELECT * FROM users",
    "alias": "SELECT u.password_hash AS x FROM users AS u",
    "quoted": 'SELECT "PASSWORD_hash" FROM [users]',
    "qualified": "SELECT main.users.password_hash FROM main.users",
    "setting": "SELECT answer FROM people",
    "foreign_key": "SELECT key FROM calls",
    "upper": "SELECT upper(password_hash) FROM users",
    "substr": "SELECT substr(answer, 1, 1) FROM people",
    "hex": "SELECT hex(api_key) FROM keys",
    "unicode": "SELECT unicode(token) FROM one",
    "length": "SELECT length(token) FROM one",
    "printf": "SELECT printf('%s', token) FROM one",
    "concatenated": "SELECT 'x' || token FROM one",
    "cast": "SELECT CAST(token AS BLOB) FROM one",
    "coalesce": "SELECT coalesce(NULL, token) FROM one",
    "json_object": "SELECT json_object('a', answer) FROM people",
    "json_each": "SELECT j.value FROM one, json_each(json_array(token)) AS j",
    "group_concat": "SELECT group_concat(answer) FROM people",
    "json_group_array": "SELECT json_group_array(answer) FROM people",
    "max": "SELECT max(answer) FROM people",
    "count_filter": "SELECT count(*) FILTER (WHERE answer > 'mm') FROM people",
    "window": "SELECT first_value(answer) OVER (ORDER BY id) FROM people",
    "window_order": "SELECT id, row_number() OVER (ORDER BY answer) FROM people",
    "window_clause": "SELECT id, rank() OVER w FROM people WINDOW w AS (ORDER BY answer)",
    "cte": "WITH v(p) AS (SELECT answer FROM people) SELECT p FROM v",
    "recursive": "WITH RECURSIVE v(p, n) AS (SELECT answer, 1 FROM people UNION ALL SELECT substr(p, 2), n + 1 FROM v"
    " WHERE p <> '') SELECT substr(p, 1, 1) FROM v",
    "subquery": "SELECT (SELECT token FROM one) AS harmless",
    "from_subquery": "SELECT a FROM (SELECT token AS a FROM one)",
    "union": "SELECT name FROM users UNION ALL SELECT token FROM one",
    "except": "SELECT '{guess}' EXCEPT SELECT token FROM one",
    "intersect": "SELECT '{guess}' INTERSECT SELECT answer FROM people",
    "equal": "SELECT count(*) FROM one WHERE token = '{guess}'",
    "less": "SELECT id FROM people WHERE answer < 'n'",
    "like": "SELECT id FROM people WHERE answer LIKE 'z%'",
    "glob": "SELECT id FROM people WHERE answer GLOB 'z*'",
    "like_function": "SELECT id FROM people WHERE like('z%', answer)",
    "instr": "SELECT id FROM people WHERE instr(answer, '{guess}')",
    "between": "SELECT id FROM people WHERE answer BETWEEN 'y' AND 'zz'",
    "in_list": "SELECT id FROM people WHERE answer IN ('{guess}', 'x')",
    "in_subquery": "SELECT '{guess}' IN (SELECT token FROM one)",
    "in_table": "SELECT '{guess}' IN one",
    "row_value": "SELECT id FROM people WHERE (id, answer) = (1, '{guess}')",
    "row_value_subquery": "SELECT (1, 'ada', '{guess}', '{guess}') = (SELECT * FROM people WHERE id = 1)",
    "exists": "SELECT EXISTS (SELECT 1 FROM one WHERE token > 'mm')",
    "case": "SELECT CASE answer WHEN '{guess}' THEN 1 ELSE 0 END FROM people",
    "iif": "SELECT iif(answer > 'mm', 1, 0) FROM people",
    "nullif": "SELECT nullif(answer, '{guess}') IS NULL FROM people",
    "order": "SELECT id FROM people ORDER BY answer",
    "order_by_number": "SELECT id, answer > 'b' FROM people ORDER BY 2 LIMIT 1",
    "group": "SELECT min(name) FROM people GROUP BY answer > 'mm'",
    "having": "SELECT name FROM people GROUP BY name HAVING max(answer) > 'mm'",
    "limit": "SELECT id FROM people LIMIT (SELECT token > 'mm' FROM one)",
    "offset": "SELECT id FROM people LIMIT 5 OFFSET (SELECT token > 'mm' FROM one)",
    "join": "SELECT people.id FROM people JOIN (SELECT '{guess}' AS g) AS j ON j.g = people.answer",
    "self_join": "SELECT a.id FROM people AS a JOIN people AS b ON a.answer > b.answer",
    "left_join": "SELECT b.id FROM (SELECT '{guess}' AS g) AS j LEFT JOIN people AS b ON b.answer = j.g",
    "join_using": "SELECT p.id FROM people AS p JOIN (SELECT '{guess}' AS answer) USING (answer)",
    "join_natural": "SELECT p.id FROM people AS p NATURAL JOIN (SELECT '{guess}' AS answer)",
    "join_natural_left": "SELECT p.token FROM (SELECT '{guess}' AS token) AS g natural/**/left JOIN one AS p",
    "generated": "SELECT initial FROM users",
    "generated_stored": "SELECT id FROM users WHERE stored > 'MM'",
    "expression_index": "SELECT name FROM users INDEXED BY by_expression WHERE lower(password_hash) = '{guess}'",
    "distinct": "SELECT count(DISTINCT answer > 'mm') || max(answer > 'mm') FROM people",
    "error": "SELECT CASE WHEN token > 'mm' THEN abs(-9223372036854775808) ELSE 1 END FROM one",
    "raised_json": "SELECT json_extract('[1]', token) FROM one",
    "trailing_remark": "SELECT token FROM one -- ;",
    "fts_match": "SELECT count(*) FROM s_table WHERE s_table MATCH '{guess}'",
    "fts_column": "SELECT answer FROM s_double",
    "fts_highlight": "SELECT highlight(s_bracket, 1, '<', '>') FROM s_bracket WHERE s_bracket MATCH 'mm OR {guess}'",
    "fts_short_option": "SELECT count(*) FROM s_short WHERE s_short MATCH '{guess}'",
    "fts_view": "SELECT word FROM s_view",
    "fts_short_view": "SELECT count(*) FROM s_short_view WHERE s_short_view MATCH '{guess}'",
    "fts_four": "SELECT count(*) FROM s_four WHERE s_four MATCH '{guess}'",
    "fts_four_snippet": "SELECT snippet(s_four) FROM s_four WHERE s_four MATCH 'mm OR {guess}'",
    "fts_comment": "SELECT count(*) FROM s_comment WHERE s_comment MATCH '{guess}'",
    "fts_remark": "SELECT count(*) FROM s_remark WHERE s_remark MATCH '{guess}'",
    "fts_odd_name": 'SELECT count(*) FROM "s using x(y" WHERE "s using x(y" MATCH \'{guess}\'',
    "fts_contentless": "SELECT count(*) FROM contentless WHERE contentless MATCH '{guess}'",
    "fts_own": "SELECT count(*) FROM own WHERE own MATCH '{guess}'",
    "fts_function": "SELECT count(*) FROM s_table('{guess}')",
    "vocabulary": "SELECT term FROM words",
    "terms": "SELECT term FROM terms",
    "shadow_data": "SELECT hex(block) FROM s_view_data",
    "shadow_index": "SELECT hex(term) FROM s_view_idx",
    "shadow_content": "SELECT c0 FROM own_content",
    "shadow_docsize": "SELECT hex(sz) FROM s_short_docsize UNION ALL SELECT hex(block) FROM s_short_data",
    "shadow_segments": "SELECT hex(root) FROM s_four_segdir",
}


@pytest.mark.parametrize("case", QUERIES)
async def test_no_query_tells_the_worlds_apart(worlds: list[Path], case: str) -> None:
    sql = QUERIES[case].format(guess=GUESS)
    status, text = await told(worlds, "/w/-/query.programjson?" + urlencode({"sql": sql}))
    assert status in (400, 403), text  # 400: the parts of an index are hidden from everybody
    with pytest.raises(ExportError):
        python(worlds[0], sql=sql)
    if case not in ("error", "raised_json", "shadow_index"):  # two fail in one world; one is the same in both
        assert differs(worlds, sql=sql)


# what SQLite keeps for itself; refused with or without permission to see secrets
INTERNAL = {
    "stat1": "SELECT * FROM sqlite_stat1",
    "stat4": "SELECT hex(sample) FROM sqlite_stat4",
    "dbstat": "SELECT sum(payload) FROM dbstat WHERE name = 'one'",
    "dbstat_call": "SELECT pgsize, unused, payload FROM dbstat('main') WHERE name = 'people'",
    "dbstat_schema": "SELECT max(mx_payload) FROM main.dbstat",
    "page": "SELECT hex(data) FROM sqlite_dbpage",
    "temp": "SELECT name FROM users UNION SELECT sql FROM sqlite_temp_master",
    "temp_shadow": "SELECT * FROM temp.one",
}


@pytest.mark.parametrize("case", INTERNAL)
async def test_sqlites_own_tables_tell_nothing(worlds: list[Path], case: str) -> None:
    status, text = await told(worlds, "/w/-/query.programjson?" + urlencode({"sql": INTERNAL[case]}))
    assert status in (400, 403), text
    status, text = await told(worlds, "/w/users.programjson?" + urlencode({"_where": f"EXISTS ({INTERNAL[case]})"}))
    assert status in (400, 403), text


@pytest.mark.parametrize("name", VIEWS)
async def test_no_view_tells_the_worlds_apart(worlds: list[Path], name: str) -> None:
    for path in (f"/w/v_{name}.programjson", f"/w/v_{name}/-/program-export.json", f"/w/v_{name}.programcsv"):
        assert (await told(worlds, path))[0] == 403
    sql = f"SELECT count(*) FROM v_{name} UNION ALL SELECT EXISTS (SELECT * FROM v_{name})"
    assert (await told(worlds, "/w/-/query.programjson?" + urlencode({"sql": sql})))[0] == 403
    if name not in ("counted", "sorted", "using", "over_using"):  # these need the right values to differ
        assert differs(worlds, table=f"v_{name}")


@pytest.mark.parametrize("name", [*SEARCH, *ODD_SEARCH, "own", "contentless", "words", "terms", "s_view_data"])
async def test_no_search_index_tells_the_worlds_apart(worlds: list[Path], name: str) -> None:
    status, text = await told(worlds, f"/w/{name.replace(' ', '~20').replace('(', '~28')}.programjson")
    assert status in (403, 404, 422), text


CONDITIONS = {
    "right_guess": "answer = '{guess}'",
    "closed_early": "1) or (answer > 'mm'",
    "harmless_but_closed": "1=1) or (1=1",
    "qualified": "people.answer LIKE 'z%'",
    "r_alias": "r.answer > 'mm'",
    "subquery": "id IN (SELECT owner FROM keys WHERE api_key = '{guess}')",
    "exists": "EXISTS (SELECT 1 FROM users WHERE password_hash = '{guess}')",
    "generated": "(SELECT initial FROM users LIMIT 1) = 'z'",
    "view": "(SELECT max(m) FROM v_deeper) > 'mm'",
    "union": "id IN (SELECT 1 UNION SELECT 2 FROM one WHERE token = '{guess}')",
    "match": "id IN (SELECT rowid FROM s_short WHERE s_short MATCH '{guess}')",
    "natural": "id IN (SELECT 1 FROM one NATURAL JOIN (SELECT '{guess}' AS token))",
    "comment": "1 /* */ AND answer > 'mm'",
    "ordered": "1 ORDER BY answer LIMIT 1",
    "dbstat": "(SELECT sum(payload) FROM dbstat WHERE name = 'one') > 20",
}


@pytest.mark.parametrize("case", CONDITIONS)
async def test_no_condition_tells_the_worlds_apart(worlds: list[Path], case: str) -> None:
    condition = urlencode({"_where": CONDITIONS[case].format(guess=GUESS)})
    status, text = await told(worlds, f"/w/people.programjson?{condition}")
    assert status in (400, 403), text
    for path in (
        "/w/people.programcsv?",
        "/w/people/-/program-export.json?",
        "/w/people.programjson?_export_cascade=1&",
    ):
        assert (await told(worlds, path + condition))[0] == status


def through(table: str, column: str) -> str:
    return urlencode({"_through": f'{{"table":"{table}","column":"{column}","value":"{GUESS}"}}'})


PARAMETERS = {
    "people": [
        f"answer={GUESS}", f"answer__exact={GUESS}", "answer__startswith=z", "answer__gt=mm", "answer__isnull=1",
        f"answer__in={GUESS},x", "answer__glob=z*", "_sort=answer", "_sort_desc=answer", "_sort=friend",
        f"_search={GUESS}", f"_search_answer={GUESS}", f"_search={GUESS}&_fts_table=s_short&_fts_pk=id",
        f"_search={GUESS}&_fts_table=s_short_view", f"_search={GUESS}&_fts_table=s_comment", "_col=answer", "_col=name",
        "_nocol=name", "_facet=answer", "_export_cascade=1", "_export_cascade=1&_export_parents=needed",
        "_export_record=1", "_export_record=1&_export_parents=needed", "_sort=rowid",
    ],
    "users": [f"password_hash={GUESS}", "initial=z", "_sort=initial", "_sort=stored", "_export_cascade=1", ""],
    "keys": [f"api_key={GUESS}", "_sort=api_key", "", "_export_cascade=1", f"_export_record={GUESS}", "_col=owner"],
    "calls": [f"key={GUESS}", through("keys", "api_key"), "_export_cascade=1&_export_parents=needed", ""],
    "friends": ["_export_cascade=1&_col=town", "_export_cascade=1&_export_parents=needed&_col=town"],
    "one": ["", f"token={GUESS}"],
}  # fmt: skip


@pytest.mark.parametrize("table, parameter", [(t, p) for t, given in PARAMETERS.items() for p in given])
async def test_no_parameter_tells_the_worlds_apart(worlds: list[Path], table: str, parameter: str) -> None:
    """The name in ``friends`` is none: only that somebody refers to it is a secret, so it is not looked at."""
    for door in (".programjson", ".programzip", "/-/program-export", "/-/program-export.json"):
        if table == "friends":  # its own rows differ; what is referred to is looked at by the columns chosen
            parameter += "&_export_without=friends.name" if "without" not in parameter else ""
            parameter += "&_sort=town" if "_sort" not in parameter else ""  # else by the name, as on the page
        await told(worlds, f"/w/{table}{door}?{parameter}")


ADDRESSES = [
    "/w.programjson", "/w.programzip", "/w/-/program-export", "/w/-/program-export.json",
    "/w.programjson?_export_without=friends", "/w.programjson?_export_table=users&_export_format=csv",
    "/w/users/1.programjson", "/w/users/1.programjson?_export_parents=needed", "/w/users/1.programcsv",
    "/w/users/1/-/program-export", "/w/users/1/-/program-export.json", "/w/users/1/-/program-export/download",
    "/w/people/1.programjson?_export_parents=needed", "/w/people/1/-/program-export", "/w/people.programcsv",
    "/w/people/1.programjson?_export_format=ndjson", "/w/users.programjson?_export_layout=pretty",
    f"/w/keys/{GUESS}.programjson", f"/w/keys/{GUESS}/-/program-export", f"/w/keys/{GUESS}/-/program-export.json",
    f"/w/keys/{GUESS},x.programjson", f"/w/one/{GUESS}.programjson", "/w/sqlite_stat1.programjson",
    "/w/people.programjson?_export_stop=people.friend&_export_cascade=1",
]  # fmt: skip


@pytest.mark.parametrize("address", ADDRESSES)
async def test_no_address_tells_the_worlds_apart(worlds: list[Path], address: str) -> None:
    if address.startswith(("/w.", "/w/-/")):  # friends.name is no secret by itself, and it differs
        address += ("&" if "?" in address else "?") + "_export_without=friends.name" * ("without" not in address)
    await told(worlds, address.rstrip("?&"))
    await told(worlds, address.rstrip("?&"), headers={"accept": "text/html"})


LINES = [
    ["table", "users"], ["table", "users", "-f", "csv"], ["table", "users", "-f", "ndjson"], ["table", "keys"],
    ["table", "people", "--where", f"answer = '{GUESS}'"], ["table", "people", "--order", "answer"],
    ["table", "people", "--column", "answer"], ["record", "users", "1"],
    ["record", "people", "1", "--parents", "needed"],
    ["query", "SELECT token FROM one"], ["query", f"SELECT '{GUESS}' IN one"], ["table", "v_renamed"],
    ["query", "SELECT sum(payload) FROM dbstat WHERE name = 'one'"], ["database", "--without", "friends"],
    ["plan", "users", "1"], ["record", "keys", GUESS],
]  # fmt: skip


@pytest.mark.parametrize("words", LINES, ids=" ".join)
def test_no_command_tells_the_worlds_apart(worlds: list[Path], tmp_path: Path, words: list[str]) -> None:
    metadata = tmp_path / "metadata.json"
    metadata.write_text(str({"plugins": {"datasette-program-export": SETTINGS}}).replace("'", '"'))
    command, *rest = words
    made = [CliRunner().invoke(program_export, [command, "-m", str(metadata), str(p), *rest]) for p in worlds]
    assert (made[0].exit_code, settled(made[0].stdout_bytes), made[0].stderr) == (
        made[1].exit_code,
        settled(made[1].stdout_bytes),
        made[1].stderr,
    )
    assert made[0].exit_code in (0, 1, 2) and CANARIES[1] not in made[1].output


async def test_rows_in_the_order_of_a_secret_key_do_not_tell_how_it_compares(tmp_path: Path) -> None:
    paths = []
    for canary in CANARIES:
        paths.append(tmp_path / canary / "v.db")
        paths[-1].parent.mkdir()
        database(
            paths[-1],
            "CREATE TABLE vault (api_key TEXT PRIMARY KEY, n) WITHOUT ROWID",
            f"INSERT INTO vault VALUES ('{canary}', 1), ('mm', 2)",
        ).close()
    assert (await told(paths, "/v/vault.programjson"))[0] == 200


ROOT_ONLY = [
    "/w/users.programjson?_export_secrets=include", "/w/users/1.programjson?_export_secrets=include",
    "/w.programjson?_export_secrets=include", "/w/v_renamed.programjson?_export_secrets=include",
    "/w/-/query.programjson?_export_secrets=include&sql=select+password_hash+from+users",
    "/w/users/-/program-export/download?_export_secrets=include",
]  # fmt: skip


@pytest.mark.parametrize("address", ROOT_ONLY)
async def test_secrets_are_included_by_permission_only_and_the_document_says_so(
    worlds: list[Path], address: str
) -> None:
    status, text = await told(worlds, address)
    assert status == 403 and "_export_secrets" in text
    for path in ("/w/users/-/program-export", "/w/users/-/program-export.json"):
        assert (await told(worlds, f"{path}?_export_secrets=include"))[0] == 403
    ds = make_datasette(worlds[0], settings={**SETTINGS, "allow_secrets": {"id": "x"}})
    cookies = {"ds_actor": ds.sign({"a": {"id": "x"}}, "actor")}
    found = (await ds.client.get(address, cookies=cookies)).json()
    assert any(CANARIES[0] in row.values() for rows in found["tables"].values() for row in rows)
    assert found["export"]["request"]["secrets"] == "include"
    assert found["coverage"]["secret"] == []
    assert "secret" in " ".join(found["coverage"]["warnings"])
    cookies = {"ds_actor": ds.sign({"a": {"id": "y"}}, "actor")}
    assert (await ds.client.get(address, cookies=cookies)).status_code == 403


@pytest.mark.skipif(not V1, reason="Datasette 0.x has no permissions blocks")
async def test_the_sites_permissions_give_secrets_too(worlds: list[Path]) -> None:
    config = {"databases": {"w": {"permissions": {"program-export-secrets": {"id": "x"}}}}}
    ds = make_datasette(worlds[0], settings=SETTINGS, config=config)
    for who, status in (("x", 200), ("y", 403)):
        cookies = {"ds_actor": ds.sign({"a": {"id": who}}, "actor")}
        response = await ds.client.get("/w/users.programjson?_export_secrets=include", cookies=cookies)
        assert (response.status_code, CANARIES[0] in response.text) == (status, status == 200)


def test_the_command_line_includes_secrets_when_told_to(worlds: list[Path]) -> None:
    for words in (["table", "users"], ["record", "users", "1"], ["query", "SELECT token FROM one"], ["database"]):
        command, *rest = words
        done = CliRunner().invoke(program_export, [command, str(worlds[0]), *rest, "--secrets", "include"])
        assert done.exit_code == 0, done.output
        assert CANARIES[0] in done.stdout and '"secrets":"include"' in done.stdout

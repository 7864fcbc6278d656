"""Two worlds that differ in one secret value only, and what each answers."""

from __future__ import annotations

import functools
import io
import re
import zipfile
from pathlib import Path
from typing import Any

from datasette.app import Datasette

from datasette_program_export import Request, Settings, export
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

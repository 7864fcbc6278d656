"""Requests of every kind, also absurd ones: an answer, never a crash; a sentence, never SQL or a row."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from urllib.parse import quote

import pytest
from datasette.app import Datasette
from datasette.utils import tilde_encode

from datasette_program_export.plugin.host import V1
from tests.support.databases.building import database, quoted
from tests.support.runs.thorough import shared, some
from tests.support.sites.server import make_datasette

# in every row of every table, and in no URL but the one that may say it
CANARY = "canary-4711"
TABLES = (
    "t",
    "a/b",
    "a.b",
    "50%",
    "%2F",
    'q"q',
    "q'q",
    "ünï ☾",
    "🪐",
    "  ",
    "~",
    "~7E",
    "a,b",
    "a?b",
    "a#b",
    "a&b=c",
)
TABLES += ("a;b", "select", "*", "a\\b", "con", "x" * 200, "..", "a\nb", "+", ":", "<b>", "$x", "()", "null")
ODD_COLUMNS = ("a b", "c/d", 'e"f', "g__h", "_i", "50%", "☾", "select")
KEYS = (
    "1", "2", "3", "0", "-1", "1~2E0", "1e3", "", ",", ",,", "1,", ",1", "1,2", "a~2Fb", "%2F", "~252F", "~00", "%00",
    "~", "~~", "~Z", "~FF", "%FF", "%C3%28", "%ED%A0%80", "9" * 18, "9" * 19, "9" * 400, "-9223372036854775809", "nan",
    "null", "None", "'", '"', "''--", "1;drop", "~2E~2E", "🪐", "~F0~9F~AA~90", "+", "%20", "x" * 3000, "1 or 1",
)  # fmt: skip
PARAMETERS = (
    "_export_nix=1", "_export_=1", "_export_format", "_export_format=", "_export_format=xml", "_export_format=CSV",
    "_export_format=csv&_export_format=csv", "_export_layout=", "_export_layout=wide", "_export_cascade=2",
    "_export_cascade=1&_export_cascade=0", "_export_cascade=1&_export_limit=1",
    "_export_cascade=0&_export_parents=none",
    "_export_parents=x", "_export_parents=needed", "_export_others=include", "_export_others=",
    "_export_secrets=include",
    "_export_secrets=x", "_export_table=t", "_export_table=nix", "_export_table=", "_export_without=",
    "_export_without=t",
    "_export_without=nix", "_export_without=.", "_export_without=t.nix", "_export_without=t.k&_export_without=t.k",
    "_export_stop=", "_export_stop=nix", "_export_stop=t.k&_export_cascade=1", "_export_record=", "_export_record=,",
    "_export_record=1&_export_record=1", "_export_record=%00", "_export_record=%FF", "_export_record=~FF",
    "_export_limit=-1", "_export_limit=0", "_export_limit=x", "_export_limit=1.5", "_export_limit=" + "9" * 18,
    "_export_limit=" + "9" * 30, "_export_limit=", "_export_offset=5", "_export_offset=%D9%A1", "_export_offset=+1",
    "_export_limit=1&_export_offset=1", "_export_format=csv&_export_layout=pretty", "_export_format=tsv",
    "_EXPORT_FORMAT=csv", "_export_format=%00", "_export_profile=x", "_export_compress=gzip", "sql=", "sql=select+1",
    "sql=select+1&sql=select+2", "sql=drop+table+t", "sql=select+:x", "sql=select+1;select+2", "sql=%00", "sql=%FF",
    "sql=select+" + "9" * 40, "sql=select+nix", "sql=select+*+from+t", "sql=pragma+table_info(t)", "sql=" + "(" * 2000,
    "k=1", "k=", "k", "k=1&k=2", "k__gt=" + "9" * 40, "k__in=[1", "k__in=%5B%5B1%5D%5D", "k__in=[null]", "k__in=",
    "k__=1",
    "__exact=1", "k__gt__lt=1", "nix=1", "%00=1", "%FF=1", "k=%00", "k=%FF", "k__glob=[", "k__like=" + "%25" * 300,
    "w__arraycontains=a", "w__date=x", "k__isnull=0", "rowid=1", "rowid__gt=x", "_sort=", "_sort=nix", "_sort=k",
    "_sort=k&_sort=w", "_sort=k&_sort_desc=w", "_sort_desc=rowid", "_sort_by_desc=1", "_sort=%00", "_col=", "_col=w",
    "_col=nix", "_nocol=k", "_nocol=w", "_col=w&_nocol=w", "_where=", "_where=1", "_where=k=", "_where=nix",
    "_where=%00",
    "_where=1)+or+(1", "_where=k;k", "_where=:x", "_where=?", "_where=json(w)", "_where=abs(-9223372036854775808)",
    "_where=load_extension('x')", "_where=" + "(" * 1500 + "1" + ")" * 1500, "_where=zeroblob(9999999999)",
    "_where=randomblob(-1)", "_through=", "_through=x", "_through=[]", "_through={}", "_through=null", "_through=1",
    '_through={"table":"nix","column":"k","value":"1"}', '_through={"table":"t","column":"nix","value":"1"}',
    '_through={"table":"t","column":"k","value":{}}', '_through={"table":["t"],"column":"k","value":"1"}', "_search=",
    "_search=x", "_search_w=x", "_search_nix=x", "_searchmode=raw", "_searchmode=raw&_search=%22", "_fts_table=t",
    "_fts_table=nix&_search=x", "_fts_pk=nix", "_next=x", "_next=", "_size=-1", "_size=x", "_facet=nix", "_facet=k",
    "_labels=on", "_shape=x", "_trace=1", "_extra=nix", "_json=w", "_filter_column=k",
    "_filter_column_1=k&_filter_op_1=x",
    "&&&", "=", "=1", "%", "%zz=1", "a=%", "_timelimit=1", "_nl=on", "_stream=1", "_",
)  # fmt: skip
ENDINGS = (".programjson", ".programcsv", ".programzip")
PAGES = ("/-/program-export", "/-/program-export.json", "/-/program-export/download")
SUBJECTS = ("/x y", "/x y/t", "/x y/v", "/x y/named", "/x y/t/1")
OUR_SQL = re.compile(r"\b(SELECT (?!can)|FROM main|FROM temp|WHERE|CROSS JOIN|ORDER BY)|sqlite3\.|Traceback|Error:")


def table(name: str) -> tuple[str, str]:
    columns = ", ".join(map(quoted, ODD_COLUMNS))
    return (
        f"CREATE TABLE {quoted(name)} (k INTEGER PRIMARY KEY, w TEXT, parent INTEGER REFERENCES t(k), {columns})",
        f"INSERT INTO {quoted(name)} (k, w, parent) VALUES (1, '{CANARY}', 1), (2, '{CANARY}', 1), (3, '', NULL)",
    )


def written(folder: Path, *tables: str) -> tuple[Path, Path]:
    """The databases ``x y``, with these tables, views and such without a key, and ``x``."""
    statements = [sql for name in tables for sql in table(name)]
    for sql in (
        "CREATE VIEW v AS SELECT k, w FROM t",
        'CREATE TABLE "words" (a TEXT, b, w TEXT, PRIMARY KEY (a, b))',
        f"INSERT INTO words VALUES ('', 1, '{CANARY}'), ('a/b', 2, '{CANARY}'), ('%2F', X'FF', '{CANARY}')",
        'CREATE TABLE "no key" (w TEXT)',
        f"""INSERT INTO "no key" VALUES ('{CANARY}')""",
    ):
        statements.append(sql)
    database(folder / "x y.db", *statements, journal="delete").close()
    database(folder / "x.db", *table("t")).close()
    return folder / "x y.db", folder / "x.db"


@pytest.fixture(scope="module")
def odd_files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """With tables of every name."""
    return written(tmp_path_factory.mktemp("odd"), *TABLES)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """With one such table: each request looks at the whole schema."""
    return written(tmp_path_factory.mktemp("hardening"), "t")


QUERIES = {"databases": {"x y": {"queries": {"named": {"sql": "select k, w from t where k > :least"}}}}}
SAID = {"config" if V1 else "metadata": QUERIES}  # 1.0 takes queries from its configuration only


def site(files: tuple[Path, Path], **options) -> Datasette:
    return make_datasette(*files, memory=True, **SAID, **options)


async def wrong(ds: Datasette, path: str, method: str = "GET") -> str | None:
    """What is wrong with the answer, if anything is."""
    told = f"{method} {path[:160]}"
    try:
        response = await ds.client.request(method, path)
    except Exception as error:  # in process, a broken answer is an exception
        return f"{told}: raised {type(error).__name__}: {str(error)[:150]}"
    status, text = response.status_code, response.text
    if status >= 500:
        return f"{told}: {status} {text[:150]}"
    if method == "HEAD":
        return f"{told}: HEAD has a body" if response.content else None
    if response.headers.get("cache-control") != "private, no-store":
        return None if status in (302, 404) else f"{told}: {status}, not an answer of ours"
    if status != 200:
        return _wrong_error(told, status, text)
    if response.headers["content-type"].startswith("text/html"):
        return None if "</html>" in text else f"{told}: half a page"
    if response.headers["content-type"] == "application/json" and ".program" + "json" in path:
        return _wrong_document(told, response.content)
    return None


def _wrong_error(told: str, status: int, text: str) -> str | None:
    body = json.loads(text)
    if sorted(body) != ["error", "errors", "ok", "status"] or body["status"] != status or body["ok"] is not False:
        return f"{told}: {status} not in the shape of errors: {text[:150]}"
    error = body["error"]
    if OUR_SQL.search(error) or CANARY in error:
        return f"{told}: tells too much: {error[:200]}"
    if not re.search(r"[.:}?]$", error) or " " not in error:
        return f"{told}: no sentence: {error[:150]}"
    return None


def _wrong_document(told: str, content: bytes) -> str | None:
    found = json.loads(content)
    if found.get("format") != "programjson":
        return None  # another format was asked for
    integrity = found["integrity"]
    counted = {name: len(rows) for name, rows in found["tables"].items()}
    if integrity["complete"] is not True or {n: t["rows"] for n, t in integrity["tables"].items()} != counted:
        return f"{told}: {integrity} against {counted}"
    return None if integrity["rows"] == sum(counted.values()) else f"{told}: {integrity['rows']} rows in all"


async def failures(ds: Datasette, paths, method: str = "GET") -> list[str]:
    return [found for path in paths if (found := await wrong(ds, path, method))]


def encoded(path: str) -> str:
    return path.replace("x y", tilde_encode("x y"))


def names() -> Iterator[str]:
    for name, ending in product(TABLES, (".programjson", PAGES[0])):
        yield f"/x y/{tilde_encode(name)}{ending}"
        yield f"/x y/{tilde_encode(name)}/2{ending}"
        if not {".", "/"} & set(name):  # else it is a path of Datasette's own
            yield f"/x y/{quote(name, safe='')}{ending}"  # as a person might write it


async def test_tables_by_any_name(odd_files: tuple[Path, Path]) -> None:
    assert await failures(site(odd_files), map(encoded, names())) == []


@pytest.mark.parametrize("ending", ENDINGS)
async def test_every_odd_table_gives_its_rows(odd_files: tuple[Path, Path], ending: str) -> None:
    ds = site(odd_files)
    for name in TABLES:
        path = f"{encoded('/x y')}/{tilde_encode(name)}"
        for what in (path, f"{path}/1"):
            response = await ds.client.get(what + ending)
            assert response.status_code == 200, (what, response.text[:200])
        if ending == ".programjson":
            assert len((await ds.client.get(path + ending)).json()["tables"][name]) == 3


@pytest.mark.parametrize("table", shared(["t", "words", "no key", "v", "nix"]))
async def test_rows_by_any_key(files: tuple[Path, Path], table: str) -> None:
    paths = [f"/x y/{tilde_encode(table)}/{key}{end}" for key, end in product(KEYS, (".programjson", PAGES[1]))]
    paths += [f"/x y/{tilde_encode(table)}.programjson?_export_record={quote(key)}" for key in KEYS]
    assert await failures(site(files), map(encoded, paths)) == []


@pytest.mark.parametrize("subject", SUBJECTS)
async def test_any_parameter_at_every_door(files: tuple[Path, Path], subject: str) -> None:
    doors = (".programjson", "/-/program-export") if subject == "/x y/t" else (".programjson",)
    given = PARAMETERS if subject == "/x y/t" else some(PARAMETERS, 4)
    paths = [encoded(subject) + door + "?" + one for door, one in product(doors, given)]
    assert await failures(site(files), paths) == []


async def test_any_parameter_of_a_query(files: tuple[Path, Path]) -> None:
    base = encoded("/x y/-/query.programjson")
    paths = [f"{base}?{given}" for given in PARAMETERS if given.startswith(("sql", "_export"))]
    paths += [f"{base}?sql=select+k+from+t&{given}" for given in PARAMETERS]
    assert await failures(site(files), paths) == []


@pytest.mark.parametrize("given", ["_export_nix=1", "_export_format=nix", "_export_without=nix"])
@pytest.mark.parametrize("subject", SUBJECTS)
async def test_the_culprit_is_named_at_every_door(files: tuple[Path, Path], subject: str, given: str) -> None:
    for door in (".programjson", ".programzip", *PAGES):
        response = await site(files).client.get(f"{encoded(subject)}{door}?{given}")
        assert response.status_code == 400, (door, response.text[:200])
        assert re.search("nix|without", response.json()["error"]), response.text


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_other_methods(files: tuple[Path, Path], method: str) -> None:
    ds = site(files)
    paths = [encoded(subject) + door for subject, door in product((*SUBJECTS, "/nix", "/x y/nix"), (*ENDINGS, *PAGES))]
    paths += [encoded(subject) + door + "?_export_nix=1" for subject, door in product(SUBJECTS, (*ENDINGS, *PAGES))]
    assert await failures(ds, paths, method) == []
    if method not in ("HEAD", "OPTIONS"):
        assert {(await ds.client.request(method, path)).status_code for path in paths} <= {403, 405}


KINDS = {
    "immutable": lambda files: Datasette([], immutables=list(map(str, files)), **SAID),
    "crossdb": lambda files: site(files, crossdb=True),
    "cors": lambda files: site(files, cors=True),
    "below a base_url": lambda files: site(files, settings=None),
}


@pytest.mark.parametrize("kind", shared(KINDS))
async def test_every_way_to_run_datasette(files: tuple[Path, Path], kind: str) -> None:
    ds = KINDS[kind](files)
    if kind == "below a base_url":
        ds._settings["base_url"] = "/pre/"
    query = "/-/query.programjson?sql=select+1+as+a"
    whole = [encoded(subject) + door for subject, door in product(SUBJECTS, (*ENDINGS, *PAGES))]
    whole += [encoded("/x y") + query, "/x" + query, "/x/t.programjson", "/x.programjson"]
    statuses = {path: (await ds.client.get(path)).status_code for path in whole}
    assert set(statuses.values()) == {200}, {p: s for p, s in statuses.items() if s != 200}
    assert await failures(ds, [encoded("/x y/t.programjson?") + given for given in PARAMETERS[::5]]) == []
    if kind == "cors":
        some = [*whole, *(f"/x/t{door}?_export_nix=1" for door in (*ENDINGS, *PAGES)), "/nix.programjson"]
        answers = [await ds.client.get(path) for path in some]
        assert {a.headers.get("access-control-allow-origin") for a in answers} == {"*"}


async def test_a_file_read_without_locks(tmp_path: Path) -> None:
    """Not one in WAL mode: that cannot be read so, by Datasette neither."""
    database(tmp_path / "x.db", *table("t"), journal="delete").close()
    ds = make_datasette(tmp_path / "x.db", nolock=True)
    for door in (".programjson", "/t.programjson", "/t/1.programjson", "/t/1/-/program-export"):
        assert (await ds.client.get(f"/x{door}")).status_code == 200


async def test_the_database_in_memory(files: tuple[Path, Path]) -> None:
    """``--memory``: it holds no table, and runs queries; with ``--crossdb`` over the others, but for an export."""
    ds = site(files, crossdb=True)
    base = "/_memory"
    paths = [f"{base}{door}?{given}" for door, given in product((".programjson", PAGES[0]), ("", *PARAMETERS[::3]))]
    assert await failures(ds, paths) == []
    one = await ds.client.get(f"{base}/-/query.programjson?sql=select+1+as+a")
    assert one.json()["tables"] == {"query": [{"a": 1}]}
    across = await ds.client.get(f"{base}/-/query.programjson?sql=select+*+from+[x].t")
    assert across.status_code in (400, 403) and CANARY not in across.text


async def test_named_databases_in_memory(files: tuple[Path, Path]) -> None:
    ds = site(files)
    for name in ("first", "a b.c/d"):
        memory = ds.add_memory_database(name)
        for sql in table("t"):
            await memory.execute_write(sql)
        base = f"/{tilde_encode(name)}"
        paths = [f"{base}/t.programjson?{given}" for given in PARAMETERS[::5]]
        paths += [f"{base}{subject}{door}" for subject, door in product(("", "/t", "/t/1"), (*ENDINGS, *PAGES))]
        assert await failures(ds, paths) == []
        assert len((await ds.client.get(f"{base}/t.programjson")).json()["tables"]["t"]) == 3


def test_there_are_many_requests() -> None:
    assert len(set(names())) + len(KEYS) * 5 * 3 + len(PARAMETERS) * (len(SUBJECTS) + 1) > 1500


async def test_paths_that_are_almost_ours(files: tuple[Path, Path]) -> None:
    paths = [  # what is left of them is Datasette's own to answer
        "/-/program-export/audit.json?before=x", "/-/program-export/audit?before=" + "9" * 30,
        "/x/-/query.programjson", "/x/t/.programjson", "/x/%00.programjson", "/x/%FF.programjson", "/%FF.programjson",
        "/x/~FF.programjson", "/~FF/t.programjson", "/x/t/-/-/program-export", "/X/T.programjson",
    ]  # fmt: skip
    assert await failures(site(files), paths) == []

"""Our rebuilt query of a table page is Datasette's own: the same rows, order, conditions and values."""

from __future__ import annotations

import json
import random
from itertools import product
from pathlib import Path
from urllib.parse import urlencode

import pytest
from datasette.filters import Filters
from datasette.utils import tilde_encode

from datasette_program_export import Request, export
from datasette_program_export.plugin.host import V1
from tests.support.databases.building import database, quoted
from tests.support.runs.thorough import ALL, shared
from tests.support.sites.server import make_datasette

Pairs = list[tuple[str, str]]
NAMES = ("items", "a/b", "a.b", "50%", "%2F", "a~b", "a b", 'a"b', "a'b", "Ünïcode ☾", "a,b", "select", "a?b&c=d")
NAMES += ("a+b",)
COLUMNS = "id INTEGER PRIMARY KEY, name TEXT, n, tags TEXT, day TEXT, kind INTEGER REFERENCES kinds(id)"
WORDS = ("moon", "Moon", "sun and moon", "", None, "50%", "a_b", "%", "*oo*", "  ", "Ünïcode ☾", "x'y", '"q"')
WORDS += ("1", "10")
NUMBERS = (1, 2, 10, -1, 1.5, None, "", "2", "x", 10**15, 0)
TAGS = ('["a", "b"]', '["b"]', "[]", None, '["A", "1"]', '{"k": "a"}')
DAYS = ("2024-01-01", "2024-01-01 10:00:00", "2024-01-02T00:00:00", None, "no day")


# by lookup: values that hold for some rows and not for others
LOOKUPS: dict[str, tuple[str, ...]] = {
    "exact": ("moon", "1", "10", "", "x'y", '"q"'),
    "not": ("moon", "1", ""),
    "contains": ("oo", "%", "_", ""),
    "notcontains": ("oo", "%"),
    "endswith": ("n", "%"),
    "startswith": ("m", "50%"),
    "gt": ("1", "moon", "1.5", "-1"),
    "gte": ("2", "x"),
    "lt": ("10", "n"),
    "lte": ("1.5", "moon"),
    "like": ("%oo%", "a\\_b"),
    "notlike": ("%oo%",),
    "glob": ("*oo*", "[mM]oon"),
    "in": ("1,2", '["moon", "50%"]', "moon", "[1, 2]", ""),
    "notin": ("1,2", '["moon"]'),
    "arraycontains": ("a", "1"),
    "arraynotcontains": ("b",),
    "date": ("2024-01-01",),
    "isnull": ("1",),
    "notnull": ("1",),
    "isblank": ("1",),
    "notblank": ("1",),
}
KNOWN = {key for key, _, _ in Filters([]).lookups()}  # the two lines differ by one
OF_ARRAYS = {"arraycontains", "arraynotcontains"}
DOUBLED = {
    "moon in a row": [("name", "moon"), ("name", "Moon")],
    "two of one lookup": [("n__gt", "0"), ("n__gt", "1")],
    "three columns": [("n__gt", "0"), ("name__contains", "o"), ("day__notnull", "1")],
    "an odd column": [("kind", "1"), ("kind__not", "2")],
}
OWNERS = {"table": "links", "column": "word", "value": "w1"}
PAGE: dict[str, Pairs] = {
    "nothing": [],
    "where": [("_where", "n > 1")],
    "several where": [("_where", "n > 0"), ("_where", "name like '%o%' or n = 2"), ("n__lt", "100")],
    "where by its table's name": [("_where", "items.n > 0")],
    "where with a subquery": [("_where", "kind in (select id from kinds where word = 'light')")],
    "search": [("_search", "moon")],
    "search, no operator": [("_search", 'moon OR "sun')],
    "search raw": [("_search", "moo* OR sun"), ("_searchmode", "raw")],
    "search a column": [("_search_name", "moon")],
    "search two columns": [("_search_name", "moon"), ("_search_day", "2024*"), ("_searchmode", "raw")],
    "search and filter": [("_search", "moon"), ("n__gt", "0"), ("_sort_desc", "name")],
    "through": [("_through", json.dumps(OWNERS))],
    "through and filter": [("_through", json.dumps(OWNERS)), ("n__notnull", "1")],
    "col": [("_col", "n")],
    "cols": [("_col", "name"), ("_col", "n"), ("_col", "id"), ("_col", "name")],
    "nocol": [("_nocol", "name"), ("_nocol", "tags")],
    "col and nocol": [("_col", "name"), ("_col", "n"), ("_nocol", "n")],
    "sort": [("_sort", "name")],
    "sort down": [("_sort_desc", "n")],
    "sort mixed values": [("_sort", "n"), ("n__notnull", "1")],
    "sort with its box unchecked": [("_sort", "id"), ("_facet", "name")],
    "facets": [("_facet", "name"), ("_facet_array", "tags"), ("_facet_date", "day"), ("_facet_size", "3"), ("n", "1")],
    "an empty sort": [("_sort", ""), ("n", "1")],
    "filter and sort and col": [("n__gt", "0"), ("_sort_desc", "day"), ("_col", "day")],
}


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tables of every shape with 40 rows each, and the first again under odd names."""
    path = tmp_path_factory.mktemp("conformance") / "sh a.pes.db"
    connection = database(path, "CREATE TABLE kinds (id INTEGER PRIMARY KEY, word TEXT)")
    connection.execute("INSERT INTO kinds VALUES (1, 'light'), (2, 'dark')")
    rows = [(i, WORDS[i % 15], NUMBERS[i % 11], TAGS[i % 6], DAYS[i % 5], (None, 1, 2, 7)[i % 4]) for i in range(1, 41)]
    for name in NAMES:
        connection.execute(f"CREATE TABLE {quoted(name)} ({COLUMNS})")
        connection.executemany(f"INSERT INTO {quoted(name)} VALUES (?, ?, ?, ?, ?, ?)", rows)
    for sql in (
        "CREATE VIRTUAL TABLE items_fts USING fts5(name, day, content=\"items\", content_rowid='id')",
        "INSERT INTO items_fts(items_fts) VALUES ('rebuild')",
        "CREATE TABLE links (id INTEGER PRIMARY KEY, item INTEGER REFERENCES items(id), word TEXT)",
        "INSERT INTO links SELECT id, id, 'w' || (id % 3) FROM items",
        "CREATE TABLE rowids (name TEXT, n, tags TEXT, day TEXT, kind INTEGER)",
        "INSERT INTO rowids SELECT name, n, tags, day, kind FROM items ORDER BY id DESC",
        "CREATE TABLE compound (name TEXT, n, tags TEXT, day TEXT, kind INTEGER, a TEXT, b, PRIMARY KEY (b, a))",
        "INSERT INTO compound SELECT name, n, tags, day, kind, 'k/' || id, id % 4 FROM items",
        "CREATE TABLE keyed (id TEXT PRIMARY KEY, name TEXT, n, tags TEXT, day TEXT, kind INTEGER) WITHOUT ROWID",
        "INSERT INTO keyed SELECT 'x' || id, name, n, tags, day, kind FROM items",
        'CREATE TABLE "odd columns" (id INTEGER PRIMARY KEY, "a b", "c__d", "e.f", "g%h", "i""j", "_k", "É")',
        """INSERT INTO "odd columns" SELECT id, id % 2, id % 3, name, name, n, n, name FROM items""",
        "CREATE VIEW seen AS SELECT id, name, n, tags, day, kind FROM items WHERE id > 5 ORDER BY id",
        'CREATE VIEW "seen/50% ~x" AS SELECT id, name, n, tags, day, kind FROM items WHERE id > 5 ORDER BY id',
    ):
        connection.execute(sql)
    connection.close()
    return path


@pytest.fixture
def ds(shapes: Path):
    """Datasette with small pages, so that ``_next`` is followed; ``kinds`` is sorted by the site."""
    tables = {"links": {"sort_desc": "word"}, "keyed": {"sort": "n", "sortable_columns": ["n", "name"]}}
    site = make_datasette(shapes, metadata={"databases": {shapes.stem: {"tables": tables}}})
    site._settings["max_returned_rows"] = 15
    site._settings["default_page_size"] = 15
    return site


@pytest.fixture
def one_page(ds):
    """The same with all rows on one page, where pages are not the point."""
    ds._settings["max_returned_rows"] = 1000
    return ds


async def theirs(ds, base: str, pairs: Pairs) -> tuple[list[dict], str, dict]:
    """The rows on all of Datasette's pages, its SQL, and the SQL's values."""
    rows: list[dict] = []
    plain = [("_shape", "objects"), ("_size", "max"), ("_nofacet", "1"), ("_nosuggest", "1"), ("_nocount", "1")]
    query = urlencode([*pairs, *plain, *([("_extra", "query")] if V1 else [])])
    first = None
    path: str | None = f"{base}.json?{query}"
    while path:
        page = await ds.client.get(path)
        assert page.status_code == 200, (path, page.text[:300])
        found = page.json()
        first = first or found["query"]
        rows += found["rows"]
        token = found.get("next")
        path = f"{base}.json?{query}&{urlencode({'_next': token})}" if token else None
    assert first is not None
    return rows, first["sql"], first["params"]


async def difference(ds, table: str, pairs: Pairs) -> str | None:
    """Where our rows, conditions or values are not Datasette's."""
    base = f"/{tilde_encode('sh a.pes')}/{tilde_encode(table)}"
    rows, sql, params = await theirs(ds, base, pairs)
    response = await ds.client.get(f"{base}.programjson?{urlencode(pairs)}")
    told = f"{table} {pairs}"
    if response.status_code != 200:
        return f"{told}: {response.status_code} {response.text[:200]}"
    found = response.json()
    ours = [list(row.items()) for row in found["tables"][table]]
    wanted = [list(row.items()) for row in rows]
    if table == "rowids":
        wanted = [[(k, v) for k, v in row if k != "rowid"] for row in wanted]
    if table == "compound" and not any(name.startswith("_sort") for name, _ in pairs):
        ours, wanted = sorted(ours, key=repr), sorted(wanted, key=repr)  # its order has a test of its own
    if ours != wanted:
        return f"{told}: {len(ours)} rows against {len(wanted)}; first {ours[:1]} against {wanted[:1]}"
    request = found["export"]["request"]
    if " and ".join(request.get("where", ())) not in sql:
        return f"{told}: {request['where']} is not in {sql}"
    if request.get("params", {}) != params:
        return f"{told}: values {request.get('params')} against {params}"
    return None


async def differences(ds, cases) -> list[str]:
    return [found for table, pairs in cases if (found := await difference(ds, table, pairs))]


def test_every_lookup_is_in_the_table_of_cases() -> None:
    assert set(LOOKUPS) >= KNOWN


EVERY = ("items", "rowids", "compound", "seen")


@pytest.mark.parametrize("lookup", shared(sorted(KNOWN)))
async def test_a_filter_finds_what_datasette_finds(one_page, lookup: str) -> None:
    columns = ["tags"] if lookup in OF_ARRAYS else ["name", "n", "tags", "day"]
    cases = [
        (table, [(f"{column}__{lookup}", value)])
        for number, (column, value) in enumerate(product(columns, LOOKUPS[lookup]))
        for table in (EVERY if ALL else EVERY[number % 2 :: 2])  # two of them by turns
    ]
    assert await differences(one_page, cases) == []


@pytest.mark.parametrize("name", DOUBLED)
async def test_filters_together(ds, name: str) -> None:
    tables = ("items", "rowids", "compound", "keyed", "seen")
    assert await differences(ds, [(table, DOUBLED[name]) for table in tables]) == []


@pytest.mark.parametrize("name", PAGE)
async def test_the_pages_parameters(ds, name: str) -> None:
    assert await difference(ds, "items", PAGE[name]) is None


@pytest.mark.parametrize("table", [*NAMES, "rowids", "compound", "keyed", "seen", "seen/50% ~x", "links", "kinds"])
async def test_tables_of_every_shape_and_name(ds, table: str) -> None:
    key = {"rowids": "rowid", "compound": "a", "keyed": "name", "links": "word", "kinds": "word"}.get(table, "id")
    column = {"links": "item", "kinds": "word"}.get(table, "n")
    cases: list[Pairs] = [
        [],
        [(f"{column}__gt", "1")],
        [(column, "2")],
        [("_sort", key)],
        [("_sort_desc", key)],
        [("_sort", key), (f"{column}__notnull", "1")],
        [("_nocol", column)],
        [("_col", column)],
        [("_where", f"{column} > 1")],
        [("_facet", column)],
    ]
    assert await differences(ds, [(table, pairs) for pairs in cases]) == []


async def test_rows_that_nobody_sorted_come_as_they_are_stored(ds) -> None:
    """A table has one order, and so one digest, at every door; a text key's would read all rows in disorder."""
    with export(ds.get_database("sh a.pes").path, Request(table="compound")) as made:
        by_hand = json.loads(b"".join(made))
    found = (await ds.client.get(f"/{tilde_encode('sh a.pes')}/compound.programjson")).json()
    assert found["integrity"]["tables"] == by_hand["integrity"]["tables"]


async def test_a_rowid_is_a_column_to_filter_and_sort_by(ds) -> None:
    cases: list[Pairs] = [
        [("rowid", "3")],
        [("rowid__gt", "30")],
        [("rowid__lt", "30"), ("_sort_desc", "rowid")],
        [("rowid__in", "1,2,40")],
    ]
    assert await differences(ds, [("rowids", pairs) for pairs in cases]) == []


async def test_columns_with_odd_names(ds) -> None:
    cases: list[Pairs] = [
        [("a b", "1")],
        [("c__d__exact", "1")],
        [("c__d__gt", "0"), ("_sort_desc", "c__d")],
        [("e.f__contains", "oo")],
        [("g%h__startswith", "m"), ("_sort", "e.f")],
        [('i"j__gt', "1")],
        [("É", "moon")],
        [("_k__exact", "1")],
        [("_col", 'i"j'), ("_col", "_k")],
        [("_nocol", "a b"), ("_sort_desc", "g%h")],
    ]
    assert await differences(ds, [("odd columns", pairs) for pairs in cases]) == []


async def test_what_the_site_sorts_by_is_left_by_a_wish(ds) -> None:
    cases: list[tuple[str, Pairs]] = [
        ("links", [("_sort", "id")]),
        ("links", [("_sort_desc", "id")]),
        ("links", [("word", "w1")]),
        ("keyed", [("_sort_desc", "name")]),
        ("keyed", [("_sort", "name"), ("n__gt", "0")]),
    ]
    assert await differences(ds, cases) == []


@pytest.mark.parametrize("seed", range(4))
async def test_parameters_in_any_combination(ds, seed: int) -> None:
    """Thirty requests of up to six parameters each, the same at every run."""
    chance = random.Random(seed)
    cases = []
    for _ in range(30):
        pairs: Pairs = []
        for _ in range(chance.randint(0, 4)):
            lookup = chance.choice(sorted(KNOWN - OF_ARRAYS))
            pairs.append((f"{chance.choice(['name', 'n', 'day'])}__{lookup}", chance.choice(LOOKUPS[lookup])))
        if chance.random() < 0.5:
            pairs.append((chance.choice(["_sort", "_sort_desc"]), chance.choice(["id", "name", "n"])))
        if chance.random() < 0.3:
            pairs.append((chance.choice(["_col", "_nocol"]), chance.choice(["name", "day"])))
        if chance.random() < 0.3:
            pairs.append(("_where", chance.choice(["n > 0", "name is not null", "id % 2"])))
        cases.append((chance.choice(["items", *NAMES]), pairs))
    assert await differences(ds, cases) == []

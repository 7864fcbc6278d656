"""No condition, parameter, address or command tells the two worlds apart, which differ in one secret value only."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlencode

import pytest
from click.testing import CliRunner

from datasette_program_export.cli.main import program_export
from tests.support.databases.building import database
from tests.support.runs.thorough import shared
from tests.support.sites.two_worlds import CANARIES, GUESS, SETTINGS, settled, told

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


@pytest.mark.parametrize("table, parameter", shared((t, p) for t, given in PARAMETERS.items() for p in given))
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
    told = [
        (one.exit_code, settled(one.stdout_bytes).replace(str(path), "w.db"), one.stderr)  # advice names the file
        for one, path in zip(made, worlds)
    ]
    assert told[0] == told[1]
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

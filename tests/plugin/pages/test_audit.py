"""The log of exports: one line for each, however it ended, with none of the data, for those who may read it."""

from __future__ import annotations

import hashlib
import json
import shutil
import socket
import stat
from pathlib import Path
from typing import Any

import pytest
from datasette.utils import StartupError

from datasette_program_export.errors import AuditError
from datasette_program_export.plugin.host import V1
from datasette_program_export.plugin.server.audit_log import AuditLog
from datasette_program_export.plugin.server.slots import SLOTS
from tests.support.databases.building import database
from tests.support.sites.permissions import RECORD, SQL, get, house, lines, only, site
from tests.support.sites.server import served, wait_until

PAGE, DATA = "/-/program-export/audit", "/-/program-export/audit.json"
KEYS = ["started", "actor", "database", "scope", "request", "ended", "outcome", "rows", "bytes", "sha256"]


@pytest.fixture
def house_file(tmp_path: Path) -> Path:
    path = house(tmp_path)
    connection = database(path, "CREATE TABLE many (id INTEGER PRIMARY KEY, x TEXT)")
    connection.execute("BEGIN")
    connection.executemany("INSERT INTO many VALUES (?, ?)", ((i, "x" * 500) for i in range(20_000)))
    connection.execute("COMMIT")
    connection.execute(
        "CREATE VIEW breaks AS SELECT id, CASE id WHEN 19000 THEN json('broken') ELSE x END AS y FROM many"
    )
    connection.close()
    return path


def audited(*files: Path, log: Path, root: bool = True, **plugin: Any) -> Any:
    return site(*files, root=root, plugin={"audit_log": str(log), **plugin})


EXPORTS = [
    (RECORD, "anna", "record", {"table": "artists", "records": [["1"]]}, 5),
    (RECORD + "?_export_format=csv", None, "record", {"table": "artists", "records": [["1"]], "format": "csv"}, 5),
    ("/house/albums.programcsv", "bob", "table", {"table": "albums", "format": "csv"}, 2),
    ("/house/memos/-/program-export/download?_export_limit=1", "anna", "table", {"table": "memos", "limit": 1}, 1),
    (SQL, {"id": 7, "name": "x"}, "query", {"sql": "select title from albums"}, 2),
    ("/house.programzip?_export_table=tracks", "anna", "database", {"tables": ["tracks"], "format": "package"}, 2),
]


async def test_the_page_tells_keys_of_rows_and_choices_in_words(house_file: Path, log: Path) -> None:
    ds = audited(house_file, log=log)
    await get(ds, RECORD + "?_export_cascade=0", "root")
    page = (await get(ds, PAGE, "root")).text
    assert "<br>the row: 1<" in page and "<br>cascade: no<" in page and "[[" not in page


@pytest.mark.parametrize(("path", "who", "scope", "request_", "rows"), EXPORTS)
async def test_one_line_tells_who_had_what_and_when(
    house_file: Path, log: Path, path: str, who: Any, scope: str, request_: dict, rows: int
) -> None:
    response = await get(audited(house_file, log=log), path, who)
    assert response.status_code == 200
    (line,) = lines(log)
    assert list(line) == KEYS
    assert line["actor"] == (who["id"] if isinstance(who, dict) else who)
    assert (line["database"], line["scope"], line["request"]) == ("house", scope, request_)
    assert (line["outcome"], line["rows"], line["bytes"]) == ("complete", rows, len(response.content))
    assert line["sha256"] == hashlib.sha256(response.content).hexdigest()
    assert line["started"] <= line["ended"] and line["ended"].endswith("Z")


async def test_no_value_of_a_row_is_in_the_log(house_file: Path, log: Path) -> None:
    """Neither in the name of the file, which a downloaded record's own title is in."""
    connection = database(house_file, "UPDATE artists SET name = 'name-canary' WHERE id = 1")
    connection.execute("CREATE VIEW casts AS SELECT CAST(json(body) AS TEXT) AS j FROM memos")
    connection.close()
    ds = audited(house_file, log=log)
    assert "name-canary" in (await get(ds, RECORD)).text
    for path in ("/house/memos.programjson", "/house.programzip", SQL, "/house/casts.programjson"):
        await get(ds, path)
    text = log.read_text()
    assert len(lines(log)) == 5
    assert "private-canary" not in text and "s3cret-canary" not in text
    assert "name-canary" not in text


async def test_what_a_stored_query_takes_from_the_reader_is_not_in_the_log(house_file: Path, log: Path) -> None:
    """A header or a cookie can be a key to the site."""
    ds = site(
        house_file,
        plugin={"audit_log": str(log)},
        here={"queries": {"mine": {"sql": "select 1 as n where :_header_authorization_x is not null"}}},
    )
    answer = await get(ds, "/house/mine.programjson", headers={"authorization-x": "header-canary"})
    assert answer.status_code == 200
    assert len(lines(log)) == 1 and "header-canary" not in log.read_text()


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/house/many.programjson", 413, "max_rows allows 1,000"),
        ("/house/artists/99.programjson", 404, "no row 99"),
        ("/house/-/query.programjson?sql=select+nix(1)", 400, "no such function"),
        ("/house/backers.programjson?_where=api_key+is+null", 403, "left out as secret"),
    ],
)
async def test_a_refused_export_has_its_line(house_file: Path, log: Path, path: str, status: int, said: str) -> None:
    answer = await get(audited(house_file, log=log, max_rows=1000), path, "anna")
    assert 400 <= answer.status_code < 500, status
    (line,) = lines(log)
    assert said in line["outcome"] and line["sha256"] is None and (line["rows"], line["bytes"]) == (0, 0)


async def test_one_export_too_many_has_its_line(house_file: Path, log: Path) -> None:
    ds = audited(house_file, log=log, max_concurrent_exports=1)
    SLOTS.take(1, None)
    try:
        assert (await get(ds, RECORD)).status_code == 429
    finally:
        SLOTS.give_back(None)
    (line,) = lines(log)
    assert "Too many exports" in line["outcome"]


async def test_what_gives_no_data_has_no_line(house_file: Path, log: Path) -> None:
    ds = audited(house_file, log=log)
    for path in ("/house/artists/1/-/program-export", "/house/artists/1/-/program-export.json", PAGE, DATA):
        assert (await get(ds, path, "root")).status_code == 200
    assert (await ds.client.head(RECORD)).status_code == 200
    assert lines(log) == []


def taken(port: int, path: str, most: int | None = None) -> bytes:
    """What comes before the connection ends; or the first bytes, before the reader leaves."""
    found = b""
    with socket.create_connection(("127.0.0.1", port), 30) as reader:
        reader.sendall(f"GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".encode())
        while (most is None or len(found) < most) and (piece := reader.recv(65536)):
            found += piece
    return found


END = b"0\r\n\r\n"


def test_a_download_that_fails_midway_has_its_line(house_file: Path, log: Path) -> None:
    with served(audited(house_file, log=log)) as server:
        assert not taken(server.port, "/house/breaks.programjson").endswith(END)
        wait_until(lambda: lines(log), "the line")
    (line,) = lines(log)
    assert line["outcome"] != "complete" and line["sha256"] is None and 0 < line["rows"] < 20_000


def test_a_reader_who_leaves_has_a_line(house_file: Path, log: Path) -> None:
    with served(audited(house_file, log=log, spool_memory_mb=1)) as server:
        taken(server.port, "/house/many.programjson", most=1000)
        wait_until(lambda: lines(log), "the line")
    (line,) = lines(log)
    assert line["outcome"] != "complete" and line["sha256"] is None and line["actor"] is None


@pytest.mark.parametrize("where", ["a folder", "no folder"])
async def test_where_the_log_cannot_be_written_nothing_is_exported(
    house_file: Path, tmp_path: Path, where: str
) -> None:
    log = tmp_path / "logs" / "exports.log"
    log.parent.mkdir()
    ds = audited(house_file, log=log)
    await ds.invoke_startup()
    break_off(log, where)
    for path in (RECORD, "/house.programzip", SQL, "/house/artists/1/-/program-export/download"):
        answer = await get(ds, path, "anna")
        assert (answer.status_code, answer.json()["ok"]) == (503, False)
        assert "log of exports cannot be written" in answer.json()["error"] and str(tmp_path) not in answer.text
    assert SLOTS.taken == 0
    assert (await get(ds, "/house/artists/1/-/program-export.json")).status_code == 200


def break_off(log: Path, where: str) -> None:
    """What can happen to a log while the site runs; at the start it would have stopped it."""
    shutil.rmtree(log.parent)
    if where == "a folder":
        log.mkdir(parents=True)


async def test_a_log_that_cannot_be_written_stops_the_start(house_file: Path, tmp_path: Path) -> None:
    with pytest.raises(StartupError, match="audit_log: .* cannot be written"):
        await audited(house_file, log=tmp_path / "nix" / "exports.log").invoke_startup()


async def test_a_log_that_cannot_be_read_is_a_sentence(house_file: Path, tmp_path: Path) -> None:
    log = tmp_path / "logs" / "exports.log"
    log.parent.mkdir()
    ds = audited(house_file, log=log)
    await ds.invoke_startup()
    break_off(log, "a folder")
    for path in (PAGE, DATA):
        answer = await get(ds, path, "root")
        assert answer.status_code == 503 and answer.json()["ok"] is False and str(tmp_path) not in answer.text


async def test_a_log_that_fails_at_the_end_cuts_the_download(
    house_file: Path, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: AuditLog, entry: dict) -> None:
        raise AuditError("full")

    monkeypatch.setattr(AuditLog, "write", full)
    with served(audited(house_file, log=log)) as server:
        cut = taken(server.port, RECORD)
    assert cut.startswith(b"HTTP/1.1 200") and not cut.endswith(END)
    assert SLOTS.taken == 0


async def test_only_the_servers_user_may_read_the_file(house_file: Path, log: Path) -> None:
    await get(audited(house_file, log=log), RECORD)
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


MAY_READ = [
    ({}, "root", 200),
    ({}, "anna", 403),
    ({}, None, 403),
    ({"allow_audit": only("anna")}, "anna", 200),
    ({"allow_audit": only("anna")}, "bob", 403),
    ({"allow_audit": only("anna")}, None, 403),
    ({"allow_audit": only("anna")}, "root", 403),
    ({"allow_audit": True}, None, 200),
    ({"allow_audit": False}, "root", 403),
    ({"allow": only("anna")}, "anna", 403),  # who may export may not read what others had
]


@pytest.mark.parametrize(("plugin", "who", "status"), MAY_READ)
async def test_who_may_read_the_log(house_file: Path, log: Path, plugin: dict, who: str | None, status: int) -> None:
    ds = audited(house_file, log=log, **plugin)
    log.write_text(json.dumps({"actor": "line-canary"}) + "\n")
    for path in (PAGE, DATA, DATA + "?before=9999"):
        answer = await get(ds, path, who)
        assert answer.status_code == status
        assert ("line-canary" in answer.text) is (status == 200)
    home = (await get(ds, "/", who)).text
    assert (PAGE in home) is (status == 200)


@pytest.mark.skipif(not V1, reason="on 0.x, root is always root")
async def test_root_only_where_the_site_lets_root_in(house_file: Path, log: Path) -> None:
    assert (await get(audited(house_file, log=log, root=False), DATA, "root")).status_code == 403
    token = {"id": "root", "_r": {"a": ["vi", "vd", "vt", "pe"]}}
    assert (await get(audited(house_file, log=log), DATA, token)).status_code == 403
    token["_r"]["a"].append("pea")
    assert (await get(audited(house_file, log=log), DATA, token)).status_code == 200


@pytest.mark.parametrize("before", ["x", "-1", "1.5", "1e3", "²", "9" * 19])
async def test_a_place_that_is_none_is_named(house_file: Path, log: Path, before: str) -> None:
    for path in (PAGE, DATA):
        answer = await get(audited(house_file, log=log), f"{path}?before={before}", "root")
        assert answer.status_code == 400 and "before" in answer.json()["error"]


async def test_every_line_is_on_one_page_of_a_long_log(house_file: Path, log: Path) -> None:
    """Newest first, each once; lines of all lengths, so that pages begin anywhere in them."""
    count = 4000
    entries = ({"n": n, "outcome": "complete", "actor": "é" * (n % 97)} for n in range(count))
    log.write_text("".join(json.dumps(e, ensure_ascii=False) + "\n" for e in entries), "utf-8")
    assert log.stat().st_size > 520_000
    ds, met, place, pages = audited(house_file, log=log), [], "", 0
    while pages < 20:
        found = (await get(ds, DATA + place, "root")).json()
        met += [line["n"] for line in found["lines"]]
        pages += 1
        if found["older"] is None:
            break
        page = (await get(ds, PAGE + place, "root")).text
        assert f"{PAGE}?before={found['older']}" in page
        place = f"?before={found['older']}"
    assert met == list(range(count))[::-1] and pages > 2
    assert "Older" not in (await get(ds, PAGE + place, "root")).text


async def test_a_line_that_was_cut_does_not_hide_the_others(house_file: Path, log: Path) -> None:
    log.write_text('{"outcome": "complete"}\n{"outcome": "com')
    answer = await get(audited(house_file, log=log), DATA, "root")
    assert [line["outcome"] for line in answer.json()["lines"]] == ["unreadable line", "complete"]
    assert "unreadable line" in (await get(audited(house_file, log=log), PAGE, "root")).text


async def test_a_new_line_is_not_joined_to_one_that_was_cut(house_file: Path, log: Path) -> None:
    log.write_text('{"outcome": "com')
    ds = audited(house_file, log=log)
    await get(ds, RECORD, "anna")
    assert [line["outcome"] for line in (await get(ds, DATA, "root")).json()["lines"]][:1] == ["complete"]


async def test_what_readers_wrote_is_shown_as_text(house_file: Path, log: Path) -> None:
    ds = audited(house_file, log=log)
    await get(ds, "/house/artists.programjson?name=<script>alert(1)</script>", {"id": "<b>bold</b>"})
    assert len(lines(log)) == 1
    page = (await get(ds, PAGE, "root")).text
    assert "<script>alert" not in page and "<b>bold" not in page and "&lt;b&gt;bold" in page


async def test_without_a_log_there_is_none(house_file: Path) -> None:
    ds = site(house_file, root=True)
    assert (await get(ds, RECORD)).status_code == 200
    assert (await get(ds, DATA, "root")).json() == {"ok": True, "kept": False, "lines": [], "older": None}

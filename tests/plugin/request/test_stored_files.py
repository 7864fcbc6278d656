"""Files of the plugin datasette-files leave with the rows that name them by an id, as far as a person may see them."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from datasette_program_export import Request, export, load, verify
from datasette_program_export.plugin.host import V1, stored_files
from datasette_program_export.plugin.server import site as job_site
from tests.support.databases.building import database
from tests.support.dossiers.files import PNG
from tests.support.dossiers.reader import Page
from tests.support.plugins.stored_files import THERE, datasette_files, put, site
from tests.support.sites.jobs import ask, begun, done, ended, tokens

pytestmark = pytest.mark.skipif(
    not (THERE and V1), reason="datasette-files is not here (make stored), or Datasette is older than 1.0"
)
PHOTO, LETTER, SECRET, GONE, LOST = (f"df-{letter * 26}" for letter in "abcde")
HOSTILE = "<img src=x onerror=alert(1)>.txt"
TEXT = b"A letter. " * 50_000
ANNA, OWNER = {"id": "anna"}, {"id": "owner"}


@pytest.fixture
async def ds(tmp_path: Path) -> AsyncIterator[Any]:
    database(
        tmp_path / "a.db",
        "CREATE TABLE clients (id INTEGER PRIMARY KEY, name TEXT, photo TEXT, other TEXT)",
        f"INSERT INTO clients VALUES (1, 'Anna', '{PHOTO}', '{PHOTO}'), (2, 'Ben', '{LETTER}', NULL),"
        f" (3, 'Cy', '{SECRET}', NULL), (4, 'Di', '{GONE}', NULL), (5, 'Ed', 'portrait.jpg', NULL),"
        f" (6, 'Flo', '{PHOTO}', NULL), (7, 'Gil', NULL, NULL), (8, 'Hal', '{LOST}', NULL)",
    ).close()
    with datasette_files() as plugin:
        jobs = {"jobs_dir": str(tmp_path / "jobs")}
        made = site(tmp_path / "a.db", tmp_path / "root", {"clients": {"photo": "file"}}, **jobs)
        made.files = plugin
        await made.invoke_startup()
        await put(made, plugin, "open", PHOTO, "portrait.png", PNG)
        await put(made, plugin, "open", LETTER, HOSTILE, TEXT)
        await put(made, plugin, "closed", SECRET, "canary.txt", b"canary")
        await put(made, plugin, "open", LOST, "lost.txt", b"lost")
        (tmp_path / "root" / "open" / LOST[3:] / "lost.txt").unlink()
        yield made
        job_site.close(made)


async def fetched(ds: Any, address: str, actor: dict[str, Any] | None = ANNA) -> bytes:
    answer = await ds.client.get(address, actor=actor)
    assert answer.status_code == 200, answer.text
    return bytes(answer.content)


def packed(data: bytes) -> tuple[dict[str, Any], zipfile.ZipFile]:
    archive = zipfile.ZipFile(io.BytesIO(data))
    return json.loads(archive.read("datapackage.json"))["program_export"], archive


async def test_their_bytes_are_in_a_package_with_their_digests(ds: Any, tmp_path: Path) -> None:
    data = await fetched(ds, "/a/clients.programzip")
    found, archive = packed(data)
    named = found["named_files"]["clients"]["photo"]
    assert named.keys() == {PHOTO, LETTER} and found["named_files"].keys() == {"clients"}
    assert named[PHOTO]["path"] == "files/clients/photo/portrait.png"
    for id_, content in ((PHOTO, PNG), (LETTER, TEXT)):
        assert archive.read(named[id_]["path"]) == content
        assert named[id_]["hash"] == f"sha256:{hashlib.sha256(content).hexdigest()}"
    told = archive.read("README.txt").decode()
    assert f"1 of 6 files is not included, as the person who asked may not see it: {SECRET}." in " ".join(told.split())
    assert "files are not included, as they are not there" in " ".join(told.split()) and b"canary" not in data
    (tmp_path / "a.zip").write_bytes(data)
    report = verify(tmp_path / "a.zip")
    assert report.status == "complete" and report.files is not None
    assert (report.files.named, report.files.inside) == (6, 2)
    (tmp_path / "back").mkdir()
    load(tmp_path / "new.db", tmp_path / "a.zip", files=str(tmp_path / "back"))
    assert (tmp_path / "back" / LETTER).read_bytes() == TEXT


async def test_who_may_see_more_gets_more_and_nobody_gets_less_told(ds: Any) -> None:
    assert SECRET in packed(await fetched(ds, "/a/clients.programzip", OWNER))[0]["named_files"]["clients"]["photo"]
    data = await fetched(ds, "/a/clients.programzip", None)
    found, archive = packed(data)
    assert not found.get("named_files") and not [name for name in archive.namelist() if name.startswith("files/")]
    assert "may not see them" in " ".join(archive.read("README.txt").decode().split())


async def test_a_dossier_shows_them_by_their_names(ds: Any, tmp_path: Path) -> None:
    data = await fetched(ds, "/a/clients.programhtml")
    page = Page(data)
    assert sum(tag == "img" and "portrait.png" in str(attrs["alt"]) for tag, attrs in page.tags) == 2
    assert {str(a["src"])[:15] for tag, a in page.tags if tag == "img"} == {"data:image/png;"}
    names = {str(a["data-name"]) for _, a in page.tags if "data-path" in a}
    assert "portrait.png" in names and len(names) == 2 and not any(name.startswith("df-") for name in names)
    assert page.text.count(PHOTO) == 1  # in a column that has no such type
    assert f"{SECRET} (the file is not included)" in page.text
    (tmp_path / "a.html").write_bytes(data)
    assert verify(tmp_path / "a.html").status == "complete"


async def test_the_plan_foretells_them(ds: Any) -> None:
    plan = json.loads(await fetched(ds, "/a/clients/-/program-export.json?_export_format=package"))
    (files,) = plan["coverage"]["files"]
    assert (files["named"], files["inside"], files["bytes"]) == (6, 3, len(PNG) + len(TEXT) + len(b"lost"))
    assert {gap["why"]: gap["files"] for gap in files["gaps"]} == {"hidden": 1, "missing": 2}


async def test_a_storage_that_fails_or_lies_or_is_slow_is_told(ds: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def failing(path: str) -> Any:
        yield b"A"
        raise OSError("canary of the storage")

    async def other(path: str) -> Any:
        yield b"another"

    async def slow(path: str) -> Any:
        yield b"A"
        await asyncio.sleep(30)

    monkeypatch.setattr(stored_files, "_LONGEST", 0.3)
    for stream, why in ((failing, "cannot be read"), (other, "changed while"), (slow, "cannot be read")):
        monkeypatch.setattr(ds.files._sources["open"], "stream_file", stream)
        data = await fetched(ds, "/a/clients.programzip")
        told = " ".join(packed(data)[1].read("README.txt").decode().split())
        assert why in told and b"canary" not in data, why


async def test_a_job_has_them_too_and_stops_at_a_slow_storage(ds: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    waits = asyncio.Event()

    async def slow(path: str) -> Any:
        waits.set()
        await asyncio.sleep(30)
        yield b"A"

    with tokens():
        job = await done(ds, "/a/clients/-/program-export/job?_export_format=package")
        found, archive = packed((await ask(ds, "get", job["links"]["result"])).content)
        assert archive.read(found["named_files"]["clients"]["photo"][LETTER]["path"]) == TEXT
        monkeypatch.setattr(ds.files._sources["open"], "stream_file", slow)
        job = await begun(ds, "/a/clients/-/program-export/job?_export_format=package")
        await waits.wait()
        await ask(ds, "post", job["links"]["page"] + "/cancel")
        assert (await ended(ds, job))["state"] == "cancelled"


async def test_a_large_one_is_told_and_not_read(ds: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    ds.config["plugins"]["datasette-program-export"]["file_mb"] = 0.4
    named = packed(await fetched(ds, "/a/clients.programzip"))[0]["named_files"]["clients"]["photo"]
    assert named.keys() == {PHOTO}


async def test_a_database_that_the_site_serves_is_never_opened(ds: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    await put(ds, ds.files, "open", GONE, "a.db", b"x")
    monkeypatch.setattr(ds.files._sources["open"], "stream_file", None)
    told = packed(await fetched(ds, "/a/clients/4.programzip"))[1].read("README.txt").decode()
    assert "as it is a database" in " ".join(told.split())


async def test_without_the_type_and_by_the_command_they_stay_ids(ds: Any, tmp_path: Path) -> None:
    with export(tmp_path / "a.db", Request(table="clients", format="package")) as made:
        data = b"".join(made)
    archive = packed(data)[1]
    (table,) = [name for name in archive.namelist() if name.endswith(".csv")]
    assert made.coverage.files == () and b"files/clients" not in data and PHOTO.encode() in archive.read(table)
    await ds.remove_column_type("a", "clients", "photo")
    assert "named_files" not in packed(await fetched(ds, "/a/clients.programzip"))[0]


async def test_other_formats_say_that_they_hold_none(ds: Any) -> None:
    document = json.loads(await fetched(ds, "/a/clients.programjson"))
    (files,) = document["coverage"]["files"]
    assert (files["named"], files["inside"]) == (6, 0)

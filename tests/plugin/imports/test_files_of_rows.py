"""Files that rows name, on a site: foretold, downloaded, checked; an import lists them and writes none."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from datasette_program_export import verify
from tests.support.databases.building import database
from tests.support.sites.imports import send
from tests.support.sites.jobs import ask, keeping
from tests.support.sites.server import make_datasette


@pytest.fixture
def house(tmp_path: Path) -> Path:
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "hall.jpg").write_bytes(b"picture")
    database(
        tmp_path / "house.db",
        "CREATE TABLE rooms (id INTEGER PRIMARY KEY, photo TEXT)",
        "INSERT INTO rooms VALUES (1, 'hall.jpg'), (2, 'attic.jpg')",
    ).close()
    return tmp_path / "house.db"


async def test_a_site_foretells_gives_and_lists_them(house: Path, tmp_path: Path) -> None:
    root = tmp_path / "root"
    plugin = {"files": {"rooms.photo": str(root)}}
    with keeping(tmp_path / "jobs", house, root=True, plugin=plugin) as ds:
        page = (await ask(ds, "get", "/house/rooms/-/program-export", "root")).text
        assert "In a package or a dossier: 1 of 2 files that rows name, 7 bytes." in page
        assert "rooms.photo: 1 of 2 files is not included, as it is not there: attic.jpg." in page
        assert str(root) not in page
        (told,) = (await ask(ds, "get", "/house/rooms/-/program-export.json", "root")).json()["coverage"]["files"]
        assert (told["named"], told["inside"], told["bytes"]) == (2, 1, 7)
        content = (await ask(ds, "get", "/house/rooms.programzip", "root")).content
        assert zipfile.ZipFile(io.BytesIO(content)).read("files/rooms/photo/hall.jpg") == b"picture"
        (tmp_path / "p.zip").write_bytes(content)
        assert verify(tmp_path / "p.zip").complete
        dossier = (await ask(ds, "get", "/house/rooms.programhtml", "root")).content
        assert b'data-path="files/rooms/photo/hall.jpg"' in dossier and str(root).encode() not in dossier
        (root / "hall.jpg").unlink()
        for sent_file, name in ((dossier, "p.html"), (content, "p.zip")):
            sent = (await send(ds, sent_file, name, "/house/-/program-import.json")).json()
            assert sent["report"]["files"]["left"] == 1 and not (root / "hall.jpg").exists()
        page = (await ask(ds, "get", sent["links"]["page"], "root")).text
        assert "1 file is in this file and was not written: the command import, with --files, puts it" in page
        german = await ask(ds, "get", sent["links"]["page"], "root", headers={"accept-language": "de"})
        assert "1 Datei liegt in dieser Datei und wurde nicht geschrieben." in german.text


async def test_a_site_does_not_start_with_a_column_that_is_not_there(house: Path) -> None:
    ds = make_datasette(house, settings={"files": {"rooms.picture": "/tmp"}})
    with pytest.raises(Exception, match="files: rooms has no column picture"):
        await ds.invoke_startup()

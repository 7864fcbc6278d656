"""Columns that hold paths: proposed by a look at values, checked against their folders."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from datasette_program_export import Request, Settings, Source, plan
from datasette_program_export.configuring.checking.checker import check_settings
from datasette_program_export.configuring.proposer import propose
from datasette_program_export.errors import SettingsError
from datasette_program_export.options.settings import parse_settings
from datasette_program_export.planning.warnings import cautions
from tests.support.databases.building import database

SCHEMA = (
    "CREATE TABLE photos (id INTEGER PRIMARY KEY, image TEXT, site TEXT, version TEXT, scan TEXT, note TEXT)",
    "INSERT INTO photos VALUES (1, 'a/1.jpg', 'www.example.com', '1.2', 'x.xyz', 'see b.txt'),"
    " (2, 'a/2.jpg', 'example.org', '3.14', 'y.xyz', NULL), (3, 'a/2.jpg', NULL, NULL, NULL, NULL)",
    "CREATE TABLE logins (id INTEGER PRIMARY KEY, secret_key TEXT)",
    "INSERT INTO logins VALUES (1, 'a.jpg')",
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "root" / "a").mkdir(parents=True)
    (tmp_path / "root" / "a" / "1.jpg").write_bytes(b"x" * 1000)
    database(tmp_path / "a.db", *SCHEMA).close()
    return tmp_path / "a.db"


def test_columns_with_paths_are_proposed_but_not_written(path: Path) -> None:
    made = propose(path)
    found = {(f.table, *f.value): f for f in made.found if f.setting == "files"}
    assert set(found) == {("photos", "image"), ("photos", "scan")}
    assert not any(f.written for f in found.values()) and "files" not in made.settings
    assert "# files:" in made.yaml and "#   photos.image: /the/folder/of/these/files" in made.yaml
    assert yaml.safe_load(made.yaml) == {"databases": {"a": {"plugins": {"datasette-program-export": made.settings}}}}


def test_without_rows_only_names_that_say_it(path: Path) -> None:
    database(path.with_name("b.db"), "CREATE TABLE t (id INTEGER PRIMARY KEY, file_path TEXT, image TEXT)").close()
    found = [f for f in propose(path.with_name("b.db"), rows=False).found if f.setting == "files"]
    assert [list(f.value) for f in found] == [["file_path"]]


def check(path: Path, files: dict[str, str]) -> tuple[list[str], str | None]:
    own = {"plugins": {"datasette-program-export": {"files": files}}}
    (path.parent / "m.yml").write_text(yaml.safe_dump({"databases": {"a": own}}))
    (checked,) = check_settings(path.parent / "m.yml", {"a": Source.of(path)}).databases
    return [p.message for p in checked.problems if p.setting == "files"], checked.files


def test_a_check_says_how_many_are_there(path: Path) -> None:
    problems, files = check(path, {"photos.image": str(path.parent / "root")})
    assert files == "1 of 2 files that rows name, 1,000 bytes"
    assert problems == ["photos.image: 1 of 2 files is not included, as it is not there: a/2.jpg."]


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"photos.picture": "/tmp"}, "photos has no column picture."),
        ({"photo.image": "/tmp"}, "there is no table photo. Did you mean photos?"),
        ({"photos.image": "/no/such"}, "photos.image: /no/such is no folder that is there."),
        ({"photos.image": "pictures"}, "photos.image: pictures is no folder that is there."),
    ],
)
def test_a_check_finds_wrong_names_and_folders(path: Path, files: dict[str, str], said: str) -> None:
    assert said in check(path, files)[0]


@pytest.mark.parametrize("files", [{"photos": "/tmp"}, {".x": "/tmp"}, {"photos.": "/tmp"}, {"a.b": ""}, {"a.b": "\0"}])
def test_a_setting_that_says_nothing_is_refused(files: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match="files"):
        parse_settings({"files": files})


def test_a_plan_foretells_them_within_the_limits(path: Path) -> None:
    settings = Settings(files={"photos.image": str(path.parent / "root")})
    (found,) = plan(path, Request(table="photos"), settings=settings).coverage.files
    assert (found.named, found.inside, found.bytes) == (2, 1, 1000) and found.gaps[0].names == ("a/2.jpg",)
    (limited,) = plan(path, Request(table="photos", limit=1), settings=settings).coverage.files
    assert (limited.named, limited.inside, limited.gaps) == (1, 1, ())
    (small,) = plan(path, Request(), settings=settings.model_copy(update={"file_mb": 0.0001})).coverage.files
    assert {gap.why for gap in small.gaps} == {"large", "missing"}
    assert plan(path, Request(sql="SELECT image FROM photos"), settings=settings).coverage.files == ()
    assert plan(path, Request(table="photos", columns=("id",)), settings=settings).coverage.files == ()


def test_a_plan_warns_of_formats_that_hold_none(path: Path) -> None:
    settings = Settings(files={"photos.image": str(path.parent / "root")})
    made = plan(path, Request(), settings=settings)
    told = "photos.image: 1 of 2 files is not included, as this kind of file holds none; a package or a dossier does."
    assert told in cautions(made, Request()) and told not in cautions(made, Request(format="package"))

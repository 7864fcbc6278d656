"""Files that are sent: what is taken and refused, which choices come with them, how long they are kept."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from datasette_program_export.demo import ANNA
from tests.support.databases.building import database
from tests.support.sites.imports import BROWSER, CSV, DATA, FORM, UPDATE, ended, imported, looked_at, name_in, send
from tests.support.sites.jobs import ask, imports_in, keeping


async def test_the_page_lists_ones_files_and_they_can_be_deleted(ds, tmp_path: Path) -> None:
    one = await looked_at(ds, CSV, options=UPDATE)
    page = await ask(ds, "get", FORM, "root")
    assert page.status_code == 200 and one["links"]["page"] in page.text and 'type="file"' in page.text
    assert (await ask(ds, "post", one["links"]["delete"], "root")).json() == {"ok": True}
    assert (await ask(ds, "get", one["links"]["page"], "root")).status_code == 404
    assert list((tmp_path / "jobs" / "imports").iterdir()) == []


async def test_a_file_is_kept_no_longer_than_is_said(ds) -> None:
    one = await looked_at(ds, CSV, options=UPDATE)
    imports = imports_in(ds)
    kept = imports.store.get(one["id"])
    imports.store.put(replace(kept, ended=kept.ended - 23 * 3600))
    imports_in(ds).tidy()
    assert imports.store.get(one["id"]) is not None
    imports.store.put(replace(kept, ended=kept.ended - 25 * 3600))
    imports_in(ds).tidy()
    assert imports.store.get(one["id"]) is None


async def test_old_safety_copies_go_when_the_site_says_so(demo: Path, tmp_path: Path) -> None:
    copies = tmp_path / "copies"
    copies.mkdir(mode=0o700)
    ages = {"old.db": 8, "old.db-copy": 8, "new.db": 6, "new.db-copy": 6}
    for name, age in {**{f"practice.before-import-{end}": age for end, age in ages.items()}, "my.db": 9}.items():
        (copies / name).touch()
        when = (copies / name).stat().st_mtime - age * 86400
        os.utime(copies / name, (when, when))
    plugin = {"safety_copy_dir": str(copies), "safety_copy_days": 7}
    with keeping(tmp_path / "jobs", demo, root=True, plugin=plugin) as ds:
        one = await imported(ds, await looked_at(ds, CSV, options=UPDATE))
    kept = {path.name for path in copies.iterdir()}
    recent = {"practice.before-import-new.db", "practice.before-import-new.db-copy"}
    assert kept == {*recent, "my.db", Path(one["report"]["safety_copy"]).name}


async def test_what_cannot_be_written_is_said_before_a_file_is_sent(tmp_path: Path, demo: Path) -> None:
    with keeping(tmp_path / "jobs", demo, root=True) as ds:
        ds.add_memory_database("fleeting")
        await ds.get_database("fleeting").execute_write("CREATE TABLE t (a)")
        answer = await ask(ds, "get", "/fleeting/-/program-import", "root")
        assert answer.status_code == 422 and "in memory only" in answer.text
        frozen = ds.get_database("practice")
        frozen.is_mutable = False
        answer = await send(ds, CSV)
        assert answer.status_code == 422 and "immutable" in answer.json()["error"]


async def test_a_database_without_tables_is_not_made_by_a_files_sql(demo: Path, tmp_path: Path) -> None:
    database(tmp_path / "empty.db", "PRAGMA user_version = 1").close()
    with keeping(tmp_path / "jobs", tmp_path / "empty.db", demo, root=True) as ds:
        content = (await ask(ds, "get", f"/practice/clients/{ANNA}.programjson", "root")).content
        answer = await send(ds, content, "anna.json", "/empty/-/program-import.json")
        assert answer.status_code in (403, 422)
    with closing(sqlite3.connect(tmp_path / "empty.db")) as connection:
        assert connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ("?on_conflict=delete", "on_conflict"),
        ("?on_conflict_for=clients", "table=policy"),
        ("?triggers=perhaps", "triggers is 1 or 0"),
        ("?trusted=1", "trusted is no choice of an import"),
        ("?backup=/etc/passwd", "backup is no choice"),
        ("?table=nowhere", "There is no table nowhere"),
    ],
)
async def test_a_wrong_choice_is_named_and_the_file_is_not_kept(ds, tmp_path: Path, options, sentence) -> None:
    answer = await send(ds, CSV, path=DATA + options)
    assert answer.status_code == 400 and sentence in answer.json()["error"]
    assert list((tmp_path / "jobs" / "imports").iterdir()) == []


async def test_choices_come_with_the_file_too(ds) -> None:
    answer = await send(ds, CSV, data={"table": "clients", "on_conflict": "skip", "on_conflict_for": "clients=update"})
    one = await ended(ds, answer.json())
    assert one["choices"]["on_conflict_for"] == {"clients": "update"}
    assert one["report"]["tables"]["clients"]["update"] == 1


async def test_too_much_is_refused_with_a_sentence(demo: Path, tmp_path: Path) -> None:
    with keeping(tmp_path / "jobs", demo, root=True, plugin={"import_mb": 0.00001, "jobs_disk_mb": 0.001}) as ds:
        answer = await send(ds, CSV)
        assert answer.status_code == 413 and "(import_mb)" in answer.json()["error"]
        page = await send(ds, CSV, path=FORM, headers=BROWSER)
        assert page.status_code == 413 and 'type="file"' in page.text and "(import_mb)" in page.text
    with keeping(tmp_path / "jobs2", demo, root=True, plugin={"jobs_disk_mb": 0.0001}) as ds:
        answer = await send(ds, CSV)
        assert answer.status_code == 507 and "jobs_disk_mb" in answer.json()["error"]
    with keeping(tmp_path / "jobs3", demo, root=True, plugin={"max_jobs": 1}) as ds:
        one = await looked_at(ds, CSV, options=UPDATE)
        imports = imports_in(ds)
        imports.settings = imports.settings.model_copy(update={"max_jobs": 0})  # as if one ran
        assert (await send(ds, CSV)).status_code == 429
        assert (await ask(ds, "post", one["links"]["apply"], "root")).status_code == 429
        assert imports.store.ids() == {one["id"]}


async def test_a_file_that_takes_too_long_to_come_is_given_up_and_leaves_nothing(demo: Path, tmp_path: Path) -> None:
    with keeping(tmp_path / "jobs", demo, root=True, plugin={"upload_seconds": 1e-9}) as ds:
        answer = await send(ds, CSV)
        assert answer.status_code == 408 and "(upload_seconds)" in answer.json()["error"]
        assert list((tmp_path / "jobs" / "imports").iterdir()) == []


async def test_a_program_that_applies_with_one_other_choice_keeps_the_rest(ds, demo: Path) -> None:
    one = await looked_at(ds, CSV, options="?table=clients&on_conflict=fail&encoding=utf-8")
    assert one["state"] == "previewed" and one["report"]["status"] == "refused"
    begun = await ask(ds, "post", one["links"]["apply"] + "?on_conflict=update", "root")
    assert begun.status_code == 202, begun.text
    done = await ended(ds, one)
    assert (done["state"], done["error"]) == ("done", None) and name_in(demo) == "Annerl"
    assert done["choices"] == {"table": "clients", "on_conflict": "update", "encoding": "utf-8"}


async def test_a_program_takes_back_a_choice_by_sending_it_empty(ds) -> None:
    one = await looked_at(ds, CSV, options="?table=clients&on_conflict=update&triggers=1")
    again = await ask(ds, "post", one["links"]["preview"] + "?triggers=&on_conflict=", "root")
    assert (await ended(ds, again.json()))["choices"] == {"table": "clients"}


async def test_a_form_sends_all_choices(ds) -> None:
    one = await looked_at(ds, CSV, options="?table=clients&on_conflict=update&triggers=1")
    fields = {"table": "clients", "on_conflict": "update"}  # a box without its mark is not sent
    await ask(ds, "post", one["links"]["preview"], "root", data=fields, headers=BROWSER)
    assert (await ended(ds, one))["choices"] == fields

"""Importing through Datasette: what is shown before, what is done, and what is told of it."""

from __future__ import annotations

import json
import re
import shlex
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

from click.testing import CliRunner

from datasette_program_export.cli.main import program_export
from datasette_program_export.demo import ANNA
from tests.support.sites.imports import BROWSER, CSV, UPDATE, ended, imported, looked_at, name_in
from tests.support.sites.jobs import ask


def words(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


async def test_a_preview_tells_what_would_change_and_changes_nothing(ds, demo: Path, tmp_path: Path) -> None:
    before = demo.read_bytes()
    one = await looked_at(ds, CSV, options=UPDATE)
    assert one["state"] == "previewed" and one["report"]["status"] == "preview" and one["lacking"] == []
    (sample,) = one["report"]["tables"]["clients"]["samples"]
    assert sample["differences"] == [{"column": "first_name", "target": "Anna", "file": "Annerl"}]
    page = await ask(ds, "get", one["links"]["page"], "root")
    assert page.status_code == 200
    assert "first_name Anna Annerl" in words(page.text) and 'value="Import 1 row"' in page.text
    assert "Cannot tell whether it is complete" in page.text
    assert demo.read_bytes() == before
    kept = sorted(path.name for path in (tmp_path / "jobs" / "imports" / one["id"]).iterdir())
    assert kept == ["file.csv"]  # the copy of the database is gone


async def test_what_is_imported_is_there_with_links_a_safety_copy_and_a_line(ds, demo: Path, log: Path) -> None:
    one = await imported(ds, await looked_at(ds, CSV, options=UPDATE))
    assert one["state"] == "done" and one["report"]["status"] == "imported"
    assert name_in(demo) == "Annerl"
    page = await ask(ds, "get", one["links"]["page"], "root")
    assert f'href="/practice/clients/{ANNA}"' in page.text and 'href="/practice/clients"' in page.text
    assert one["report"]["safety_copy"] in page.text
    (line,) = [json.loads(line) for line in log.read_text().splitlines()]
    assert (line["actor"], line["scope"], line["outcome"], line["rows"]) == ("root", "import", "complete", 1)
    assert line["sha256"] == one["sha256"] and line["request"]["tables"]["clients"]["update"] == 1
    assert "Annerl" not in json.dumps(line)
    assert (await ask(ds, "post", one["links"]["page"] + "/apply", "root")).status_code == 410
    command = shlex.split(one["report"]["restore"])
    assert stat.S_IMODE(Path(command[3]).parent.stat().st_mode) == 0o700
    assert CliRunner().invoke(program_export, command[2:]).exit_code == 0
    assert name_in(demo) == "Anna"


async def test_a_record_that_was_exported_goes_back(ds, demo: Path, log: Path) -> None:
    content = (await ask(ds, "get", f"/practice/clients/{ANNA}.programjson", "root")).content
    with closing(sqlite3.connect(demo)) as connection:
        gone = connection.execute("DELETE FROM session_notes WHERE client_id = ?", (ANNA,)).rowcount
        connection.commit()
    one = await looked_at(ds, content, "anna.json")
    assert one["report"]["tables"]["session_notes"]["insert"] == gone == 3
    page = (await ask(ds, "get", one["links"]["page"], "root")).text
    assert "Complete and unchanged" in page
    assert (
        "An export of Anna Ascendant from practice, with what belongs to it" in page and "3 new rows, 0 changed" in page
    )
    one = await imported(ds, one)
    assert one["state"] == "done" and one["report"]["export"]["source"] == "practice"
    assert json.loads(log.read_text().splitlines()[-1])["request"]["file"]["source"] == "practice"
    with closing(sqlite3.connect(demo)) as connection:
        assert connection.execute("SELECT count(*) FROM session_notes WHERE client_id = ?", (ANNA,)).fetchone() == (3,)


async def test_what_is_here_already_is_told_and_not_offered(ds) -> None:
    content = (await ask(ds, "get", f"/practice/clients/{ANNA}.programjson", "root")).content
    one = await looked_at(ds, content, "anna.json")
    page = await ask(ds, "get", one["links"]["page"], "root")
    assert "Nothing would change." in page.text and 'value="Import' not in page.text


async def test_a_changed_file_and_a_conflict_are_told_and_nothing_is_imported(ds, demo: Path, log: Path) -> None:
    content = (await ask(ds, "get", f"/practice/clients/{ANNA}.programjson", "root")).content
    one = await looked_at(ds, content.replace(b'"Anna"', b'"Anne"'), "anna.json")
    page = words((await ask(ds, "get", one["links"]["page"], "root")).text)
    assert one["report"]["status"] == "refused" and "Not complete, changed, or not readable" in page
    one = await looked_at(ds, CSV, options="?table=clients")
    assert one["report"]["tables"]["clients"]["conflict"] == 1
    page = await ask(ds, "get", one["links"]["page"], "root")
    assert "is there already, with other values" in page.text and 'value="Import' not in page.text
    one = await imported(ds, one)
    assert one["state"] == "refused" and one["ok"] is False and name_in(demo) == "Anna"
    assert json.loads(log.read_text().splitlines()[-1])["outcome"] == "refused"
    assert not list(demo.parent.glob("safety-copies/*"))
    again = await ask(ds, "post", one["links"]["preview"] + "?table=clients&on_conflict=skip", "root")
    assert (await ended(ds, again.json()))["report"]["tables"]["clients"]["skip"] == 1


async def test_who_changes_a_choice_on_the_page_sees_first_what_that_would_do(ds, demo: Path) -> None:
    one = await looked_at(ds, CSV, options="?table=clients&on_conflict=skip")
    fields = {"table": "clients", "on_conflict": "update", "on_conflict_for": "clients=", "csrftoken": "x"}
    answer = await ask(ds, "post", one["links"]["apply"], "root", data=fields, headers=BROWSER)
    assert answer.status_code in (302, 303) and answer.headers["x-robots-tag"] == "noindex, nofollow"
    one = await ended(ds, one)
    assert one["state"] == "previewed" and one["report"]["tables"]["clients"]["update"] == 1
    assert name_in(demo) == "Anna"
    page = (await ask(ds, "get", answer.headers["location"], "root")).text
    said = (
        '<p class="message-info" role="status">You changed a choice, so nothing was imported yet. Check the new preview'
    )
    assert said in page
    assert said not in (await ask(ds, "get", one["links"]["page"], "root")).text
    await ask(ds, "post", one["links"]["apply"], "root", data=fields, headers=BROWSER)
    assert (await ended(ds, one))["state"] == "done" and name_in(demo) == "Annerl"


async def test_what_was_changed_since_the_preview_is_not_run_over(ds, demo: Path, log: Path) -> None:
    one = await looked_at(ds, CSV, options=UPDATE)
    with closing(sqlite3.connect(demo)) as connection:
        connection.execute("UPDATE clients SET first_name = 'Annerl' WHERE id = ?", (ANNA,))
        connection.commit()
    one = await imported(ds, one)
    assert one["state"] == "failed" and one["error"].startswith(
        "practice has changed since the preview: rows of clients"
    )
    assert not list(demo.parent.glob("safety-copies/*"))
    assert json.loads(log.read_text().splitlines()[-1])["outcome"].startswith("practice has changed")


async def test_a_value_that_a_colleague_typed_since_the_preview_is_not_run_over(ds, demo: Path) -> None:
    """The numbers of rows are those of the preview; what is lost would be another value than the one shown."""
    one = await looked_at(ds, CSV, options=UPDATE)
    with closing(sqlite3.connect(demo)) as connection:
        connection.execute("UPDATE clients SET first_name = 'Typed' WHERE id = ?", (ANNA,))
        connection.commit()
    ended = await imported(ds, one)
    assert ended["state"] == "failed" and "rows of clients would be changed otherwise than you saw" in ended["error"]
    assert name_in(demo) == "Typed"
    one = await looked_at(ds, CSV, options=UPDATE)
    assert (await imported(ds, one))["state"] == "done" and name_in(demo) == "Annerl"


async def test_an_outdated_tab_imports_nothing_that_it_did_not_show(ds, demo: Path) -> None:
    one = await looked_at(ds, CSV, options=UPDATE)
    shown = one["report"]["foreseen"]
    with closing(sqlite3.connect(demo)) as connection:
        connection.execute("UPDATE clients SET first_name = 'Typed' WHERE id = ?", (ANNA,))
        connection.commit()
    again = await ask(ds, "post", one["links"]["preview"], "root")  # in another tab
    assert (await ended(ds, again.json()))["report"]["foreseen"] != shown
    assert (await imported(ds, one, data={"expect": shown}))["state"] == "failed" and name_in(demo) == "Typed"
    assert (await ask(ds, "post", one["links"]["apply"], "root", data={"expect": "x"})).status_code == 400
    await ended(ds, (await ask(ds, "post", one["links"]["preview"], "root")).json())
    page = (await ask(ds, "get", one["links"]["page"], "root")).text
    (digest,) = re.findall(r'name="expect" value="(\w+)"', page)
    assert (await imported(ds, one, data={"expect": digest}))["state"] == "done" and name_in(demo) == "Annerl"


async def test_an_index_that_would_be_out_of_date_is_asked_about_with_a_box(ds, demo: Path, log: Path) -> None:
    with closing(sqlite3.connect(demo)) as connection:
        connection.execute("CREATE VIRTUAL TABLE names USING fts5(first_name, content='')")
    one = await looked_at(ds, CSV, options=UPDATE)
    assert one["report"]["status"] == "refused" and one["report"]["findings"][0]["kind"] == "index"
    page = await ask(ds, "get", one["links"]["page"], "root")
    assert "It would be out of date: the choice for search indexes that would be out of date lets it be." in words(
        page.text
    )
    assert 'name="allow_stale_indexes" value="1">' in page.text
    answer = await ask(ds, "post", one["links"]["preview"] + "?allow_stale_indexes=1", "root")
    one = await ended(ds, answer.json())
    assert one["report"]["status"] == "preview" and one["choices"]["allow_stale_indexes"] is True
    page = await ask(ds, "get", one["links"]["page"], "root")
    assert 'name="allow_stale_indexes" value="1" checked' in page.text and "It is out of date now" in page.text
    assert (await imported(ds, one))["state"] == "done" and name_in(demo) == "Annerl"


async def test_tables_of_the_file_are_left_out_with_boxes(ds, demo: Path, log: Path) -> None:
    content = json.dumps({"clients": [{"id": ANNA, "first_name": "Annerl"}], "pets": [{"name": "Rex"}]}).encode()
    one = await looked_at(ds, content, "a.json", options="?on_conflict=update&without=pets")
    assert one["report"]["status"] == "preview" and one["choices"]["without"] == ["pets"]
    page = await ask(ds, "get", one["links"]["page"], "root")
    assert 'name="without" value="pets" checked' in page.text and 'name="without" value="clients">' in page.text
    assert (await imported(ds, one))["state"] == "done" and name_in(demo) == "Annerl"

"""The page to drop a file on: what it says, who may use it, what it takes; and that nothing stays behind."""

from __future__ import annotations

import re
import socket
import stat
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from datasette.utils import StartupError

from datasette_program_export import verify
from datasette_program_export.demo import ANNA
from datasette_program_export.files.temporary import room
from datasette_program_export.plugin.host import V1
from datasette_program_export.plugin.pages import verify as verification
from datasette_program_export.plugin.words import sentences_of
from tests.support.databases.building import database
from tests.support.sites.forms import form
from tests.support.sites.permissions import get, only, site
from tests.support.sites.server import make_datasette, served, wait_until

PAGE, DATA = "/-/program-export/verify", "/-/program-export/verify.json"
BROWSER = {"accept": "text/html,application/xhtml+xml"}
DOWNLOAD = f"/practice/clients/{ANNA}/-/program-export/download?_export_format="


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    folder = tmp_path / "spool"
    folder.mkdir()
    return folder


@pytest.fixture
def ds(demo_file: Path, spool: Path):
    return make_datasette(demo_file, settings={"spool_dir": str(spool)})


async def exported(ds, kind: str = "package") -> bytes:
    response = await ds.client.get(DOWNLOAD + kind)
    assert response.status_code == 200
    return response.content


async def send(ds, content: bytes, name: str = "anna.zip", path: str = DATA, **options):
    return await ds.client.post(path, files={"file": (name, content)}, **options)


def words(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


@pytest.mark.parametrize("path", ["clients.programparquet", f"clients/{ANNA}.programparquet"])
async def test_what_could_stop_the_server_is_left_to_the_command(ds, path: str) -> None:
    """Parquet is read by a library that damaged files have crashed; alone, and in a package."""
    pytest.importorskip("pyarrow")
    written = await ds.client.get(f"/practice/{path}")
    found = (await send(ds, written.content, "clients.parquet")).json()
    assert (written.status_code, found["status"]) == (200, "unknown")
    assert "A site reads no Parquet file" in found["problems"][0]


@pytest.mark.parametrize("kind", ["package", "programjson", "sqlite", "sql"])
async def test_a_program_gets_the_report_that_the_command_line_gives(ds, tmp_path: Path, spool: Path, kind) -> None:
    content = await exported(ds, kind)
    kept = tmp_path / "anna.file"
    kept.write_bytes(content)
    response = await send(ds, content, kept.name)
    assert response.status_code == 200 and response.headers["cache-control"] == "private, no-store"
    assert response.json() == {"ok": True, **verify(kept).model_dump(mode="json")}
    assert response.json()["status"] == "complete" and response.json()["rows"] == 28
    assert (await send(ds, content, kept.name, PAGE)).json() == response.json()  # who asks for no page gets data
    assert list(spool.iterdir()) == []


async def in_a_browser(ds, content: bytes, name: str = "anna.zip") -> httpx.Response:
    """As a browser sends the page's form, from a site that keeps cookies."""
    sent_by = {**BROWSER, "origin": "http://localhost", "sec-fetch-site": "same-origin", "cookie": "ds_actor=somebody"}
    return await send(ds, content, name, PAGE, headers=sent_by)


async def test_a_person_gets_the_verdict_in_plain_words(ds, spool: Path) -> None:
    page = await in_a_browser(ds, await exported(ds))
    assert page.status_code == 200
    told = words(page.text)
    for part in (
        "anna.zip ✓ Complete and unchanged All that was exported is in this file, as it was written.",
        "exported from practice",
        "session_notes 3 ✓ yes",
        "28 rows in all.",
        "1 row of charts refers to birth_data outside the file (birth_data_id), as the file says.",
        "1 row of charts of a person not asked for: not included (charts.birth_data_id).",
        "not who wrote it",
    ):
        assert part in told, part
    assert list(spool.iterdir()) == []


VERDICTS = {
    "cut": (lambda c: c[:-300], "✗ Cut: its end is missing"),
    "changed": (lambda c: c.replace(b'"first_name":"Anna"', b'"first_name":"Anne"'), "✗ Changed after it was written"),
    "damaged": (lambda c: c.replace(b'"tables":', b'"tables";', 1), "✗ Damaged"),
    "unknown": (lambda c: b"a,b\r\n1,2\r\n", "? Cannot tell"),
}


@pytest.mark.parametrize("status", VERDICTS)
async def test_what_is_wrong_with_a_file_is_said_and_is_no_error_of_the_site(ds, status: str) -> None:
    change, verdict = VERDICTS[status]
    content = change(await exported(ds, "programjson"))
    response = await send(ds, content)
    assert response.status_code == 200 and response.json()["status"] == status
    page = await in_a_browser(ds, content)
    assert verdict in words(page.text)
    assert all(problem in words(page.text) for problem in response.json()["problems"])


async def test_each_verdict_has_its_words() -> None:
    statuses = verification.Report.model_fields["status"].annotation.__args__
    assert {f"verify.{part}.{status}" for part in ("verdict", "meaning") for status in statuses} <= set(
        sentences_of("en")
    )


async def test_a_file_that_does_not_fit_is_refused_before_it_comes(ds, spool: Path, monkeypatch) -> None:
    content = await exported(ds)
    monkeypatch.setattr(room, "free_in", lambda _: 1000)
    response = await send(ds, content + b"x" * 100_000)
    assert response.status_code == 507 and "bytes, and 1,000 are free there" in response.json()["error"]
    assert (await send(ds, content)).status_code == 200  # all of a form may be no file, as far as is known
    assert list(spool.iterdir()) == []


async def test_names_in_a_file_and_of_a_file_are_no_html(tmp_path: Path, spool: Path) -> None:
    odd = tmp_path / "odd.db"
    database(
        odd,
        'CREATE TABLE "<b>p</b>" (id INTEGER PRIMARY KEY)',
        'CREATE TABLE "<i>c</i>" (id INTEGER PRIMARY KEY, "<u>p</u>" REFERENCES "<b>p</b>")',
        'INSERT INTO "<i>c</i>" VALUES (1, 7)',
    ).close()
    ds = make_datasette(odd, settings={"spool_dir": str(spool)})
    content = (await ds.client.get("/odd.programzip")).content
    page = await in_a_browser(ds, content, "<img src=x>.zip")
    assert "&lt;i&gt;c&lt;/i&gt;" in page.text and "&lt;u&gt;p&lt;/u&gt;" in page.text
    for tag in ("<b>p", "<i>c", "<u>p", "<img src=x>"):
        assert tag not in page.text


async def test_a_path_in_a_name_is_dropped(ds) -> None:
    for sent in ("C:\\clients\\anna.zip", "/home/anna/anna.zip", "../anna.zip"):
        assert (await send(ds, b"x", sent)).json()["file"] == "anna.zip"
    assert (await send(ds, b"x", "李小龙.zip")).json()["file"] == "李小龙.zip"


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "https://elsewhere.example", "cookie": "ds_actor=somebody"},
        {"origin": "https://elsewhere.example"},
        {"origin": "null"},
    ],
)
@pytest.mark.parametrize("path", [PAGE, DATA])
async def test_what_another_sites_page_makes_a_browser_send_is_refused(ds, spool: Path, headers, path) -> None:
    response = await send(ds, await exported(ds), path=path, headers={**BROWSER, **headers})
    assert response.status_code == 403 and "Complete and unchanged" not in response.text
    assert list(spool.iterdir()) == []


async def test_more_than_is_taken_is_refused_with_a_sentence(demo_file: Path, spool: Path) -> None:
    ds = make_datasette(demo_file, settings={"verify_mb": 0.004, "spool_dir": str(spool)})
    content = await exported(ds)
    assert len(content) > 4000
    response = await send(ds, content)
    assert response.status_code == 413
    assert response.json()["error"].startswith("At most 0.004 MB can be checked here (verify_mb).")
    page = await in_a_browser(ds, content)
    assert page.status_code == 413 and "At most 0.004 MB" in page.text and 'type="file"' in page.text
    assert (await send(ds, content[:2000])).status_code == 200


NO_FORMS = {
    "no file": (form(('name="csrftoken"', b"x")), "No file was chosen."),
    "nothing chosen": (form(('name="file"; filename=""', b"")), "No file was chosen."),
    "two files": (form(('filename="a"', b"a"), ('filename="b"', b"b")), "One file can be sent at a time."),
    "cut": (form(('filename="a"', b"a" * 100))[:-30], "The form ends before its end."),
    "no form": (b"PK\x03\x04", "What was sent is not a form."),
    "nothing": (b"", "The form ends before its end."),
}


@pytest.mark.parametrize("name", NO_FORMS)
async def test_what_is_no_form_with_a_file_is_told_so(ds, spool: Path, name: str) -> None:
    body, sentence = NO_FORMS[name]
    headers = {"content-type": "multipart/form-data; boundary=" + "x" * 20}
    response = await ds.client.post(DATA, content=body, headers=headers)
    assert response.status_code == 400 and response.json()["error"].startswith(sentence)
    assert list(spool.iterdir()) == [] and verification.SLOTS.taken == 0


@pytest.mark.parametrize(
    "kind", ["application/zip", "multipart/form-data", "multipart/form-data; boundary=" + "y" * 300]
)
async def test_a_file_without_a_form_is_told_how_to_be_sent(ds, kind: str) -> None:
    response = await ds.client.post(DATA, content=b"PK", headers={"content-type": kind})
    assert response.status_code == 400 and "curl -F file=@name" in response.json()["error"]


async def test_one_file_too_many_at_once_is_to_wait(demo_file: Path) -> None:
    ds = make_datasette(demo_file, settings={"max_concurrent_exports": 1})
    content = await exported(ds)
    verification.SLOTS.take(1, None)
    try:
        response = await send(ds, content)
        assert response.status_code == 429 and response.headers["retry-after"] == "10"
        assert "Too many files are being checked at once." in response.json()["error"]
        assert (await in_a_browser(ds, content)).status_code == 429
        assert await exported(ds)  # an export has a place of its own
    finally:
        verification.SLOTS.give_back(None)
    assert (await send(ds, content)).status_code == 200
    assert verification.SLOTS.taken == 0


async def test_while_it_is_read_nobody_else_can_read_it_and_then_it_is_gone(ds, spool: Path, monkeypatch) -> None:
    seen = []

    def look(path: Path, **options):
        modes = [stat.S_IMODE(place.stat().st_mode) for place in (path.parent, path)]
        seen.append((path.parent.parent, modes, path.read_bytes()))
        raise RuntimeError("the checker broke")

    monkeypatch.setattr(verification, "verify", look)
    with suppress(RuntimeError):  # 0.x answers with a page, the test client of 1.0 may pass it on
        assert (await send(ds, b"private")).status_code == 500
    assert seen == [(spool, [0o700, 0o600], b"private")]
    assert list(spool.iterdir()) == [] and verification.SLOTS.taken == 0


async def test_where_the_temporary_folder_is_gone_it_is_said(ds, spool: Path) -> None:
    await ds.invoke_startup()
    spool.rmdir()
    response = await send(ds, b"x")
    assert response.status_code == 507 and "The temporary folder takes no more" in response.json()["error"]


@pytest.mark.parametrize("value", [0, -1, "much", float("inf"), float("nan")])
async def test_a_wrong_limit_stops_the_site_at_its_start(demo_file: Path, value) -> None:
    with pytest.raises(StartupError, match="verify_mb"):
        await make_datasette(demo_file, settings={"verify_mb": value}).invoke_startup()


async def test_the_limit_is_for_the_whole_site(demo_file: Path) -> None:
    own = {"databases": {"practice": {"plugins": {"datasette-program-export": {"verify_mb": 1}}}}}
    with pytest.raises(StartupError, match="verify_mb is for the whole site"):
        await make_datasette(demo_file, metadata=own).invoke_startup()


async def test_who_may_not_see_the_site_may_not_use_it(demo_file: Path, monkeypatch) -> None:
    ds = make_datasette(demo_file, metadata={"allow": {"id": "owner"}})
    monkeypatch.setattr(verification, "receive_file", None)  # nothing is read
    for response in (await ds.client.get(PAGE), await send(ds, b"x"), await send(ds, b"x", path=PAGE)):
        assert response.status_code == 403 and "perhaps after signing in" in response.text
    cookies = {"ds_actor": ds.sign({"a": {"id": "owner"}}, "actor")}
    assert (await ds.client.get(PAGE, cookies=cookies)).status_code == 200


async def test_the_data_tell_what_may_be_sent(ds) -> None:
    response = await ds.client.get(DATA)
    assert response.status_code == 200 and response.json()["ok"] and response.json()["max_bytes"] > 0
    assert set(response.json()["statuses"]) == {"complete", "cut", "damaged", "changed", "unknown"}
    assert (await ds.client.head(PAGE)).status_code == 200


async def test_the_export_page_leads_here_also_below_a_path(demo_file: Path) -> None:
    ds = make_datasette(demo_file)
    ds._settings["base_url"] = "/pre/"
    page = (await ds.client.get(f"/practice/clients/{ANNA}/-/program-export")).text
    assert f'<a href="/pre{PAGE}">Verify an export</a>' in page
    assert f'action="/pre{PAGE}"' in (await ds.client.get(PAGE)).text
    assert (await in_a_browser(ds, await exported(ds))).status_code == 200


def test_over_a_real_server_too_much_is_answered_and_who_stalls_or_leaves_is_let_go(
    demo_file: Path, spool: Path
) -> None:
    settings = {"verify_mb": 1, "spool_dir": str(spool), "send_timeout_seconds": 0.3}
    with served(make_datasette(demo_file, settings=settings)) as running:
        content = httpx.get(running.url + DOWNLOAD + "package").content
        found = httpx.post(running.url + DATA, files={"file": ("anna.zip", content)})
        assert found.json()["status"] == "complete"
        assert httpx.post(running.url + DATA, files={"file": ("big", bytes(8_000_000))}).status_code == 413
        with started(running.url) as sending:  # and then nothing
            answer = b""
            while b"}" not in answer:
                answer += sending.recv(10_000)
            assert answer.startswith(b"HTTP/1.1 408") and b"Nothing more of the file came for 0.3 seconds." in answer
        with started(running.url):  # and gone
            pass
        wait_until(lambda: verification.SLOTS.taken == 0 and not list(spool.iterdir()), "all to be let go")


def test_over_a_real_server_who_sends_a_byte_now_and_then_is_given_up(demo_file: Path, spool: Path) -> None:
    settings = {"spool_dir": str(spool), "send_timeout_seconds": 20, "upload_seconds": 0.5}
    with served(make_datasette(demo_file, settings=settings)) as running, started(running.url) as sending:
        sending.settimeout(0.05)
        answer = b""
        while b"}" not in answer:
            with suppress(TimeoutError):
                answer += sending.recv(10_000)
            if not answer:
                sending.sendall(b"x")
        assert answer.startswith(b"HTTP/1.1 408") and b"(upload_seconds)" in answer
        wait_until(lambda: verification.SLOTS.taken == 0 and not list(spool.iterdir()), "all to be let go")


@pytest.mark.parametrize("block", [False, {"id": "owner"}])
async def test_the_site_says_who_may_have_files_checked(demo_file: Path, block: object, monkeypatch) -> None:
    ds = make_datasette(demo_file, settings={"allow_verify": block})
    export_page = f"/practice/clients/{ANNA}/-/program-export"
    assert PAGE not in (await ds.client.get(export_page)).text
    with monkeypatch.context() as patched:
        patched.setattr(verification, "receive_file", None)  # nothing is read
        for response in (await ds.client.get(PAGE), await send(ds, b"x"), await send(ds, b"x", path=PAGE)):
            assert response.status_code == 403 and "(allow_verify)" in response.text
    cookies = {"ds_actor": ds.sign({"a": {"id": "owner"}}, "actor")}
    may = block is not False
    assert (await ds.client.get(PAGE, cookies=cookies)).status_code == (200 if may else 403)
    assert (PAGE in (await ds.client.get(export_page, cookies=cookies)).text) == may


@pytest.mark.skipif(not V1, reason="0.x knows neither permissions blocks nor --default-deny")
async def test_the_action_of_checks_is_one_of_datasette_s(house_file: Path) -> None:
    named = {"permissions": {"program-export-verify": only("anna")}}
    denied = site(house_file, default_deny=True, permissions={"view-instance": True})
    opened = site(house_file, default_deny=True, permissions={"view-instance": True}, plugin={"allow_verify": True})
    for ds, who, status in (
        (site(house_file, **named), "anna", 200),
        (site(house_file, **named), "bob", 403),
        (site(house_file), None, 200),
        (denied, "anna", 403),
        (opened, "anna", 200),
    ):
        assert (await get(ds, PAGE, who)).status_code == status


@contextmanager
def started(url: str):
    """A form that is announced, of which the beginning is sent."""
    begin = form(('name="file"; filename="a.zip"', b"PK" * 100))[:-40]
    head = (
        f"POST {DATA} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5000\r\n"
        f"content-type: multipart/form-data; boundary={'x' * 20}\r\n\r\n"
    )
    at = urlsplit(url)
    with socket.create_connection((at.hostname, at.port), timeout=20) as connection:
        connection.sendall(head.encode() + begin)
        wait_until(lambda: verification.SLOTS.taken == 1, "the server to take it")
        yield connection

"""A job's pages without any script: forms, links, a page that refreshes itself; and no form of another site."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from datasette_program_export.plugin.host import V1
from tests.support.sites.jobs import ENDLESS, JOBS, ask, begun, done, ended, jobs_in, keeping
from tests.support.sites.permissions import house, signed_in

HOUSE_JOB = "/house/-/program-export/job"
FOREVER = f"{HOUSE_JOB}?sql={quote(ENDLESS + 'x FROM c')}"
HTML = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
ELSEWHERE = {"origin": "https://elsewhere.example", "sec-fetch-site": "cross-site"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "jobs"


@pytest.fixture
def house_file(tmp_path: Path) -> Path:
    return house(tmp_path)


class Browser:
    """Follows links and sends forms, with cookies, and knows no script."""

    def __init__(self, ds: Any, who: str | None) -> None:
        self.ds, self.cookies = ds, signed_in(ds, who)
        self.html = self.url = ""

    async def open(self, url: str) -> Any:
        answer = await self.ds.client.get(url, cookies=self.cookies, headers=HTML)
        self.cookies.update(answer.cookies)
        self.html, self.url = answer.text, url
        return answer

    async def send(self, label: str) -> None:
        """Press the button of that label."""
        forms = re.findall(r'<form[^>]* action="([^"]+)" method="post">(.*?)</form>', self.html, re.S)
        ((action, inside),) = [(a, i) for a, i in forms if f'value="{label}"' in i]
        fields = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', inside))
        own = {"origin": "http://localhost", "sec-fetch-site": "same-origin"}
        answer = await self.ds.client.post(
            unescape(action), data=fields, cookies=self.cookies, headers={**HTML, **own}, follow_redirects=False
        )
        assert answer.status_code == 303 and answer.headers["x-robots-tag"] == "noindex, nofollow", answer.text
        await self.open(answer.headers["location"])

    def link(self, text: str) -> str:
        return unescape(re.findall(rf'<a[^>]* href="([^"]+)"[^>]*>{text}', self.html)[0])


async def test_the_whole_way_without_script(house_file: Path, folder: Path) -> None:
    """Two run endlessly, so that the third waits; cancelled, begun again, downloaded, exported again, deleted."""
    with keeping(folder, house_file, plugin={"max_jobs": 1}) as ds:
        endless = await begun(ds, FOREVER, "bob")
        job = await begun(ds, HOUSE_JOB + "?_export_format=csv&_export_table=albums")
        browser = Browser(ds, "anna")
        await browser.open(f"{JOBS}")
        await browser.open(browser.link("the database house"))
        assert browser.url == job["links"]["page"]
        assert '<h2 tabindex="-1">Waiting for its turn</h2>' in browser.html
        assert '<noscript><meta http-equiv="refresh" content="5"></noscript>' in browser.html
        await browser.send("Cancel")
        assert '<h2 tabindex="-1">Cancelled</h2>' in browser.html and 'http-equiv="refresh"' not in browser.html
        await ask(ds, "post", endless["links"]["cancel"], "bob")
        await browser.send("Start again")
        assert browser.url != job["links"]["page"]
        again = await ended(ds, {"links": {"self": browser.url + ".json"}})
        await browser.open(browser.url)
        assert '<h2 tabindex="-1">Ready</h2>' in browser.html and again["sha256"] in browser.html
        links = re.findall("<a [^>]*>(?:Download house_|For programs: this as data)", browser.html)
        assert len(links) == 2 and all('rel="nofollow"' in link for link in links)
        file = await browser.ds.client.get(browser.link("Download house_"), cookies=browser.cookies)
        assert b"air" in file.content
        assert browser.link("What is in it") == ("/house/-/program-export?_export_format=csv&_export_table=albums")
        await browser.send("Delete the file now")
        assert browser.url == JOBS and len(re.findall(r"<tr>", browser.html)) == 2  # the head, the cancelled one


async def test_a_running_job_is_shown_with_its_progress(house_file: Path, folder: Path) -> None:
    with keeping(folder, house_file) as ds:
        job = await begun(ds, FOREVER)
        browser = Browser(ds, "anna")
        while "Being written" not in browser.html:
            await browser.open(job["links"]["page"])
        assert '<label for="program-export-bar">Rows written</label>' in browser.html
        assert '<progress id="program-export-bar"></progress>' in browser.html  # nobody knows how many there will be
        assert 'role="status" aria-live="polite"' in browser.html
        assert "You may close this page" in browser.html


async def test_a_browser_is_led_to_the_page_of_its_job(house_file: Path, folder: Path) -> None:
    with keeping(folder, house_file) as ds:
        made = await ask(ds, "post", HOUSE_JOB, headers=HTML, follow_redirects=False)
        assert made.status_code == 303 and made.headers["location"].startswith(f"{JOBS}/")
        wrong = await ask(ds, "post", HOUSE_JOB + "?_export_nix=1", headers=HTML)
        assert wrong.status_code == 400 and "<h1>Nothing was exported</h1>" in wrong.text


async def test_the_menu_leads_to_ones_exports(house_file: Path, folder: Path) -> None:
    link = f'<a href="{JOBS}">Your exports</a>'
    with keeping(folder, house_file) as ds:
        assert link in (await ask(ds, "get", "/")).text
        assert link not in (await ask(ds, "get", "/", None)).text
    with keeping(folder, house_file, plugin={"max_jobs": 0}) as ds:
        assert link not in (await ask(ds, "get", "/")).text


async def test_titles_are_text_and_no_markup(tmp_path: Path, folder: Path) -> None:
    with keeping(folder, house(tmp_path)) as ds:
        job = await done(ds, "/house/artists/-/program-export/job?name=%3Cb%3E&name__not=x%22y")
        page = (await ask(ds, "get", job["links"]["page"])).text
        assert "<b>" not in page and "&lt;b&gt;" in page


@pytest.mark.parametrize("who", ["anna", None])
@pytest.mark.parametrize("what", ["create", "cancel", "again", "delete"])
async def test_a_form_of_another_site_does_nothing(house_file: Path, folder: Path, what: str, who: str | None) -> None:
    """Signed in by a cookie, which a browser sends along, or not at all."""
    with keeping(folder, house_file) as ds:
        job = await begun(ds, FOREVER, who)
        url = HOUSE_JOB if what == "create" else f"{job['links']['page']}/{what}"
        refused = await ds.client.post(url, data={"x": "y"}, cookies=signed_in(ds, who), headers={**HTML, **ELSEWHERE})
        assert refused.status_code == 403
        assert (await ask(ds, "get", job["links"]["self"], who)).json()["state"] in ("queued", "running")
        assert len(list(folder.glob("*.result"))) == 0
        assert len(jobs_in(ds).store.going_on()) == 1


@pytest.mark.skipif(V1, reason="1.0 goes by what the browser says of where a form comes from")
async def test_on_0x_a_form_without_its_token_does_nothing(house_file: Path, folder: Path) -> None:
    """Browsers that do not say where a form comes from are old; there the token in the form tells."""
    with keeping(folder, house_file) as ds:
        job = await begun(ds, FOREVER)
        url = f"{job['links']['page']}/cancel"
        refused = await ds.client.post(url, data={"csrftoken": "guessed"}, cookies=signed_in(ds, "anna"), headers=HTML)
        assert refused.status_code == 403
        assert (await ask(ds, "get", job["links"]["self"])).json()["state"] in ("queued", "running")


async def test_a_program_with_a_token_is_not_asked_where_it_comes_from(house_file: Path, folder: Path) -> None:
    with keeping(folder, house_file) as ds:
        assert (await ask(ds, "post", HOUSE_JOB, headers=ELSEWHERE)).status_code == 202

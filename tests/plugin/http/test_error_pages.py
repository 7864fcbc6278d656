"""The page of an error is titled by what was tried, at every door."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.sites.jobs import ask, keeping
from tests.support.sites.permissions import only

EXPORT, IMPORT, VERIFY = "Nothing was exported", "Nothing was imported", "The file was not verified"
JOB, FILE, CHOICE = "/-/program-export/jobs/nix", "/house/-/program-import/nix", "/-/program-export/profiles/nix"
DOORS = [
    ("get", "/house.programjson", EXPORT),
    ("get", "/house/albums/1.programzip", EXPORT),
    ("get", "/house/-/query.programcsv?sql=select+1", EXPORT),
    ("get", "/house/-/program-export", EXPORT),
    ("get", "/house/albums/-/program-export.json", EXPORT),
    ("get", "/house/albums/-/program-export/download", EXPORT),
    ("post", "/house/albums/-/program-export/job", EXPORT),
    ("post", f"{JOB}/again", EXPORT),
    ("get", JOB, "The export cannot be shown"),
    ("get", f"{JOB}.json", "The export cannot be shown"),
    ("get", f"{JOB}/result", "The file cannot be downloaded"),
    ("post", f"{JOB}/cancel", "The export was not cancelled"),
    ("post", f"{JOB}/delete", "The export was not deleted"),
    ("get", "/house/-/program-import", IMPORT),
    ("post", "/house/-/program-import", IMPORT),
    ("post", "/house/-/program-import.json", IMPORT),
    ("post", f"{FILE}/preview", IMPORT),
    ("post", f"{FILE}/apply", IMPORT),
    ("get", FILE, "The import cannot be shown"),
    ("get", f"{FILE}.json", "The import cannot be shown"),
    ("post", f"{FILE}/cancel", "The import was not cancelled"),
    ("post", f"{FILE}/delete", "The file was not deleted"),
    ("get", "/-/program-export/verify", VERIFY),
    ("post", "/-/program-export/verify", VERIFY),
    ("post", "/-/program-export/verify.json", VERIFY),
    ("post", "/house/albums/-/program-export/profile", "The options were not saved"),
    ("post", f"{CHOICE}/delete", "The saved options were not deleted"),
    ("get", "/-/program-export/audit", "The log cannot be shown"),
    ("get", "/-/program-export/audit.json", "The log cannot be shown"),
]


@pytest.mark.parametrize(("method", "path", "title"), DOORS, ids=lambda part: part)
async def test_a_page_says_what_was_not_done(
    house_file: Path, tmp_path: Path, method: str, path: str, title: str
) -> None:
    with keeping(tmp_path / "jobs", house_file, allow=only("anna")) as ds:
        answer = await ask(ds, method, path, "bob", headers={"accept": "text/html"})
        assert answer.status_code in (400, 403, 404), answer.text
        assert f"<h1>{title}</h1>" in answer.text
        assert re.search(rf"<title>\s*{title}\b", answer.text)
        assert ("No file was made" in answer.text) == (title == EXPORT)
        plain = await ask(ds, method, path, "bob")
        assert plain.json()["status"] == answer.status_code

"""The guides to settings of one's own and to servers: what they show is run, what they quote is said."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from datasette_program_export.cli.main import program_export
from datasette_program_export.configuring.checking.checker import check_settings
from datasette_program_export.database.source import Source
from tests.support.sites.permissions import get
from tests.support.sites.server import make_datasette

DOCS = Path(__file__).parents[2] / "docs"


def blocks(page: str, kinds: str) -> list[tuple[str, str]]:
    return re.findall(rf"```({kinds})\n(.*?)```", (DOCS / page).read_text("utf-8"), re.S)


def test_five_minutes_run_as_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A text below a command is what that says, line by line."""
    monkeypatch.chdir(tmp_path)
    said = ""
    for kind, code in blocks("setup.md", "python|sh|text"):
        if kind == "python":
            exec(compile(code, "setup.md", "exec"), {})
        elif kind == "text":
            assert [line for line in code.splitlines() if line not in said.splitlines()] == []
        else:
            said = ""
            for command in code.splitlines():
                done = CliRunner().invoke(program_export, shlex.split(command)[2:])
                assert done.exit_code == 0, f"{command}: {done.output}"
                said += done.output
    assert json.loads((tmp_path / "ada.json").read_bytes())["integrity"]["rows"] == 8


async def test_the_server_s_settings_start_a_site(demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the folders that the guide asks for; without them, the check names each."""
    monkeypatch.chdir(tmp_path)
    ((_, lines),) = blocks("deployment.md", "yaml")
    Path("metadata.yml").write_text(lines)
    ((_, command),) = blocks("deployment.md", "sh")
    words = shlex.split(command)[2:]
    assert "spool_dir: spool is not there" in CliRunner().invoke(program_export, words).output
    for folder in ("spool", "lasting"):
        Path(folder).mkdir()
    done = CliRunner().invoke(program_export, words)
    assert done.exit_code == 0, done.output
    ds = make_datasette(demo, metadata=yaml.safe_load(lines))
    assert (await get(ds, "/practice.programzip", "anna")).status_code == 200
    assert (await get(ds, "/practice.programzip", "carl")).status_code == 403
    assert len(Path("lasting/exports.jsonl").read_text().splitlines()) == 1


def test_the_container_s_command_is_one(demo: Path) -> None:
    """Its options are Datasette's; what the steps before it install, and whom they make, is what later ones use."""
    from datasette.cli import serve

    ((_, dockerfile),) = blocks("deployment.md", "dockerfile")
    words = json.loads(re.search(r"^CMD (.*)$", dockerfile, re.M)[1])
    assert words[:2] == ["datasette", "serve"]
    copied, user = (re.search(found, dockerfile, re.M)[1] for found in (r"^COPY \. (\S+)$", r"^USER (\S+)$"))
    assert re.search(rf"^RUN pip install .*{copied} && useradd .*{user}$", dockerfile, re.M)
    folder = re.search(r"^WORKDIR (\S+)$", dockerfile, re.M)[1]
    assert f"`{folder}`" in (DOCS / "deployment.md").read_text("utf-8")
    known = {option for parameter in serve.params for option in parameter.opts}
    assert {word for word in words if word.startswith("-")} <= known


def test_every_yaml_of_the_docs_is_settings(tmp_path: Path) -> None:
    """An unknown key would stop a site at its start, and the reader with it; the tables are the reader's own."""
    for page in DOCS.glob("*.md"):
        for _, lines in blocks(page.name, "yaml"):
            metadata = tmp_path / "metadata.yml"
            metadata.write_text(lines)
            report = check_settings(metadata, {})
            assert report.errors == 0, (page.name, report.problems)
            for database in yaml.safe_load(lines).get("databases") or {"shop": {}}:
                empty = Source.of(tmp_path / "empty.db") if (tmp_path / "empty.db").exists() else _empty(tmp_path)
                (checked,) = check_settings(metadata, {database: empty}).databases
                wrong = [p.message for p in checked.problems if "there is no table" not in p.message]
                assert not [w for w in wrong if "unknown key" in w or "Input should" in w], (page.name, wrong)


def _empty(folder: Path) -> Source:
    from tests.support.databases.building import database

    database(folder / "empty.db").close()
    return Source.of(folder / "empty.db")

"""The documentation runs: its commands, its Python, its generated parts, its links."""

from __future__ import annotations

import contextlib
import json
import os
import re
import runpy
import shlex
import shutil
import sqlite3
import subprocess
import sys
import types
import warnings
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from datasette_program_export.cli.main import program_export
from datasette_program_export.demo import ANNA
from datasette_program_export.options.settings import Settings
from datasette_program_export.options.settings_file import read_settings
from tests.support.sites.jobs import keeping
from tests.support.sites.server import make_datasette, served

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_generated_parts_are_true(page: Path) -> None:
    done = subprocess.run([sys.executable, "-m", "cogapp", "--check", str(page)], capture_output=True, text=True)
    assert done.returncode == 0, f"run make docs: {done.stdout}"


@pytest.mark.parametrize("name", ["programjson", "plan", "verify"])
def test_the_json_schemas_are_those_of_the_models(name: str) -> None:
    written = (ROOT / "docs" / f"{name}.schema.json").read_text("utf-8")
    assert written == runpy.run_path(str(ROOT / "docs" / "schemas.py"))["text"](name), "run make docs"
    Draft202012Validator.check_schema(json.loads(written))


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text("utf-8")):
        assert target.startswith("https://") or (page.parent / target).exists(), target


def test_the_readmes_recipes_run_as_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "README.md").read_text("utf-8")
    commands = [line for block in re.findall(r"```sh\n(.*?)```", text, re.S) for line in block.splitlines()]
    assert len(commands) >= 7
    for command in commands:
        words = shlex.split(command)
        assert words[:2] == ["datasette", "program-export"]
        done = CliRunner().invoke(program_export, words[2:])
        assert done.exit_code == 0, f"{command}: {done.output}"
    assert json.loads((tmp_path / "anna.json").read_bytes())["integrity"]["rows"] == 28
    assert (tmp_path / "brazil.csv").read_text().count("Brazil") > 1
    (code,) = re.findall(r"```python\n(.*?)```", text, re.S)
    exec(compile(code, "README.md", "exec"), {})
    assert capsys.readouterr().out == "28 rows\n"
    again = json.loads((tmp_path / "anna-again.json").read_bytes())
    assert again["integrity"]["tables"] == json.loads((tmp_path / "anna.json").read_bytes())["integrity"]["tables"]


def test_the_usage_guides_examples_run_as_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    """Commands and Python in their order; the curl lines against a real server."""
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "docs" / "usage.md").read_text("utf-8")
    module = types.ModuleType("usage")
    monkeypatch.setitem(sys.modules, "usage", module)
    space = module.__dict__
    for kind, code in re.findall(r"```(sh|python)\n(.*?)```", text, re.S):
        if kind == "python":
            exec(compile(code, "usage.md", "exec"), space)
            continue
        for command in code.splitlines():
            done = CliRunner().invoke(program_export, shlex.split(command)[2:])
            assert done.exit_code == 0, f"{command}: {done.output}"
    said = capsys.readouterr().out
    assert (
        "912 {'valid': True, 'warnings': [\"Table 'location_cache' is not included" in said and "1 3 ['nobody']" in said
    )
    assert json.loads(Path("everything.json").read_text())["metadata"]["total_records"] == 912
    assert len(json.loads(Path("transits.json").read_text())) == 387
    assert "session_notes" not in json.loads(Path("anna.json").read_bytes())["tables"]
    check_the_web_application(space["app"])
    copied = sqlite3.connect("copy.db").execute("ATTACH 'practice.db' AS original").connection
    for name, table in space["document"].schema["tables"].items():
        columns = ", ".join(f'"{c["name"]}", typeof("{c["name"]}")' for c in table["columns"])
        here, there = (f'SELECT {columns} FROM {where}."{name}"' for where in ("main", "original"))
        assert copied.execute(f"SELECT count(*) FROM ({here} EXCEPT {there})").fetchone() == (0,)
        assert copied.execute(f"SELECT count(*) FROM ({there} EXCEPT {here})").fetchone() == (0,)
    assert copied.execute("PRAGMA main.foreign_key_check").fetchall() == []
    copied.close()
    with served(make_datasette(tmp_path / "practice.db")) as running:
        for line in re.findall(r"^curl .*", text, re.M):
            words = shlex.split(line.replace("http://127.0.0.1:8001", running.url))
            done = subprocess.run([words[0], "-sS", *words[1:]], capture_output=True)
            assert done.returncode == 0, f"{line}: {done.stderr!r}"
    assert zipfile.ZipFile("practice.zip").testzip() is None and list(tmp_path.glob("practice_clients_*.json"))


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl here")
def test_the_guide_to_jobs_runs_as_written(demo: Path, tmp_path: Path) -> None:
    """As one shell script against a real server, with a token."""
    text = (ROOT / "docs" / "jobs.md").read_text("utf-8")
    script = "\n".join(re.findall(r"```sh\n(.*?)```", text, re.S))
    assert script.count("curl ") == 9
    with keeping(tmp_path / "jobs", demo) as ds, served(ds) as running:
        lines = ["set -eu", script.replace("http://127.0.0.1:8001", running.url)]
        environment = {"PATH": os.environ["PATH"], "TOKEN": "anna"}
        done = subprocess.run(
            ["bash", "-c", "\n".join(lines)], cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("practice.zip: OK\n") and done.stdout.endswith('{"ok": true}')
    assert zipfile.ZipFile(tmp_path / "practice.zip").testzip() is None


def test_the_import_guides_examples_run_as_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "docs" / "import.md").read_text("utf-8")
    said = []
    for kind, code in re.findall(r"```(sh|python)\n(.*?)```", text, re.S):
        if kind == "python":
            exec(compile(code, "import.md", "exec"), {})
            continue
        for command in code.splitlines():
            done = CliRunner().invoke(program_export, shlex.split(command)[2:])
            assert done.exit_code == 0, f"{command}: {done.output}"
            said.append(done.output)
    assert "nothing was changed" in said[2] and "97 insert" in said[2] and "97 unchanged" in said[4]
    assert "proven" in said[-1]
    printed = capsys.readouterr().out
    assert "'charts': 97" in printed and "There is no table nowhere" in printed
    assert "refers to a row of birth_data that is neither in the file nor in the target" in printed


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl here")
def test_the_import_guides_web_examples_run_as_written(demo: Path, tmp_path: Path) -> None:
    """As one shell script against a real server, with root's token."""
    text = (ROOT / "docs" / "import.md").read_text("utf-8")
    (script,) = re.findall(r"```bash\n(.*?)```", text, re.S)
    assert script.count("curl ") == 4
    (tmp_path / "names.csv").write_text(f"id,first_name\n{ANNA},Annerl\n")
    with keeping(tmp_path / "jobs", demo, root=True) as ds, served(ds) as running:
        lines = ["set -eu", script.replace("http://127.0.0.1:8001", running.url)]
        environment = {"PATH": os.environ["PATH"], "TOKEN": "root"}
        done = subprocess.run(
            ["bash", "-c", "\n".join(lines)], cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0 and done.stdout.endswith('{"ok": true}'), done
    assert json.loads((tmp_path / "done.json").read_text())["state"] == "done"
    with contextlib.closing(sqlite3.connect(demo)) as connection:
        found = connection.execute("SELECT first_name FROM clients WHERE id = ?", (ANNA,)).fetchone()
    assert found == ("Annerl",)


def check_the_web_application(app) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # which HTTP client it should use is not our matter
        from fastapi.testclient import TestClient

    client = TestClient(app)
    assert "location_cache" not in client.get("/tables").json()["default_tables"]
    asked = {"table_name": "charts", "limit": 2, "filters": {"chart_type": "natal"}}
    assert client.post("/table", json=asked).json()["record_count"] == 2
    wrong = client.post("/table", json={"table_name": "nix"})
    assert (wrong.status_code, wrong.json()["detail"]) == (400, "Unknown table: nix")
    assert client.post("/table", json={"table_name": "charts", "csv_delimiter": "xx"}).status_code == 422
    assert client.get("/client/nobody").status_code == 404
    assert client.get("/client/a0000000-0000-4000-8000-000000000001").json()["integrity"]["rows"] == 28


def test_the_demos_settings_are_valid() -> None:
    kept = {"jobs_dir": "demo-data/jobs", "audit_log": "demo-data/exports.jsonl", "plan_seconds": 2}
    assert read_settings(ROOT / "metadata.yml", "practice") == Settings(preset="the-program", **kept)


def test_the_two_commands_of_the_readme_are_in_the_makefile() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for target in re.findall(r"^    make (\w+)", (ROOT / "README.md").read_text("utf-8"), re.M):
        assert re.search(rf"^{target}:", makefile, re.M)


def test_what_the_page_on_packages_says_can_be_done_without_us(
    demo_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if missing := [name for name in ("unzip", "sha256sum", "sqlite3") if shutil.which(name) is None]:
        pytest.skip(f"not installed here: {', '.join(missing)}")
    monkeypatch.chdir(tmp_path)
    shutil.copy(demo_file, "practice.db")
    programs = str(Path(sys.executable).parent)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / "docs" / "package.md").read_text("utf-8"), re.S)
    said = []
    for block in blocks:
        done = subprocess.run(["sh", "-ec", block], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        said.append(done.stdout)
    assert "complete and unchanged" in said[2]
    assert len(set(said[3].split())) == 1
    assert "VALID" in said[5].upper() and "INVALID" not in said[5].upper()
    assert said[6].split()[-1] == "50"

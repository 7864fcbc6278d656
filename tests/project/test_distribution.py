"""Published: the wheel has every file that runs, the source archive tests and documents, addresses are whole."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "datasette_program_export"
WORKFLOWS = ROOT / ".github" / "workflows"
_CODE = "import sys; from setuptools import build_meta; print(getattr(build_meta, 'build_' + sys.argv[1])(sys.argv[2]))"


def built(kind: str, folder: Path) -> Path:
    """Build from a copy, as setuptools writes beside the sources."""
    pytest.importorskip("setuptools", "70.1")  # builds wheels by itself
    source = folder / "source"
    kept = ["benchmarks", "docs", "native", "tests"] if kind == "sdist" else []
    skipped = shutil.ignore_patterns("__pycache__", "*.egg-info", "build")
    for name in (PACKAGE.name, *kept):
        shutil.copytree(ROOT / name, source / name, ignore=skipped)
    for path in ROOT.iterdir():
        if path.is_file() and path.name != ".git":
            shutil.copy(path, source)
    words = [sys.executable, "-W", "ignore", "-c", _CODE, kind, str(folder)]
    done = subprocess.run(words, cwd=source, capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stderr
    return folder / done.stdout.splitlines()[-1]


def test_the_wheel_has_every_file_that_runs(tmp_path: Path) -> None:
    with zipfile.ZipFile(built("wheel", tmp_path)) as wheel:
        names = {name for name in wheel.namelist() if ".dist-info/" not in name}
        (metadata,) = (wheel.read(name).decode() for name in wheel.namelist() if name.endswith("/METADATA"))
    there = {p.relative_to(ROOT).as_posix() for p in PACKAGE.rglob("*") if p.is_file() and "__pycache__" not in p.parts}
    assert names == there
    assert {f"{PACKAGE.name}/py.typed"} < names
    assert any("/static/" in name for name in names) and any("/templates/" in name for name in names)
    assert "[[[cog" not in metadata
    assert re.findall(r"\]\((?!https://|#)[^)]*\)", metadata) == []
    assert len(re.findall(r"!\[[^]]*\]\(https://\S+/raw/main/\S+\.png\)", metadata)) >= 3
    assert len(re.findall(r"!\[[^]]*\]\(https://\S+/raw/main/\S+\.gif\)", metadata)) == 1


def test_workflows_test_every_version_that_is_promised() -> None:
    tests, release = (yaml.safe_load((WORKFLOWS / f"{name}.yml").read_text())["jobs"] for name in ("test", "release"))
    matrix = tests["test"]["strategy"]["matrix"]
    setup = (ROOT / "setup.cfg").read_text()
    assert matrix["python-version"] == re.findall(r"Python :: (3\.\d+)$", setup, re.M)
    makefile = (ROOT / "Makefile").read_text()
    assert matrix["datasette"] == re.findall(r'^DATASETTE_\w+ = "(.*)"$', makefile, re.M)
    assert release["publish"]["permissions"] == {"id-token": "write"} and "test" in release["publish"]["needs"]


@pytest.mark.long
@pytest.mark.timeout(600)
def test_what_is_published_is_installed_and_runs(tmp_path: Path) -> None:
    """The source archive, the wheel made of it, and the command, in an environment with only what an index gives."""
    archive = built("sdist", tmp_path)
    with tarfile.open(archive) as packed:
        names = {name.partition("/")[2] for name in packed.getnames()}
    assert {
        "tests/conftest.py",
        "docs/cli.md",
        "docs/export-page.png",
        "docs/tutorial/1-install.png",
        "Makefile",
        "CHANGELOG.md",
        "LICENSE",
    } <= names
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "PROGRAM_EXPORT"))}

    def run(*words: object) -> str:
        done = subprocess.run([str(w) for w in words], cwd=tmp_path, env=clean, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    run(sys.executable, "-m", "venv", tmp_path / "env")
    bin = tmp_path / "env" / ("Scripts" if os.name == "nt" else "bin")
    run(bin / "python", "-m", "pip", "wheel", "-q", "--no-deps", "-w", tmp_path / "wheels", archive)
    (wheel,) = (tmp_path / "wheels").iterdir()
    run(bin / "python", "-m", "pip", "install", "-q", wheel)
    assert "version" in run(bin / "program-export", "--version")
    run(bin / "program-export", "demo", ".")
    run(bin / "datasette", "program-export", "client", "practice.db", "anna", "-o", "anna.zip")
    assert "complete and unchanged" in run(bin / "program-export", "verify", "anna.zip")
    assert "programjson" in run(bin / "datasette", "practice.db", "--get", "/practice/clients")

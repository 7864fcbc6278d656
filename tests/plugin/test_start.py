"""A setting that is wrong ends the start with one line, and says what mends it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import datasette
import pytest
from click.testing import CliRunner
from datasette.cli import cli


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("jobs_dir: {}", "only the server's user may: chmod 700 '{}'"),
        ("max_jobs: x", "max_jobs: a whole number is needed"),
    ],
)
def test_one_line(tmp_path: Path, setting: str, words: str) -> None:
    open_to_all = tmp_path / "the jobs"
    open_to_all.mkdir(mode=0o755)
    (tmp_path / "m.yml").write_text(f"plugins: {{datasette-program-export: {{{setting.format(open_to_all)}}}}}")
    with closing(sqlite3.connect(tmp_path / "t.db")) as connection:
        connection.execute("CREATE TABLE t (a)")
    how = "-m" if datasette.__version__.startswith("0.") else "-c"
    ran = CliRunner().invoke(cli, [str(tmp_path / "t.db"), how, str(tmp_path / "m.yml"), "--get", "/-/versions.json"])
    assert ran.exit_code == 1 and isinstance(ran.exception, SystemExit)
    assert words.format(open_to_all) in ran.output.replace("\n", " ")

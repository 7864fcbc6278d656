"""On a terminal: no bytes, nothing without end, nothing that moves the cursor; progress there and nowhere else."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from datasette_program_export.cli.main import program_export
from datasette_program_export.cli.telling import output, progress
from datasette_program_export.demo import ANNA
from tests.support.databases.building import database


class Terminal:
    """What the test's own streams are, but a terminal."""

    def __init__(self, stream: object) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)

    def isatty(self) -> bool:
        return True


class System:
    """The module ``sys`` with terminals for standard streams."""

    def __getattr__(self, name: str) -> object:
        return Terminal(getattr(sys, name)) if name in ("stdout", "stderr") else getattr(sys, name)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    for module in (output, progress):
        monkeypatch.setattr(module, "sys", System())


def run(*words: object) -> Result:
    return CliRunner().invoke(program_export, [str(w) for w in words])


@pytest.mark.parametrize("how", [("-f", "package"), ("-f", "sqlite"), ("-f", "csv"), ("--compress", "gzip")])
def test_bytes_are_not_written_to_a_terminal(demo_file: Path, terminal: None, how: tuple[str, ...]) -> None:
    done = run("client", demo_file, ANNA, *how)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr == "Error: A terminal cannot show this, it is no text: give a file with -o FILE, or a pipe.\n"


def test_a_short_text_is_shown_and_a_long_one_refused(demo_file: Path, terminal: None) -> None:
    assert '"complete":true' in run("client", demo_file, ANNA).stdout
    done = run("database", demo_file)
    assert (done.exit_code, done.stdout) == (2, "")
    assert (
        done.stderr == "Error: This is too long for a terminal: give a file with -o FILE, or a pipe, such as | less.\n"
    )


def test_a_text_cannot_command_the_terminal(tmp_path: Path, terminal: None) -> None:
    connection = database(tmp_path / "x.db", "CREATE TABLE t (a, b)")
    connection.execute("INSERT INTO t VALUES (?, ?)", ("\x1b[31mred", "ü\u202e"))
    connection.commit()
    connection.close()
    done = run("table", tmp_path / "x.db", "t", "-f", "tsv")
    assert done.stdout.splitlines() == ["a\tb", "\\x1b[31mred\tü\\u202e"]


def test_progress_is_seen_on_a_terminal_only_and_not_when_quiet(
    demo_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "x.json"
    told = run("database", demo_file, "-o", file).stderr
    assert "now" not in told and "complete." in told
    quiet = run("client", demo_file, ANNA, "-o", tmp_path / "y.json", "-q")
    assert "complete." not in quiet.stderr and "not included" in quiet.stderr
    monkeypatch.setattr(progress, "is_shown", lambda quiet: not quiet)
    monkeypatch.setattr("click._termui_impl.isatty", lambda stream: True)
    assert "rows, now charts" in run("database", demo_file, "-o", file).stderr
    assert "rows, now" not in run("database", demo_file, "-o", file, "--quiet").stderr
    assert "verifying" in run("verify", file).stderr
    assert "reading, " in run("import", file, tmp_path / "new.db").stderr
    assert "reading, " not in run("import", file, tmp_path / "new.db", "-q").stderr


@pytest.mark.skipif(os.name != "posix", reason="a pseudoterminal as on POSIX")
def test_a_real_terminal(demo_file: Path, tmp_path: Path) -> None:
    """Progress begins its line anew, and the last line says that the file is complete."""
    import pty
    import subprocess

    mine, theirs = pty.openpty()
    words = ["-m", "datasette_program_export", "database", str(demo_file), "-o", str(tmp_path / "x.json")]
    subprocess.run([sys.executable, *words], stderr=theirs, check=True, timeout=60)
    os.close(theirs)
    said = b""
    while True:
        try:
            piece = os.read(mine, 65536)
        except OSError:  # Linux, at the end
            break
        if not piece:
            break
        said += piece
    os.close(mine)
    assert b"rows, now" in said and b"complete." in said

"""Temporary folders: removed at their end, and by the next process when theirs was killed; nothing else is touched."""

from __future__ import annotations

import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from datasette_program_export.files.temporary import folder as temporary
from datasette_program_export.files.temporary.folder import LOCK, PREFIX, TemporaryFolder, sweep

HOLDING = """
import sys
from datasette_program_export.files.temporary.folder import TemporaryFolder
held = TemporaryFolder(sys.argv[1])
(held.path / "rows").write_text("canary")
(held.path / "inner").mkdir()
(held.path / "inner" / "more").write_text("canary")
print(held.path, flush=True)
sys.stdin.read()
"""


def holding(place: Path) -> tuple[subprocess.Popen, Path]:
    """A process that has a temporary folder in ``place``, and that folder."""
    child = subprocess.Popen(
        [sys.executable, "-c", HOLDING, str(place)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    return child, Path(child.stdout.readline().strip())


def end(child: subprocess.Popen, how: signal.Signals = signal.SIGKILL) -> None:
    child.send_signal(how)
    child.communicate()


def test_it_is_private_and_gone_at_its_end(tmp_path: Path) -> None:
    with TemporaryFolder(tmp_path) as path:
        assert stat.S_IMODE(path.stat().st_mode) == 0o700 and path.name.startswith(PREFIX)
        (path / "file").write_text("x")
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_is_swept_and_what_a_living_one_has_is_not(tmp_path: Path) -> None:
    killed, left = holding(tmp_path)
    living, kept = holding(tmp_path)
    try:
        sweep(tmp_path)
        assert (left / "rows").exists() and (kept / "rows").exists()
        end(killed)
        assert (left / "rows").exists()  # nobody could remove it
        sweep(tmp_path)
        assert not left.exists() and (kept / "inner" / "more").exists()
        with TemporaryFolder(tmp_path) as own:
            sweep(tmp_path)
            assert own.exists()
    finally:
        end(living)
    sweep(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_first_folder_of_a_process_sweeps(tmp_path: Path) -> None:
    killed, left = holding(tmp_path)
    end(killed)
    assert left.exists()
    with TemporaryFolder(tmp_path):
        assert not left.exists()


def test_what_is_not_ours_is_never_touched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file, a folder without a lock, links to a folder and in the place of a lock, another user's folder."""
    (tmp_path / f"{PREFIX}file").write_text("x")
    (tmp_path / f"{PREFIX}no-lock").mkdir()
    (tmp_path / f"{PREFIX}no-lock" / "x").write_text("x")
    (tmp_path / "a-stranger").mkdir()
    (tmp_path / "a-stranger" / LOCK).write_text("")
    (tmp_path / f"{PREFIX}link").symlink_to(tmp_path / "a-stranger")
    (tmp_path / f"{PREFIX}linked-lock").mkdir()
    (tmp_path / f"{PREFIX}linked-lock" / LOCK).symlink_to(tmp_path / "a-stranger" / LOCK)
    before = sorted(tmp_path.rglob("*"))
    sweep(tmp_path)
    assert sorted(tmp_path.rglob("*")) == before
    killed, left = holding(tmp_path)
    end(killed)
    monkeypatch.setattr(temporary.os, "getuid", lambda: left.stat().st_uid + 1)
    sweep(tmp_path)
    assert (left / "rows").exists()


def test_what_a_link_in_it_names_stays(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "precious").write_text("x")
    (tmp_path / "spool").mkdir()
    killed, left = holding(tmp_path / "spool")
    end(killed)
    (left / "folder").symlink_to(tmp_path / "elsewhere")
    (left / "file").symlink_to(tmp_path / "elsewhere" / "precious")
    sweep(tmp_path / "spool")
    assert not left.exists() and (tmp_path / "elsewhere" / "precious").exists()


def test_where_there_are_no_locks_nothing_is_swept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise OSError(temporary.errno.ENOLCK, "No locks available")

    monkeypatch.setattr(temporary, "hold_lock", refused)
    with TemporaryFolder(tmp_path) as path:
        sweep(tmp_path)
        assert path.exists()
    assert list(tmp_path.iterdir()) == []


def test_a_fork_that_ends_leaves_it_to_its_parent(tmp_path: Path) -> None:
    code = (
        "import os, sys\n"
        "from datasette_program_export.files.temporary.folder import TemporaryFolder\n"
        "held = TemporaryFolder(sys.argv[1])\n"
        "if os.fork() == 0: sys.exit(0)\n"
        "os.wait()\n"
        "print(held.path.exists())\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True)
    assert done.stdout == "True\n", done.stderr
    assert list(tmp_path.iterdir()) == []


def test_nobody_else_makes_temporary_files_with_names() -> None:
    """One copy of a database is made elsewhere: it loses its name before its first byte."""
    package = Path(temporary.__file__).parents[2]
    makers = ("mkdtemp", "mkstemp", "NamedTemporaryFile", "TemporaryDirectory")
    found = {
        str(path.relative_to(package))
        for path in package.rglob("*.py")
        if any(maker in path.read_text("utf-8") for maker in makers)
    }
    assert found == {"files/temporary/folder.py", "database/opening.py"}


def test_a_signal_while_one_is_made_leaves_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(path: Path) -> None:
        raise SystemExit(143)

    monkeypatch.setattr(temporary, "hold_lock", stopped)
    with pytest.raises(SystemExit):
        TemporaryFolder(tmp_path)
    assert list(tmp_path.iterdir()) == []

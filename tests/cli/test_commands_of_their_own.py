"""The same commands by themselves, within Datasette and within sqlite-utils; by themselves they start with little."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import datasette_program_export
from datasette_program_export.cli.main import COMMANDS, program_export
from datasette_program_export.demo import ANNA

PYTHON = sys.executable
MODULE = [PYTHON, "-m", "datasette_program_export"]
ENTRY = "from datasette_program_export.cli.main import program_export as f; f(prog_name='program-export')"
ALONE = [PYTHON, "-c", ENTRY]  # as its script does
DATASETTE = "from datasette.cli import cli; cli(prog_name='datasette')"
WITHIN_DATASETTE = [PYTHON, "-c", DATASETTE, "program-export"]
SQLITE_UTILS = (
    "from sqlite_utils.cli import cli\n"
    "from datasette_program_export.cli.within_sqlite_utils import register_commands\n"
    "register_commands(cli)\n"
    "cli(prog_name='sqlite-utils')"
)
WITHIN_SQLITE_UTILS = [PYTHON, "-c", SQLITE_UTILS, "program-export"]
HEAVY = {
    "datasette",
    "sqlite_utils",
    "pydantic",
    "pydantic_core",
    "msgspec",
    "sqlite3",
    "_sqlite3",
    "pysqlite3",
    "yaml",
}


def run(door: list[str], *words: object, **options) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*door, *map(str, words)], capture_output=True, text=True, timeout=100, **options)


def imported(*words: object) -> set[str]:
    """The modules that the commands, by themselves, import until they have ended with 0."""
    done = run([PYTHON, "-X", "importtime", *MODULE[1:]], *words)
    assert done.returncode == 0, done.stderr
    return set(re.findall(r"^import time:[\s\d|]*\| +([\w.]+)$", done.stderr, re.M))


def tops(modules: set[str]) -> set[str]:
    return {name.partition(".")[0] for name in modules}


@pytest.mark.parametrize("word", ["--version", "--help"])
def test_what_only_tells_of_itself_imports_nothing_heavy(word: str) -> None:
    found = imported(word)
    assert {"click", "datasette_program_export"} <= tops(found)  # so they are listed
    if word == "--version" and find_spec("datasette_program_export_native"):
        pytest.skip("it tells whether SQLite can load the extension, so it loads SQLite")
    assert tops(found) & HEAVY == set()
    own = {name.partition(".")[2] for name in found if name.startswith("datasette_program_export.")}
    assert own == {"version", "errors", "cli", "cli.main", "cli.command", "cli.telling", "cli.telling.terminal"}


def test_an_export_needs_no_datasette(demo_file: Path, tmp_path: Path) -> None:
    """Nor what plans, imports and verifies: what starts at once is paid for in no command."""
    modules = imported("record", demo_file, "clients", ANNA, "-o", tmp_path / "anna.json")
    others = {f"datasette_program_export.{name}" for name in ("planning", "importing", "verifying", "service", "demo")}
    assert modules & others == set()
    for unused in ("datasette_program_export.formats.dossier.page", "urllib.request"):  # of other formats
        assert unused not in modules
    found = tops(modules)
    assert "sqlite3" in found or "pysqlite3" in found
    assert found & {"datasette", "uvicorn", "jinja2", "httpx"} == set()
    assert (tmp_path / "anna.json").stat().st_size > 10_000


def test_without_datasette_everything_is_there(demo_file: Path, tmp_path: Path) -> None:
    """In a Python where Datasette cannot be imported at all."""
    (tmp_path / "datasette").mkdir()
    (tmp_path / "datasette" / "__init__.py").write_text("raise ImportError('not here')")
    path = os.pathsep.join(filter(None, [str(tmp_path), os.environ.get("PYTHONPATH")]))
    there = {**os.environ, "PYTHONPATH": path}
    assert run(WITHIN_DATASETTE, "--help", env=there, cwd=tmp_path).returncode != 0  # it really is not there
    for words in (
        ("database", demo_file, "-o", tmp_path / "all.json"),
        ("verify", tmp_path / "all.json"),
        ("prove", tmp_path / "all.json"),
        ("import", tmp_path / "all.json", tmp_path / "copy.db"),
        ("plan", tmp_path / "copy.db"),
        ("formats",),
    ):
        done = run(ALONE, *words, env=there)
        assert done.returncode == 0, done.stderr


SAME = [
    ["--version"],
    ["--help"],
    [],
    ["nix"],
    ["--nix"],
    ["formats"],
    ["plan", "DB", "clients", ANNA],
    ["record", "DB", "clients", ANNA, "--no-cascade", "-f", "csv"],
    ["table", "DB", "clients", "-f", "csv"],
    ["table", "DB", "nix"],
    ["table", "DB", "clients", "-f", "xml"],
    ["client", "DB"],
    ["verify", "DB"],
    ["verify", "nofile.json"],
]


def within(program: str) -> click.Group:
    """The commands of another program, ours among them."""
    if program == "datasette":
        from datasette.cli import cli

        return cli
    from sqlite_utils.cli import cli

    if "program-export" not in cli.commands:  # the entry point, tested below, was not there yet at the installation
        from datasette_program_export.cli.within_sqlite_utils import register_commands

        register_commands(cli)
    return cli


# When a file was made, and the checksum over that
MOMENT = re.compile(r"\b(?:\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ|[0-9a-f]{64})\b")


def said(group: click.Group, name: str, words: list[str]) -> tuple[int, str, str]:
    done = CliRunner().invoke(group, words, prog_name=name)
    return done.exit_code, MOMENT.sub("(a moment)", done.stdout), done.stderr


@pytest.mark.parametrize("program", ["datasette", "sqlite-utils"])
def test_every_door_says_and_ends_the_same(demo_file: Path, program: str) -> None:
    """Output, errors, exit code; only the program's name differs, in usage lines."""
    codes = set()
    for words in SAME:
        asked = [str(demo_file) if word == "DB" else word for word in words]
        code, *here = said(program_export, "program-export", asked)
        there_code, *there = said(within(program), program, ["program-export", *asked])
        named = [re.sub("(Usage: |Try ')program-export ", rf"\1{program} program-export ", text) for text in here]
        assert (there_code, *there) == (code, *named), words
        codes.add(code)
    assert codes == {0, 1, 2}


def test_a_process_within_datasette_ends_the_same(demo_file: Path) -> None:
    for words in (["--version"], ["table", demo_file, "nix"]):
        here, there = run(ALONE, *words), run(WITHIN_DATASETTE, *words)
        assert (there.returncode, there.stdout, there.stderr) == (here.returncode, here.stdout, here.stderr)


def test_help_within_sqlite_utils_is_the_same() -> None:
    """In a process of its own: click keeps the first --help that it made; sqlite-utils hands -h down."""
    for words in (["--help"], ["formats", "--help"]):
        here, there = run(ALONE, *words), run(WITHIN_SQLITE_UTILS, *words)
        named = here.stdout.replace("Usage: ", "Usage: sqlite-utils ")
        assert (there.returncode, there.stdout, there.stderr) == (0, named, "")


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_is_found_when_it_is_asked_for(name: str) -> None:
    """By the name in the list, with its own help, whose beginning the list tells."""
    command = program_export.get_command(click.Context(program_export), name)
    assert command is not None and command.name == name
    assert command.get_short_help_str(1000) == click.Command(name, help=COMMANDS[name].summary).get_short_help_str(1000)
    done = CliRunner().invoke(program_export, [name, "--help"], prog_name="program-export")
    assert done.exit_code == 0 and done.output.startswith(f"Usage: program-export {name} ")


@pytest.mark.parametrize("width", [60, 80, 200])
def test_the_list_of_commands_is_the_one_that_click_writes(width: int) -> None:
    shown = CliRunner().invoke(program_export, ["--help"], prog_name="x", terminal_width=width, max_content_width=width)
    known = click.Group(
        "x", {name: program_export.get_command(click.Context(program_export), name) for name in COMMANDS}
    )
    clicks = CliRunner().invoke(known, ["--help"], prog_name="x", terminal_width=width, max_content_width=width)
    assert shown.output.partition("Commands:")[2] == clicks.output.partition("Commands:")[2] != ""


def test_public_names_are_imported_when_they_are_used() -> None:
    assert set(datasette_program_export.__all__) <= set(dir(datasette_program_export))
    for name in datasette_program_export.__all__:
        assert getattr(datasette_program_export, name) is not None
    with pytest.raises(AttributeError, match="'datasette_program_export' has no attribute 'nix'"):
        _ = datasette_program_export.nix
    with pytest.raises(ImportError, match="cannot import name 'nix'"):
        exec("from datasette_program_export import nix")
    exec("from datasette_program_export import *", told := {})
    assert set(datasette_program_export.__all__) <= set(told)


def test_a_type_checker_finds_each_name_where_it_is_imported_from() -> None:
    """The imports that only a type checker reads, and the table that is used, tell the same."""
    source = ast.parse(Path(datasette_program_export.__file__).read_text("utf-8"))
    (checked,) = (
        node for node in source.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    )
    read = {
        alias.asname or alias.name: f"{'.' * node.level}{node.module}:{alias.name}"
        for node in checked.body
        for alias in node.names
    }
    assert read == datasette_program_export._PLACES
    assert {*read, "__version__"} == set(datasette_program_export.__all__)


def test_as_a_module_it_says_how_it_was_called(demo_file: Path) -> None:
    assert run(MODULE, "table").stderr.startswith("Usage: python -m datasette_program_export table ")
    words = "table", demo_file, "clients", "-f", "csv"
    assert run(MODULE, *words).stdout == run(ALONE, *words).stdout != ""


def test_the_script_that_is_installed(demo_file: Path) -> None:
    script = shutil.which("program-export", path=str(Path(PYTHON).parent))
    if script is None:
        pytest.skip("the script program-export is not installed here: this package was installed before it had one")
    for words in (["--version"], ["--help"], ["table", demo_file, "clients", "-f", "csv"], ["table", demo_file, "nix"]):
        done, same = run([script], *words), run(ALONE, *words)
        assert (done.returncode, done.stdout, done.stderr) == (same.returncode, same.stdout, same.stderr)


def test_the_entry_point_for_sqlite_utils() -> None:
    found = [e for e in entry_points(group="sqlite_utils") if e.name == "program_export"]
    if not found:
        pytest.skip("the entry point is not installed here: this package was installed before it had one")
    done = run([PYTHON, "-m", "sqlite_utils", "program-export"], "--version")
    assert (done.returncode, done.stdout) == (0, run(ALONE, "--version").stdout), done.stderr

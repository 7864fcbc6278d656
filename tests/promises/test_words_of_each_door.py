"""An error advises a choice in the words of the door: Python's argument, the command's option, the page's label."""

from __future__ import annotations

import ast
import gzip
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from datasette_program_export import ImportService, load, verify
from datasette_program_export.cli.main import program_export
from datasette_program_export.errors import _CALLED, RequestError, in_words
from datasette_program_export.plugin.words import sentences_of
from tests.support.sites.server import make_datasette
from tests.support.source_code import FILES, PACKAGE

_OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]+")
# these speak of another program's options, or name both doors
_OF_OTHERS = {"files/decompression.py", "exporting/large_rows.py", "options/settings.py", "formats/xlsx/description.py"}
_OF_OTHERS |= {"formats/dossier/page/page.py", "importing/writing/files_back.py"}  # a command to be typed


def sentences(path: Path) -> list[str]:
    """All texts in a file but its docstrings."""
    tree = ast.parse(path.read_text("utf-8"))
    explained = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and isinstance(node.body[0], ast.Expr)
    }
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in explained
    ]


def test_below_the_doors_no_sentence_names_an_option_of_a_command() -> None:
    below = [p for p in FILES if p.relative_to(PACKAGE).parts[0] not in ("cli", "plugin", "demo", "errors.py")]
    found = {
        (name, said)
        for path in below
        if (name := path.relative_to(PACKAGE).as_posix()) not in _OF_OTHERS
        for said in sentences(path)
        if _OPTION.search(said) and " " in said
    }
    assert found == set()


def test_every_argument_that_a_sentence_advises_has_a_name_at_each_door() -> None:
    named = {name for path in FILES for said in sentences(path) for name in re.findall(r"the argument (\w+)", said)}
    assert {"table", "trusted", "encoding", "allow_dangling", "triggers"} <= named
    for name in named:
        for door in ("command", "page"):
            assert in_words(f"give the argument {name}.", door) != f"give the argument {name}.", name
    assert in_words("the argument nobody_knows", "command") == "the argument nobody_knows"


@pytest.mark.parametrize(
    ("said", "command", "page"),
    [
        ("the argument cells with a b=hex", "--cells a b=hex", "the field (cells) with a b=hex"),
        ("the argument decimal with comma", "--decimal comma", "the field (decimal) with comma"),
        ("the argument header=False.", "--no-header.", 'the answer "no" (header).'),
        ('the argument nan="null" here', "--nan null here", 'the answer "is no value" (nan) here'),
        ("the argument header=True", "--header", 'the answer "yes" (header)'),
        ("the argument nobody with x", "the argument nobody with x", "the argument nobody with x"),
    ],
)
def test_a_value_that_is_advised_goes_along(said: str, command: str, page: str) -> None:
    assert (in_words(said, "command"), in_words(said, "page")) == (command, page)


@pytest.fixture
def rows(demo: Path) -> Path:
    file = demo.with_name("rows.json")
    file.write_text('[{"id": "x"}]')
    return file


def test_a_python_program_is_told_an_argument(demo: Path, rows: Path) -> None:
    for call in (lambda: load(demo, rows), lambda: ImportService(demo).import_full_database(rows.read_text())):
        with pytest.raises(RequestError, match=r"names no table, .*: give the argument table\.$"):
            call()


def unpacking_without_end() -> bytes:
    return gzip.compress(b'{"format":"programjson",\n"x":"' + b" " * 230_000_000)


def test_the_command_line_is_told_an_option(demo: Path, rows: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(program_export, ["import", str(rows), str(demo)])
    assert done.exit_code == 2 and "names no table" in done.output and ": give --table." in done.output
    bomb = tmp_path / "bomb.json.gz"
    bomb.write_bytes(unpacking_without_end())
    assert "give the argument trusted" in verify(bomb).problems[0]
    for options in ([], ["--json"]):
        assert "give --trust." in CliRunner().invoke(program_export, ["verify", str(bomb), *options]).output


async def test_a_page_is_told_what_to_do_where(demo: Path) -> None:
    bomb = unpacking_without_end()
    ds = make_datasette(demo)
    page = "/-/program-export/verify"
    answer = await ds.client.post(page, files={"file": ("bomb.json.gz", bomb)}, headers={"accept": "text/html"})
    assert "give --trust, at the command line" in answer.text and "the argument" not in answer.text


def test_a_note_is_in_the_words_of_the_door_too(demo: Path, tmp_path: Path) -> None:
    guessed = tmp_path / "new.csv"
    guessed.write_bytes("id;word\n1;Straße\n".encode("cp1252"))
    report = load(demo, guessed, table="new", create=True, preview=True)
    assert any(note.message.endswith("use the argument encoding.") for note in report.notes)
    command = ["import", str(guessed), str(demo), "--table", "new", "--create", "--preview"]
    assert "use --encoding." in CliRunner().invoke(program_export, command).output
    assert any(note.message.endswith("use the field (encoding).") for note in report.in_words("page").notes)


def test_every_field_that_a_page_speaks_of_is_in_its_words() -> None:
    named = {field for _, page in _CALLED.values() for field in re.findall(r"\(([a-z-]+)\)", page)}
    labels = " ".join(str(said) for key, said in sentences_of("en").items() if key.startswith("import."))
    assert named and {field for field in named if f"({field})" not in labels} == set()

"""The choices of an import: what ``load`` says of them, and what it refuses."""

from __future__ import annotations

import inspect
import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from click.testing import CliRunner

from datasette_program_export import load
from datasette_program_export.cli.main import program_export
from datasette_program_export.errors import NotFoundError, RequestError, SourceError
from datasette_program_export.importing.choices import Choices, ImportChoices
from tests.support.databases.house import exported


def test_the_signature_of_load_has_every_choice() -> None:
    """A type checker knows them by ``Choices``, so that a misspelled one is found before it runs."""
    assert set(get_type_hints(Choices)) == set(ImportChoices.model_fields)
    assert inspect.signature(load).parameters["choices"].annotation == "Unpack[Choices]"


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"nonsense": 1}, "there is no choice nonsense"),
        ({"on_conflict": "win"}, "on_conflict: 'fail', 'skip', 'update' or 'replace' is needed"),
        ({"on_conflict_for": {"t": "win"}}, "on_conflict_for.t: 'fail', 'skip', 'update' or 'replace' is needed"),
        ({"preview": "perhaps"}, "preview: True or False is needed"),
        (
            {"preview": "perhaps", "nonsense": 1},
            "preview: True or False is needed; there is no choice nonsense",
        ),
    ],
    ids=str,
)
def test_a_choice_that_there_is_not_is_named(tmp_path: Path, choices: dict[str, Any], message: str) -> None:
    with pytest.raises(RequestError) as raised:
        load(tmp_path / "new.db", tmp_path / "file.json", **choices)
    assert str(raised.value) == f"This cannot be asked of an import: {message}."
    assert list(tmp_path.iterdir()) == []


def test_wrong_questions_are_wrong_usage(house: Path, tmp_path: Path) -> None:
    file = exported(house)
    for how, words in (
        ({"on_conflict": "merge"}, "on_conflict"),
        ({"on_conflict_for": {"nix": "skip"}}, "There is no table nix"),
        ({"colour": "red"}, "colour"),
    ):
        with pytest.raises(RequestError, match=words):
            load(house, file, **how)
    with pytest.raises(NotFoundError):
        load(house, tmp_path / "nix.json")
    with pytest.raises(NotFoundError):
        load(tmp_path / "nix" / "new.db", file)
    (tmp_path / "text.db").write_text("no database, but a text that is long enough to be looked at " * 9)
    with pytest.raises(SourceError, match="not a database"):
        load(tmp_path / "text.db", file)


def cli(*words: Any) -> Any:
    return CliRunner().invoke(program_export, ["import", *map(str, words)])


def test_the_command_says_what_it_did(house: Path, tmp_path: Path) -> None:
    file = exported(house)
    done = cli(file, tmp_path / "new.db", "--preview")
    assert done.exit_code == 0 and "nothing was changed" in done.output and "3 insert" in done.output
    assert cli(file, tmp_path / "new.db").exit_code == 0
    assert "3 unchanged" in cli(file, tmp_path / "new.db").output
    with closing(sqlite3.connect(house)) as target:
        target.execute("UPDATE a SET size = 9")
        target.commit()
    done = cli(file, house, "--preview")
    assert done.exit_code == 1 and "size: here 9, in the file 2" in done.output
    done = cli(file, house, "--on-conflict-for", "a=update", "--json")
    assert done.exit_code == 0 and json.loads(done.stdout)["tables"]["a"]["update"] == 1
    assert cli(file, house, "--on-conflict-for", "update").exit_code == 2
    assert cli(file, house, "--backup", "x", "--no-backup").exit_code == 2
    assert cli(tmp_path / "nix", house).exit_code == 2


def test_importing_does_not_need_the_package_for_other_json(house: Path) -> None:
    file = exported(house)
    (house.parent / "f.json").write_text('{"a": []}')
    code = (
        "import sys; sys.modules['ijson'] = None\n"
        "from datasette_program_export import load\n"
        f"print(load({str(house)!r}, {str(file)!r}).status)\n"
        f"print(load({str(house)!r}, {str(house.parent / 'f.json')!r}, preview=True).findings[0].message)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.splitlines()[0] == "imported", done.stderr
    assert "pip install datasette-program-export[import]" in done.stdout

"""What is typed wrongly is answered in a sentence, with what may have been meant; nothing is written."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from datasette_program_export.cli.main import program_export
from datasette_program_export.demo import ANNA

WRONG = [
    ("cleint DB x", "No such command 'cleint'. Did you mean client?"),
    ("table DB clints", "There is no table clints in practice. Did you mean clients?"),
    ("plan DB clients --order fist_name", "clients has no column fist_name. Did you mean first_name?"),
    ("table DB clients -f packge", "Did you mean package?"),
    ("table DB clients --dialect=spredsheet", "'exact', 'spreadsheet'. Did you mean spreadsheet?"),
    ("table DB clients --frmat csv", "No such option '--frmat'. Did you mean '--format'?"),
    ("table DB clients -o nodir/x.json", "There is no folder nodir for x.json; it is not made."),
    ("convert FILE -o nodir/x.zip", "There is no folder nodir for x.zip; it is not made."),
    ("table dir clients", "dir is a folder, not a database file: name a file in it."),
    ("verify dir", "dir is a folder: name a file in it."),
    ("prove dir", "dir is a folder: name a file in it."),
    ("import dir new.db", "dir is a folder: name a file in it."),
    ("verify FILE --against dir", "dir is a folder, not a database file"),
    ("setup dir", "dir is a folder, not a database file"),
    ("import FILE DB --on-conflict updte", "'replace'. Did you mean update?"),
    ("import FILE DB --on-conflict-for client=skip", "There is no table client in the target. Did you mean clients?"),
    ("import FILE DB --without chrts", "There is no table chrts in the file, to be left out. Did you mean charts?"),
    ("import FILE new.db --preview --on-conflict-for=x", "--on-conflict-for needs NAME=VALUE, such as charts=skip"),
    ("client DB anna --stop charts.nix", "There is no reference charts.nix; the plan lists them as child.column."),
]


@pytest.mark.parametrize(("words", "said"), WRONG)
def test_a_sentence_and_exit_status_2(
    demo_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("dir").mkdir()
    if "FILE" in words:
        made = CliRunner().invoke(program_export, ["client", str(demo_file), ANNA, "-o", "anna.json"])
        assert made.exit_code == 0
    there = sorted(tmp_path.iterdir())
    given = [{"DB": str(demo_file), "FILE": "anna.json"}.get(word, word) for word in words.split()]
    done = CliRunner().invoke(program_export, given)
    assert (done.exit_code, said in done.stderr) == (2, True), done.stderr
    assert "Traceback" not in done.stderr and "SELECT" not in done.stderr
    assert sorted(tmp_path.iterdir()) == there


def test_settings_that_are_no_yaml_are_told_with_their_line(demo_file: Path, tmp_path: Path) -> None:
    settings = tmp_path / "metadata.yml"
    for content, why in (
        (b"\xff\xfe\xff", "it is no YAML in UTF-8."),
        (b"a: 1\nb: [", "it is no YAML in UTF-8, see line "),
    ):
        settings.write_bytes(content)
        done = CliRunner().invoke(program_export, ["table", str(demo_file), "clients", "-m", str(settings)])
        assert done.exit_code == 1 and f"metadata.yml cannot be read: {why}" in done.stderr

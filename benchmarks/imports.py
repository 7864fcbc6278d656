"""How fast files are imported and verified, against `sqlite3 .import` and the export of the same file.

make bench                      1,000,000 rows; writes its part of docs/performance.md
python benchmarks/imports.py --rows 100000 --repeat 2
"""

from __future__ import annotations

import os
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from databases import TABLE, make_database
from serving import machine, options, publish, ways
from timing import Contender, command, end, keep_ratios, run_command, table_of, take_turns

SHELL = "sqlite3 .import of the csv"


def made_of(database: Path) -> list[str]:
    """The statements that make the table and its indexes."""
    with closing(sqlite3.connect(database)) as connection:
        sql = "SELECT sql FROM sqlite_master WHERE tbl_name = ? AND sql IS NOT NULL AND type IN ('table', 'index')"
        return [statement for (statement,) in connection.execute(f"{sql} ORDER BY type DESC", [TABLE])]


def written(python: str, database: Path, form: str, to: Path) -> Path:
    """Write the table to a file that is imported and verified."""
    words = [python, "-m", "datasette_program_export", "table", str(database), TABLE, "-f", form, "-o", str(to)]
    run_command(words, to.with_name("out"))
    return to


def contenders(python: str, way: str, database: Path, files: dict[str, Path], out: Path) -> Iterator[Contender]:
    """What one line does with the files."""
    start, target = [python, "-m", "datasette_program_export"], database.with_name("target.db")
    for form, goal in (("programjson", 1.0), ("package", 1.0)):
        words = [*start, "import", str(files[form]), str(target)]
        yield Contender(f"import of {form} into a new file ({way})", command(words, out, target), SHELL, goal)
    export = f"export of programjson ({way})"
    words = [*start, "table", str(database), TABLE, "-f", "programjson"]
    yield Contender(export, command(words, out))
    yield Contender(
        f"verify programjson ({way})", command([*start, "verify", str(files["programjson"])], out), export, 1.0
    )


def main() -> None:
    asked = options(__doc__, rows=1_000_000).parse_args()
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        out, target = folder / "out", folder / "target.db"
        database = make_database(folder, asked.rows)
        lines = ways(asked.line)
        first = next(iter(lines.values()))
        files = {
            form: written(first, database, form, folder / f"file.{ending}")
            for form, ending in (("programjson", "json"), ("package", "zip"), ("csv", "csv"))
        }
        words = ["sqlite3", str(target), f".import --csv '{files['csv']}' {TABLE}"]
        found = [Contender(SHELL, command(words, out, target))]
        rows = f".import --csv --skip 1 '{files['csv']}' {TABLE}"
        words = ["sqlite3", str(target), *made_of(database), rows]
        found.append(Contender("the same, into the table with its key and indexes", command(words, out, target), SHELL))
        for way, python in lines.items():
            found += contenders(python, way, database, files, out)
        take_turns(found, asked.repeat)
    about = (
        f"{asked.rows:,} rows. `.import` writes texts into a table without a key, and checks nothing; ours checks "
        f"every digest and makes the table as it was. The peak is of the importing process. On {machine(load)}"
    )
    publish("## Imports and verifying", about, table_of(found), asked.write)
    if asked.ratios:
        end(keep_ratios(asked.ratios, f"imports {asked.rows}", found))


if __name__ == "__main__":
    sys.exit(main())

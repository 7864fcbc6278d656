"""How fast exports are, against the least that they can take and public tools, in the same run.

    make bench                      1,000,000 rows; writes its part of docs/performance.md
    python benchmarks/export.py --rows 100000 --repeat 2

Each contender writes all rows of one table of the demo (transit_events, multiplied), or the whole
database, to a file: a whole command with its start and the digests that the file has, or a download from a server.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from databases import TABLE, make_database
from serving import begin_page, fetched, machine, options, publish, pythons, ways
from timing import Contender, Run, command, end, keep_ratios, remove_database, run_command, table_of, take_turns

JSON, CSV, ZIP, VACUUM = "sqlite3 -json", "sqlite3 -csv", "sqlite3 -csv piped into zip -1", "VACUUM INTO"
LIMIT = "the limit: a C++ program, JSON lines"
SELECT = f"SELECT * FROM {TABLE}"


def limit_program(folder: Path) -> Path | None:
    """Compile the program that is the limit; None where there is no compiler, or no SQLite to compile with."""
    compiler, made = shutil.which("g++"), folder / "limit"
    source = Path(__file__).with_name("limit.cpp")
    if compiler is None:
        return None
    words = [compiler, "-std=c++17", "-O2", "-o", str(made), str(source), "-lsqlite3"]
    return made if subprocess.run(words, stderr=subprocess.DEVNULL).returncode == 0 else None


def peers(database: Path, out: Path, limit: Path | None) -> Iterator[Contender]:
    """The programs of others, and the limit."""
    if limit is not None:
        yield Contender(LIMIT, command([str(limit), str(database), TABLE], out), JSON)
    yield Contender(JSON, command(["sqlite3", "-json", str(database), SELECT], out))
    yield Contender(CSV, command(["sqlite3", "-csv", "-header", str(database), SELECT], out))
    if shutil.which("zip"):
        piped = f'sqlite3 -csv -header "{database}" "{SELECT}" | zip -1 -q - -'
        run = command(["sh", "-c", piped], out)
        yield Contender(ZIP, lambda: replace(run(), peak=0.0))  # it would be that of sh
    copy = database.with_name("vacuumed.db")
    words = ["sqlite3", str(database), f"VACUUM INTO '{copy}'"]
    yield Contender(VACUUM, command(words, out, copy))


def newest_shell(words: str | None) -> tuple[str | None, str]:
    """A newer shell of SQLite that is on the path under another name, and what is to be said of it."""
    names = [words] if words else ["sqlite3-newest", "sqlite3-new", "sqlite3.50", "sqlite3.51", "sqlite3.52"]
    found = next(filter(shutil.which, names), None)
    if found is None:
        return None, "No newer shell of SQLite is here (--shell names one)."
    version = subprocess.run([found, "--version"], capture_output=True, text=True).stdout.split()[0]
    return found, f"The newer shell {found} is {version}."


def commands(python: str, way: str, database: Path, out: Path) -> Iterator[Contender]:
    """The commands of one line."""
    start = [python, "-m", "datasette_program_export"]
    for form, base, goal in (
        ("programjson", JSON, 0.77),
        ("ndjson", JSON, 0.77),
        ("csv", CSV, 1.0),
        ("package", ZIP, 1.0),
    ):
        words = [*start, "table", str(database), TABLE, "-f", form]
        yield Contender(f"{form}, command ({way})", command(words, out), base, goal)
    words = [*start, "table", str(database), TABLE, "-f", "csv", "--dialect", "spreadsheet"]
    yield Contender(f"csv for a spreadsheet, command ({way})", command(words, out), CSV)
    made = database.with_name("whole.db")
    words = [*start, "database", str(database), "-f", "sqlite", "-o", str(made)]
    yield Contender(f"sqlite of the whole database, command ({way})", command(words, out, made), VACUUM, 2.5)


def downloads(python: str, line: str, way: str, database: Path, out: Path) -> Iterator[Contender]:
    """The downloads from one line, against its commands and against Datasette's own."""

    def of(path: str) -> Callable[[], Run]:
        return lambda: fetched(python, database, path, out)

    own = f"Datasette's own CSV stream ({line})"
    yield Contender(own, of(f"/{TABLE}.csv?_stream=on&_size=max"))
    yield Contender(f"programcsv, HTTP ({line})", of(f"/{TABLE}.programcsv"), own, 0.033)
    yield Contender(f"programjson, HTTP ({line})", of(f"/{TABLE}.programjson"), f"programjson, command ({way})", 1.3)


def contenders(database: Path, out: Path, lines: list[str], limit: Path | None, shell: str | None) -> list[Contender]:
    """All of them, each behind what it is compared with."""
    found = list(peers(database, out, limit))
    if shell is not None:
        found.append(Contender("newest sqlite3 -json", command([shell, "-json", str(database), SELECT], out), JSON))
        found.append(Contender("newest sqlite3 -csv", command([shell, "-csv", str(database), SELECT], out), CSV))
    for line, (way, python) in zip(pythons(lines), ways(lines).items()):
        tool = Path(python).with_name("sqlite-utils")
        if tool.exists() and not any(c.name == "sqlite-utils rows" for c in found):
            found.append(Contender("sqlite-utils rows", command([str(tool), "rows", str(database), TABLE], out), JSON))
        found += commands(python, way, database, out)
        found += downloads(python, line, way, database, out)
    return found


def main() -> None:
    parser = options(__doc__, rows=1_000_000)
    parser.add_argument("--shell", help="A newer shell of SQLite.")
    asked = parser.parse_args()
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        limit, (shell, told) = limit_program(folder), newest_shell(asked.shell)
        database = make_database(folder, asked.rows)
        run_command(["sqlite3", str(database), f"SELECT count(*) FROM {TABLE}"], folder / "out")  # reads it once
        found = contenders(database, folder / "out", asked.line, limit, shell)
        take_turns(found, asked.repeat)
        remove_database(database)
    about = (
        "Whole commands with their start, and with the digests that a file has; ratios of wall-clock time within a "
        f"turn, below 1 is quicker, of {asked.repeat} turns in which all run, one after the other; on "
        f"{machine(load)} {told}"
    )
    if limit is None:
        about += " The limit is not measured: there is no g++ here, or no libsqlite3-dev."
    if not shutil.which("zip"):
        about += " There is no zip here."
    begin_page(asked.write)
    publish("## Exports of a table", f"{asked.rows:,} rows of 10 columns. {about}", table_of(found), asked.write)
    if asked.ratios:
        end(keep_ratios(asked.ratios, f"export {asked.rows}", found))


if __name__ == "__main__":
    sys.exit(main())

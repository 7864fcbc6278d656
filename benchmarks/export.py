"""How fast exports are, as ratios to public tools in the same run, and how much memory they take.

    make bench                      1,000,000 rows; prints a table and writes docs/performance.md
    python benchmarks/export.py --rows 100000 --repeat 2

Every contender writes all rows of one table of the demo (transit_events, multiplied) to a
file. Contenders take turns, so that a noisy machine is noisy to all. Ratios are to
``sqlite3 -json``, in the same turn.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from serving import options, pythons, server

from datasette_program_export.demo import write_demo

TABLE = "transit_events"
BASE = "sqlite3 -json"


@dataclass
class Contender:
    """Something that writes the table to a file. ``run`` gives seconds, peak MB."""

    name: str
    run: Callable[[Path], tuple[float, float]]
    seconds: list[float] = field(default_factory=list)
    peak: float = 0.0
    size: int = 0


def make_database(folder: Path, rows: int) -> Path:
    """The demo, with so many rows in one table."""
    path = write_demo(folder / f"practice{rows}.db", 50)
    with closing(sqlite3.connect(path)) as connection:
        columns = [row[1] for row in connection.execute(f"PRAGMA table_info({TABLE})")]
        (there,) = connection.execute(f"SELECT count(*) FROM {TABLE}").fetchone()
        rest = ", ".join(columns[1:])
        connection.execute(
            f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows // there}) "
            f"INSERT INTO {TABLE} SELECT lower(hex(randomblob(16))), {rest} FROM n, {TABLE} LIMIT {rows - there}"
        )
        connection.commit()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path


def peak_of(pid: int) -> float:
    """The most memory that a process has held so far, in MB: VmHWM, as getrusage also counts its parent's."""
    try:
        return int(Path(f"/proc/{pid}/status").read_text().partition("VmHWM:")[2].split()[0]) / 1024
    except (OSError, IndexError):
        return 0.0


def command(words: list[str]) -> Callable[[Path], tuple[float, float]]:
    """A contender that is a command and writes to its standard output."""

    def run(out: Path) -> tuple[float, float]:
        with out.open("wb") as file:
            start = time.perf_counter()
            process, peak = subprocess.Popen(words, stdout=file), 0.0
            while process.poll() is None:
                peak = max(peak, peak_of(process.pid))
                time.sleep(0.01)
            if process.returncode:
                raise SystemExit(f"{words[0]} failed")
            return time.perf_counter() - start, peak

    return run


def fetched(python: str, database: Path, path: str) -> Callable[[Path], tuple[float, float]]:
    """A contender that is a download from a server of its own."""

    def run(out: Path) -> tuple[float, float]:
        with server(python, database) as (url, pid):
            start = time.perf_counter()
            subprocess.run(["curl", "-sSf", "-o", str(out), url + path], check=True)
            took = time.perf_counter() - start
            return took, peak_of(pid)

    return run


def contenders(database: Path, pythons: dict[str, str]) -> list[Contender]:
    """Ours and the peers that are installed."""
    select, python = f"select * from {TABLE}", sys.executable
    ours = [python, "-m", "datasette", "program-export", "table", str(database), TABLE, "-f"]
    found = [
        Contender(BASE, command(["sqlite3", "-json", str(database), select])),
        Contender("sqlite3 -csv", command(["sqlite3", "-csv", "-header", str(database), select])),
        *(Contender(f"program-export {f} (command)", command([*ours, f])) for f in ("programjson", "ndjson", "csv")),
    ]
    sheet = command([*ours, "csv", "--dialect", "spreadsheet"])
    found.append(Contender("program-export csv, spreadsheet (command)", sheet))
    if shutil.which("sqlite-utils", path=str(Path(python).parent)):
        tool = str(Path(python).with_name("sqlite-utils"))
        found.append(Contender("sqlite-utils rows", command([tool, "rows", str(database), TABLE])))
    for line, where in pythons.items():
        for ending in ("programjson", "programcsv"):
            name = f"program-export {ending} (HTTP, Datasette {line})"
            found.append(Contender(name, fetched(where, database, f"/{TABLE}.{ending}")))
        stream = fetched(where, database, f"/{TABLE}.csv?_stream=on&_size=max")
        found.append(Contender(f"Datasette's own CSV stream ({line})", stream))
    return found


def measured(found: list[Contender], repeat: int, folder: Path) -> None:
    """Let all contenders run, in turns; one that takes long runs once."""
    out = folder / "out"
    for _ in range(repeat):
        for contender in found:
            if contender.seconds and contender.seconds[0] > 20:
                continue
            seconds, peak = contender.run(out)
            contender.seconds.append(seconds)
            contender.peak, contender.size = max(contender.peak, peak), out.stat().st_size
            print(f"  {contender.name}: {seconds:.2f} s, {peak:.0f} MB", file=sys.stderr)
    out.unlink()


def table_of(found: list[Contender]) -> str:
    """The outcome as Markdown."""
    base = next(c for c in found if c.name == BASE)
    lines = ["| what | ratio: min | median | max | median s | MB out | peak MB |", "|---|---|---|---|---|---|---|"]
    for c in found:
        ratios = sorted(mine / theirs for mine, theirs in zip(c.seconds, base.seconds))
        lines.append(
            f"| {c.name} | {ratios[0]:.2f} | {statistics.median(ratios):.2f} | {ratios[-1]:.2f} "
            f"| {statistics.median(c.seconds):.2f} | {c.size / 1e6:.0f} | {c.peak:.0f} |"
        )
    shell = next(c for c in found if c.name == "sqlite3 -csv")
    lines += ["", "| to `sqlite3 -csv` | median ratio |", "|---|---|"]
    for c in found:
        if c.name.startswith("program-export csv"):
            ratio = statistics.median(mine / theirs for mine, theirs in zip(c.seconds, shell.seconds))
            lines.append(f"| {c.name} | {ratio:.2f} |")
    return "\n".join(lines)


def growth(counts: list[int], folder: Path) -> str:
    """Peak memory of the command as Markdown, by the number of rows."""
    lines = ["| rows | MB out | s | peak MB |", "|---|---|---|---|"]
    for rows in counts:
        database = make_database(folder, rows)
        words = [sys.executable, "-m", "datasette", "program-export", "table", str(database), TABLE]
        seconds, peak = command(words)(folder / "out")
        lines.append(f"| {rows:,} | {(folder / 'out').stat().st_size / 1e6:.0f} | {seconds:.2f} | {peak:.0f} |")
        database.unlink()
    return "\n".join(lines)


def main() -> None:
    parser = options(__doc__, rows=1_000_000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--growth", default="10000,100000,1000000", help="Numbers of rows; empty for none.")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        database = make_database(folder, asked.rows)
        found = contenders(database, pythons(asked.line))
        measured(found, asked.repeat, folder)
        database.unlink()
        text = f"## {asked.rows:,} rows of 10 columns\n\n{table_of(found)}\n"
        if asked.growth:
            text += f"\n## Memory\n\n{growth([int(n) for n in asked.growth.split(',')], folder)}\n"
    about = f"Python {sys.version.split()[0]}, SQLite {sqlite3.sqlite_version}, {os.cpu_count()} cores."
    how = f"Ratios are of wall-clock time to `{BASE}` in the same turn: below 1 is quicker."
    text = f"# Performance\n\nWritten by `make bench`, never by hand. {about}\n{how}\n\n{text}"
    print(text)
    if asked.write:
        asked.write.write_text(text, "utf-8")


if __name__ == "__main__":
    main()

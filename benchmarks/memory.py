"""How time and memory of every format grow with the rows.

make bench                          up to 1,000,000 rows; writes its part of docs/performance.md
python benchmarks/memory.py --growth 10000,100000,1000000,10000000
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from databases import TABLE, make_database
from serving import machine, options, publish, ways
from timing import Run, remove_database, run_command

from datasette_program_export.formats.registry import NAMES, get_format

FORMATS = [name for name in NAMES if not get_format(name).speaks]  # what people read takes fewer rows

SHORTEST = 0.05  # seconds


def measured(python: str, database: Path, form: str) -> Run:
    """One export of the table by the command."""
    words = [python, "-m", "datasette_program_export", "table", str(database), TABLE, "-f", form]
    return run_command(words, database.with_name("out"))


def main() -> None:
    parser = options(__doc__, rows=0)
    parser.add_argument("--growth", default="10000,100000,1000000", help="Numbers of rows, from few to many.")
    asked = parser.parse_args()
    counts, load = [int(count) for count in asked.growth.split(",")], os.getloadavg()[0]
    found: dict[tuple[str, str], list[Run]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for rows in counts:
            database = make_database(Path(folder), rows)
            for way, python in ways(asked.line).items():
                for form in FORMATS:
                    found.setdefault((form, way), []).append(measured(python, database, form))
            remove_database(database)
    shown = " | ".join(f"{count:,} rows: s | peak MB" for count in counts)
    lines = [f"| format | {shown} | linearity |", "|---" * (2 * len(counts) + 2) + "|"]
    for (form, way), runs in found.items():
        cells = " | ".join(f"{run.seconds:.2f} | {run.peak:.0f}" for run in runs)
        lines.append(f"| {form} ({way}) | {cells} | {_linearity(runs, counts)} |")
    about = (
        "Peak memory of the command, and its seconds with its start. The last column is the time of a row up to the "
        f"largest number, to that up to the one before, both without the start: 1 is linear. On {machine(load)}"
    )
    publish("## Time and memory by the number of rows", about, lines, asked.write)


def _linearity(runs: list[Run], counts: list[int]) -> str:
    if len(runs) < 3 or runs[-2].seconds - runs[0].seconds < SHORTEST:
        return "too short to tell"
    early = (runs[-2].seconds - runs[0].seconds) / (counts[-2] - counts[0])
    late = (runs[-1].seconds - runs[0].seconds) / (counts[-1] - counts[0])
    return f"{late / early:.2f}"


if __name__ == "__main__":
    main()

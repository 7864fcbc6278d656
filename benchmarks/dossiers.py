"""How large the page of a dossier is, and how soon a browser shows and searches it.

    make bench                          500, 5,000 and 20,000 rows; writes its part of docs/performance.md
    python benchmarks/dossiers.py --growth 500,5000

Chromium opens the file from the disk; without it, or without playwright, only sizes and seconds are measured.
"""

from __future__ import annotations

import os
import shutil
import statistics
import tempfile
from pathlib import Path
from typing import Any

from databases import TABLE, make_database
from serving import machine, options, publish, ways
from timing import Run, remove_database, run_command

_PAINT = "() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null"
# from the first letter to the frame in which the answer stands
_SEARCH = """() => new Promise((done) => {
  const field = document.getElementById("find"), told = document.getElementById("found"), began = performance.now();
  const shown = () => requestAnimationFrame(() => done(performance.now() - began));
  new MutationObserver(shown).observe(told, {childList: true});
  field.value = "trine";
  field.dispatchEvent(new Event("input"));
})"""


def shown(page: Any, file: Path) -> tuple[float, float]:
    """Return the milliseconds to the first paint, and of the first search with the script's own pause of 150."""
    page.goto(file.as_uri())
    return page.evaluate(_PAINT) or 0.0, page.evaluate(_SEARCH)


def main() -> None:
    parser = options(__doc__, rows=0)
    parser.add_argument("--growth", default="500,5000,19000", help="Numbers of rows, from few to many.")
    asked = parser.parse_args()
    load, (way, python) = os.getloadavg()[0], list(ways(asked.line).items())[-1]
    made: dict[int, tuple[Path, Run]] = {}
    seen: dict[int, list[tuple[float, float]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for rows in map(int, asked.growth.split(",")):
            database, file = make_database(Path(folder), rows), Path(folder) / f"{rows}.html"
            words = [python, "-m", "datasette_program_export", "table", str(database), TABLE, "-f", "dossier"]
            made[rows] = file, run_command([*words, "--limit", str(rows)], file)
            remove_database(database)
        browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
        if browser is not None:
            from playwright.sync_api import sync_playwright

            with sync_playwright() as started:
                running = started.chromium.launch(executable_path=browser, args=["--no-sandbox", "--disable-gpu"])
                for rows, (file, _) in made.items():
                    for _ in range(asked.repeat):
                        page = running.new_page()
                        seen.setdefault(rows, []).append(shown(page, file))
                        page.close()
                running.close()
    lines = ["| rows | MB | seconds to write | peak MB | first paint ms | first search ms |", "|---" * 6 + "|"]
    for rows, (_, run) in made.items():
        times = [f"{statistics.median(one):.0f}" for one in zip(*seen.get(rows, []))] or ["", ""]
        cells = [f"{rows:,}", f"{run.size:.1f}", f"{run.seconds:.2f}", f"{run.peak:.0f}", *times]
        lines.append("| " + " | ".join(cells) + " |")
    about = (
        f"One table as a page ({way}); the browser opens it from the disk, medians of {asked.repeat}. Beyond 20,000 "
        f"rows the format is refused, with advice. On {machine(load)}"
    )
    publish("## Dossiers", about, lines, asked.write)


if __name__ == "__main__":
    main()

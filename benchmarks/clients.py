"""One client of many over HTTP, warm; and a tenth of all clients with everything, against a tenth of the database.

make bench                          100,000 clients; writes its part of docs/performance.md
python benchmarks/clients.py --rows 2000 --times 20
"""

from __future__ import annotations

import os
import sqlite3
import statistics
import tempfile
import time
from contextlib import closing
from pathlib import Path

import httpx
from databases import make_practice
from serving import machine, options, publish, pythons, server, ways
from timing import Contender, Run, command, end, keep_ratios, remove_database, table_of, take_turns

OWN = "Datasette's own page of the row"
ASKED = {
    "the client's export (programjson)": "/clients/{}.programjson",
    "the plan": "/clients/{}/-/program-export.json",
    "the export page": "/clients/{}/-/program-export",
    OWN: "/clients/{}",
}
GOALS = {"the client's export (programjson)": 12, "the plan": 8, "the export page": 15}


def keys_of(database: Path, count: int) -> list[str]:
    """So many clients, spread over the table."""
    with closing(sqlite3.connect(database)) as connection:
        (key,) = [row[1] for row in connection.execute("PRAGMA table_info(clients)") if row[5] == 1]
        found = [str(row[0]) for row in connection.execute(f'SELECT "{key}" FROM clients ORDER BY 1')]
    return found[:: max(1, len(found) // count)][:count]


def warm(python: str, database: Path, keys: list[str]) -> dict[str, list[float]]:
    """Milliseconds of each request, after a few that warm the server up."""
    took: dict[str, list[float]] = {}
    with server(python, database) as (url, _), httpx.Client(timeout=120) as client:
        for name, path in ASKED.items():
            for key in keys[:5]:
                client.get(url + path.format(key)).raise_for_status()
            for key in keys:
                start = time.perf_counter()
                client.get(url + path.format(key)).raise_for_status()
                took.setdefault(name, []).append((time.perf_counter() - start) * 1000)
    return took


def contenders(way: str, python: str, database: Path, tenth: int, out: Path) -> list[Contender]:
    """A tenth of the clients with everything; it is compared with the whole database: a tenth of it is the goal."""
    start, whole = [python, "-m", "datasette_program_export"], f"the whole database ({way})"
    some = [*start, "table", str(database), "clients", "--where", f"rowid <= {tenth}", "--cascade"]
    return [
        Contender(whole, command([*start, "database", str(database), "-f", "programjson"], out)),
        Contender(
            f"{tenth:,} clients with everything ({way})", command([*some, "-f", "programjson"], out), whole, 0.15
        ),
    ]


def main() -> None:
    parser = options(__doc__, rows=100_000)
    parser.add_argument("--times", type=int, default=200, help="Requests of each kind.")
    asked = parser.parse_args()
    load = os.getloadavg()[0]
    lines = ["| Datasette | what | p50 ms | p99 ms | goal p50 ms |", "|---|---|---|---|---|"]
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        database = make_practice(folder, asked.rows)
        size = database.stat().st_size / 1e6
        keys = keys_of(database, asked.times)
        pages: list[Contender] = []
        for line, python in pythons(asked.line).items():
            for name, took in warm(python, database, keys).items():
                pages.append(_median(f"{name} ({line})", took, None if name == OWN else f"{OWN} ({line})"))
                p50, p99 = statistics.median(took), statistics.quantiles(took, n=100)[98]
                lines.append(f"| {line} | {name} | {p50:.1f} | {p99:.1f} | {GOALS.get(name, '')} |")
        found: list[Contender] = []
        for way, python in ways(asked.line).items():
            found += contenders(way, python, database, asked.rows // 10, folder / "out")
        take_turns(found, 1)
        remove_database(database)
    about = f"Of {asked.rows:,} clients ({size:,.0f} MB), {len(keys)} of each, one after the other; on {machine(load)}"
    publish("## One client of many, over HTTP", about, lines, asked.write)
    about = f"The same database, once each; on {machine(load)}"
    publish("## A tenth of the clients with everything", about, table_of(found), asked.write)
    if asked.ratios:
        told = keep_ratios(asked.ratios, f"clients {asked.rows}", found)
        end(told + keep_ratios(asked.ratios, f"one of {asked.rows} clients", pages))


def _median(name: str, took: list[float], against: str | None) -> Contender:
    return Contender(name, lambda: Run(0.0), against, runs=[Run(statistics.median(took) / 1000)])


if __name__ == "__main__":
    main()

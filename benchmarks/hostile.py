"""The longest that a page takes while requests come that are made to keep a server busy.

    make bench                                     both Datasette lines; writes its part of docs/performance.md
    python benchmarks/hostile.py --at-once 10

Two pages are asked for at a fixed rate, as in ``beside.py``; meanwhile curl sends so many
hostile requests of one kind at once. What it is answered is counted, too.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from databases import make_database
from serving import machine, options, publish, pythons, server

HEADING = "## Pages while hostile requests come"
PAGES = ("/-/versions.json", "/{}/clients?_size=20&_nofacet=1")
RATE = 4  # a second, of each page
SECONDS = 3.0  # at least, after the hostile requests were begun
FORM = "application/x-www-form-urlencoded"
BOUNDARY = "hostile"


@dataclass(frozen=True)
class Kind:
    """One kind of request: what is asked for, and what is sent, if anything is."""

    name: str
    path: str
    body: bytes | None = None
    type: str = FORM


def kinds(database: str) -> Iterator[Kind]:
    """The kinds; addresses are as long as uvicorn takes them, forms as long as we do and longer."""
    table = f"/{database}/clients"
    job = f"{table}/-/program-export/job"
    yield Kind("nothing hostile: a small export", f"{table}.programjson?_where=id=1")
    yield Kind("a condition of open brackets", f"{table}.programjson?_where=" + "[" * 60_000)
    yield Kind("a deep condition", f"{table}.programjson?_where=" + "(" * 30_000 + "1" + ")" * 30_000)
    yield Kind("a query of comments", f"/{database}/-/query.programcsv?sql=" + "/*" * 30_000)
    yield Kind("a long search", f"{table}.programjson?_search=" + "x+" * 30_000)
    yield Kind("rows to pick by 2,000 words", f"{table}/-/program-export?_export_find=" + "x+" * 2_000)
    yield Kind("a filter of open brackets", f"{table}.programjson?id__in=" + "[" * 60_000)
    yield Kind("many parameters", f"{table}.programjson?" + "&_where=1" * 6_500)
    yield Kind("a form for a job, 190 kB", job, b"_where=" + b"[" * 190_000)
    yield Kind("a form for a job, 1 MB", job, b"_where=" + b"[" * 999_000)
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="x.json"\r\n\r\n'.encode()
    file = b'{"programjson":1,"export":' + b"[" * 5_000_000
    end = f"\r\n--{BOUNDARY}--\r\n".encode()
    multipart = f"multipart/form-data; boundary={BOUNDARY}"
    yield Kind("a file to verify, 5 MB deep", "/-/program-export/verify.json", head + file + end, multipart)


@contextmanager
def sent(origin: str, kind: Kind, at_once: int, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """The requests, all at once, by one curl."""
    lines = []
    body = folder / "body"
    if kind.body is not None:
        body.write_bytes(kind.body)
    for _ in range(at_once):
        part = [f'url = "{origin}{kind.path}"', f'output = "{os.devnull}"', r'write-out = "%{http_code}\n"', "globoff"]
        part += ["silent", "max-time = 120"]
        if kind.body is not None:
            part += [f'data-binary = "@{body}"', f'header = "content-type: {kind.type}"', 'header = "expect:"']
        lines.append("\n".join(part))
    config = folder / "curl.txt"
    config.write_text("\nnext\n".join(lines), "utf-8")
    words = ["curl", "--parallel", "--parallel-immediate", "--parallel-max", str(at_once), "-K", str(config)]
    curl = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        yield curl
    finally:
        curl.kill()
        curl.wait()


async def longest(urls: list[str], curl: subprocess.Popen[str] | None) -> list[float]:
    """The longest that each page took, in milliseconds, until a while has gone by and the requests are answered."""
    took: dict[str, list[float]] = {url: [] for url in urls}

    async def one(url: str, due: float) -> None:
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        answer = await client.get(url)
        assert answer.status_code == 200, f"{url} was answered {answer.status_code}"
        took[url].append((time.perf_counter() - due) * 1000)

    async with httpx.AsyncClient(timeout=120, limits=httpx.Limits(max_connections=None)) as client:
        for url in urls:
            await client.get(url)
        start = time.perf_counter() + 0.1
        asked, number = [], 0
        while number < RATE * SECONDS or (curl is not None and curl.poll() is None and number < RATE * 120):
            due = start + number / RATE
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            asked += [asyncio.create_task(one(url, due)) for url in urls]
            number += 1
        await asyncio.gather(*asked)
    return [max(took[url]) for url in urls]


def measured(line: str, python: str, database: Path, at_once: int, folder: Path) -> Iterator[str]:
    """The rows of the table for one Datasette."""
    with server(python, database) as (url, _):
        origin = url.rpartition("/")[0]
        urls = [origin + page.format(database.stem) for page in PAGES]
        versions, table = asyncio.run(longest(urls, None))
        yield f"| {line} | nothing | {versions:.0f} | {table:.0f} | |"
        for kind in kinds(database.stem):
            with sent(origin, kind, at_once, folder) as curl:
                versions, table = asyncio.run(longest(urls, curl))
                answers = Counter(curl.communicate()[0].split())
            told = ", ".join(f"{code} × {number}" for code, number in sorted(answers.items()))
            yield f"| {line} | {kind.name} | {versions:.0f} | {table:.0f} | {told} |"


def main() -> None:
    parser = options(__doc__, rows=10_000)
    parser.add_argument("--at-once", type=int, default=30, help="Hostile requests of each kind.")
    asked = parser.parse_args()
    load = os.getloadavg()[0]
    lines = [
        f"| Datasette | {asked.at_once} requests at once, each with | `/-/versions.json`: longest ms "
        "| a table's page: longest ms | answers |",
        "|---|---|---|---|---|",
    ]
    with tempfile.TemporaryDirectory() as folder:
        database = make_database(Path(folder), asked.rows)
        for line, python in pythons(asked.line).items():
            for row in measured(line, python, database, asked.at_once, Path(folder)):
                print(row, file=sys.stderr)
                lines.append(row)
    about = (
        f"{RATE} requests a second for each of two pages; the client and curl are on {machine(load)} "
        "An answer 000 is a connection that the server closed."
    )
    publish(HEADING, about, lines, asked.write)


if __name__ == "__main__":
    main()

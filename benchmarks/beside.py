"""How quickly pages are served while three exports run, and how fast these are beside it.

    make bench                                     both Datasette lines; writes its part of docs/performance.md
    python benchmarks/beside.py --seconds 5 --rate 20

Pages are asked for at a fixed rate, whether those before were answered or not, and a page's
time counts from when it was due: so a server that stops for a second is seen to. The exports
are of the whole table, counted and dropped by their readers, and broken off when the time is over.
"""

from __future__ import annotations

import asyncio
import os
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import Process, Value
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from databases import TABLE, make_database
from serving import machine, options, publish, pythons, server

from datasette_program_export.demo import ANNA

HEADING = "## Pages beside three exports"
PAGE = f"/clients/{ANNA}"
AT_ONCE = 3


@dataclass
class Pages:
    """What one run of page requests came to; times in milliseconds."""

    p50: float
    p95: float
    failed: int


async def asked_for(url: str, rate: int, seconds: float) -> Pages:
    """Ask for a page so many times a second."""
    took: list[float] = []
    failed = 0

    async def one(due: float) -> None:
        nonlocal failed
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        try:
            answer = await client.get(url)
            if answer.status_code != 200:
                failed += 1
                print(f"  a page was answered {answer.status_code}", file=sys.stderr)
        except httpx.HTTPError as error:
            failed += 1
            print(f"  a page failed: {type(error).__name__}", file=sys.stderr)
        took.append((time.perf_counter() - due) * 1000)

    async with httpx.AsyncClient(timeout=60, limits=httpx.Limits(max_connections=None)) as client:
        await client.get(url)  # the first compiles the template
        start = time.perf_counter() + 0.2
        await asyncio.gather(*(one(start + i / rate) for i in range(int(rate * seconds))))
    return Pages(statistics.median(took), statistics.quantiles(took, n=20)[-1], failed)


def dropped(url: str, count: Synchronized[int]) -> None:
    """Read an address, count its bytes and drop them: the reader of a site is on another machine."""
    place = urlsplit(url)
    with socket.create_connection((place.hostname, place.port)) as connection:
        connection.sendall(f"GET {place.path} HTTP/1.1\r\nHost: {place.netloc}\r\n\r\n".encode())
        if b" 200 " not in connection.recv(4096).split(b"\r\n")[0]:
            raise SystemExit("an export was refused")
        taken, room = 1, bytearray(1 << 20)
        while taken:
            taken = connection.recv_into(room)
            count.value += taken


@contextmanager
def exported(url: str, readers: int) -> Iterator[Callable[[], float]]:
    """So many exports at once, broken off at the end; what it gives tells how many MB a second came so far."""
    counts = [Value("Q", lock=False) for _ in range(readers)]
    exports = [Process(target=dropped, args=(url, count), daemon=True) for count in counts]
    for export in exports:
        export.start()
    while not all(count.value for count in counts):
        time.sleep(0.01)  # until all of them come
        if any(export.exitcode for export in exports):
            raise SystemExit("an export was refused")
    start, there = time.perf_counter(), sum(count.value for count in counts)

    def rate() -> float:
        seconds = time.perf_counter() - start
        if not all(export.is_alive() for export in exports):
            raise SystemExit("an export ended before the pages: measure with more --rows")
        return (sum(count.value for count in counts) - there) / seconds / 1e6

    try:
        yield rate
    finally:
        for export in exports:
            export.terminate()
            export.join()


def measured(python: str, database: Path, rate: int, seconds: float) -> tuple[Pages, Pages, float, float]:
    """Pages alone, pages beside the exports, an export alone, the exports together."""
    with server(python, database) as (url, _):
        alone = asyncio.run(asked_for(url + PAGE, rate, seconds))
        with exported(f"{url}/{TABLE}.programjson", 1) as told:
            time.sleep(2)
            single = told()
        with exported(f"{url}/{TABLE}.programjson", AT_ONCE) as told:
            beside = asyncio.run(asked_for(url + PAGE, rate, seconds))
            return alone, beside, single, told()


def main() -> None:
    parser = options(__doc__, rows=3_000_000)  # fewer are exported before the pages are answered
    parser.add_argument("--rate", type=int, default=12, help="Pages a second: as many as the machine can answer alone.")
    parser.add_argument("--seconds", type=float, default=10)
    asked = parser.parse_args()
    load = os.getloadavg()[0]
    lines = [
        "| Datasette | pages alone: p50 ms | p95 ms | beside three exports: p50 ms | p95 ms "
        "| pages that failed | one export alone MB/s | the three together MB/s |",
        "|---|---|---|---|---|---|---|---|",
    ]
    with tempfile.TemporaryDirectory() as folder:
        database = make_database(Path(folder), asked.rows)
        for line, python in pythons(asked.line).items():
            alone, beside, single, together = measured(python, database, asked.rate, asked.seconds)
            lines.append(
                f"| {line} | {alone.p50:.0f} | {alone.p95:.0f} | {beside.p50:.0f} | {beside.p95:.0f} "
                f"| {alone.failed + beside.failed} | {single:.1f} | {together:.1f} |"
            )
    about = (
        f"{asked.rate} requests a second for a client's page, for {asked.seconds:.0f} s, while three exports "
        f"of {asked.rows:,} rows (programjson) are read from the same server; the client is on " + machine(load)
    )
    publish(HEADING, about, lines, asked.write)


if __name__ == "__main__":
    main()

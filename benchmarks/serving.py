"""What the benchmarks share: Datasette in a process of its own, options, and how a part of the page is written."""

from __future__ import annotations

import argparse
import os
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from timing import Run, peak_of


@contextmanager
def server(python: str, database: Path) -> Iterator[tuple[str, int]]:
    """Datasette of one line, serving the database: its address and its process."""
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        port = chosen.getsockname()[1]
    words = [python, "-m", "datasette", "serve", str(database), "-p", str(port), "--setting", "max_csv_mb", "0"]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}/{database.stem}"
    try:
        for _ in range(1200):
            try:
                urllib.request.urlopen(f"{url}.json").close()
                break
            except OSError:
                if process.poll() is not None:
                    raise SystemExit(f"{python} cannot serve Datasette: it ended with {process.returncode}") from None
                time.sleep(0.1)
        else:
            raise SystemExit(f"{python}: Datasette did not start within two minutes")
        yield url, process.pid
    finally:
        process.terminate()
        process.wait()


def options(about: str | None, rows: int) -> argparse.ArgumentParser:
    """The options of every benchmark: how many rows, which Datasettes, which page."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--rows", type=int, default=rows)
    parser.add_argument("--line", action="append", default=[], help="stable=PYTHON: a Datasette to serve with.")
    parser.add_argument("--write", type=Path, help="The page that is written, or its part.")
    parser.add_argument("--ratios", type=Path, help="A file that keeps the ratios: what got worse since is said.")
    parser.add_argument("--repeat", type=int, default=3)
    return parser


def ways(lines: list[str]) -> dict[str, str]:
    """The Pythons to run commands with, by how they write rows: in C, or in Python."""
    found = {}
    for name, python in pythons(lines).items():
        told = subprocess.run([python, "-m", "datasette_program_export", "--version"], capture_output=True, text=True)
        found[f"{name}, rows in {'C' if 'in C' in told.stdout else 'Python'}"] = python
    return found


def fetched(python: str, database: Path, path: str, out: Path) -> Run:
    """Download an address of the database from a server of its own."""
    with server(python, database) as (url, pid):
        start = time.perf_counter()
        subprocess.run(["curl", "-sSf", "-o", str(out), url + path], check=True)
        return Run(time.perf_counter() - start, peak_of(pid), out.stat().st_size / 1e6)


def pythons(lines: list[str]) -> dict[str, str]:
    """The Pythons to serve with, by the name of their line; the one that runs this, if none were named."""
    return dict(line.split("=", 1) for line in lines) or {"here": sys.executable}


def machine(load: float) -> str:
    """Where it was measured, and how busy that was before."""
    return f"the same {os.cpu_count()} cores, and their load was {load:.1f} before."


def begin_page(page: Path | None) -> None:
    """Write the head of the page: with what is measured. Its parts stay."""
    if page is None:
        return
    there = page.read_text("utf-8") if page.exists() else ""
    _, heading, parts = there.partition("## ")
    about = f"Python {sys.version.split()[0]}, SQLite {sqlite3.sqlite_version}, {os.cpu_count()} cores."
    page.write_text(f"# Performance\n\nWritten by `make bench`, never by hand. {about}\n\n{heading}{parts}", "utf-8")


def publish(heading: str, about: str, table: list[str], page: Path | None) -> None:
    """Print a part of the page, and write it in place of the one with its heading, or behind all others."""
    text = f"{heading}\n\n{about}\n\n" + "\n".join(table) + "\n"
    print(text)
    if page is None:
        return
    there = ""
    with suppress(FileNotFoundError):
        there = page.read_text("utf-8")
    before, found, own = there.partition(f"{heading}\n")
    _, next_heading, after = own.partition("\n## ") if found else ("", "", "")
    rest = f"\n## {after}" if next_heading else ""
    page.write_text(f"{before.rstrip()}\n\n{text}{rest}".lstrip(), "utf-8")

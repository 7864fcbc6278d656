"""What the benchmarks share: Datasette in a process of its own, options, and how a part of the page is written."""

from __future__ import annotations

import argparse
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


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
        for _ in range(300):
            try:
                urllib.request.urlopen(f"{url}.json").close()
                break
            except OSError:
                time.sleep(0.1)
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
    return parser


def pythons(lines: list[str]) -> dict[str, str]:
    """The Pythons to serve with, by the name of their line; the one that runs this, if none were named."""
    return dict(line.split("=", 1) for line in lines) or {"here": sys.executable}


def machine(load: float) -> str:
    """Where it was measured, and how busy that was before."""
    return f"the same {os.cpu_count()} cores, and their load was {load:.1f} before."


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

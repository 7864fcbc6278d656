"""How contenders are timed: in turns, each against another one of the same turn, with the memory that they take."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

SLOW = 20.0  # seconds; what takes longer runs once
# an installed package is compiled once, not at each start
_ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
COLUMNS = ("what", "against", "ratio: min", "median", "max", "goal", "median s", "MB out", "peak MB")


@dataclass
class Run:
    """What one run came to: seconds, the most MB of memory, MB of output."""

    seconds: float
    peak: float = 0.0
    size: float = 0.0


@dataclass
class Contender:
    """Something that is timed. ``against`` names the contender that it is compared with, ``goal`` is the ratio wanted.

    ``runs`` has one run for each turn; None where it was too slow to run again."""

    name: str
    run: Callable[[], Run]
    against: str | None = None
    goal: float | None = None
    runs: list[Run | None] = field(default_factory=list)

    def seconds(self, turn: int) -> float:
        """The seconds of a turn; of the last one before that where it did not run."""
        return next(run.seconds for run in reversed(self.runs[: turn + 1]) if run is not None)

    def all_seconds(self) -> list[float]:
        """The seconds of all runs."""
        return [run.seconds for run in self.runs if run is not None]


def peak_of(pid: int) -> float:
    """The most memory that a process has held so far, in MB: VmHWM, as getrusage also counts its parent's."""
    try:
        return int(Path(f"/proc/{pid}/status").read_text().partition("VmHWM:")[2].split()[0]) / 1024
    except (OSError, IndexError):
        return 0.0


def run_command(words: list[str], out: Path, errors: bool = False) -> Run:
    """Run a command to its end, its standard output in a file. The peak is that of the command, not of its children."""
    with out.open("wb") as file:
        start = time.perf_counter()
        process = subprocess.Popen(words, stdout=file, stderr=None if errors else subprocess.DEVNULL, env=_ENVIRONMENT)
        peak = 0.0
        while process.poll() is None:
            peak = max(peak, peak_of(process.pid))
            time.sleep(0.002)
        seconds = time.perf_counter() - start
    if process.returncode:
        raise SystemExit(f"{' '.join(words)[:200]} ended with {process.returncode}")
    return Run(seconds, peak, out.stat().st_size / 1e6)


def command(words: list[str], out: Path, made: Path | None = None) -> Callable[[], Run]:
    """A contender that is a command; ``made`` is the file that it makes, removed after each run."""

    def run() -> Run:
        found = run_command(words, out)
        if made is not None:
            found.size = made.stat().st_size / 1e6
            remove_database(made)
        return found

    return run


def remove_database(path: Path) -> None:
    """Remove a database and what SQLite has put beside it."""
    for suffix in ("", "-wal", "-shm", "-journal"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def take_turns(contenders: list[Contender], repeat: int) -> None:
    """Let all run, in turns: a noisy machine is noisy to all. Progress goes to standard error."""
    for _ in range(repeat):
        for contender in contenders:
            if contender.runs and contender.seconds(len(contender.runs)) > SLOW:
                contender.runs.append(None)
                continue
            run = contender.run()
            contender.runs.append(run)
            print(f"  {contender.name}: {run.seconds:.2f} s, {run.peak:.0f} MB", file=sys.stderr)


def ratios_of(contender: Contender, others: dict[str, Contender]) -> list[float]:
    """The sorted ratios of a contender's time to that of the one it is compared with, one for each turn."""
    if contender.against not in others:
        return []
    base = others[contender.against]
    turns = [turn for turn, run in enumerate(contender.runs) if run is not None]
    return sorted(contender.seconds(turn) / base.seconds(turn) for turn in turns)


def table_of(contenders: list[Contender]) -> list[str]:
    """The outcome as lines of Markdown."""
    others = {c.name: c for c in contenders}
    lines = ["| " + " | ".join(COLUMNS) + " |", "|---" * len(COLUMNS) + "|"]
    for c in contenders:
        ratios = ratios_of(c, others)
        shown = [f"{ratios[0]:.2f}", f"{statistics.median(ratios):.2f}", f"{ratios[-1]:.2f}"] if ratios else [""] * 3
        goal = "" if c.goal is None else f"{c.goal:g}"
        runs = [run for run in c.runs if run is not None]
        peak, size = max(run.peak for run in runs), runs[-1].size
        last = [f"{statistics.median(c.all_seconds()):.2f}", _megabytes(size), f"{peak:.0f}" if peak else ""]
        lines.append("| " + " | ".join([c.name, c.against or "", *shown, goal, *last]) + " |")
    return lines


def _megabytes(size: float) -> str:
    return f"{size:.0f}" if size >= 10 else f"{size:.1f}"


def keep_ratios(path: Path, subject: str, contenders: list[Contender], worse: float = 1.2) -> list[str]:
    """Return a sentence for each median ratio of a subject that got worse since the file kept it.

    The file keeps what is new, and what got better by as much; so many small losses are seen, too. To begin anew,
    remove it."""
    kept = json.loads(path.read_text("utf-8")) if path.exists() else {}
    before: dict[str, float] = kept.setdefault(subject, {})
    others, told = {c.name: c for c in contenders}, []
    for contender in contenders:
        if not (ratios := ratios_of(contender, others)):
            continue
        name, ratio = f"{contender.name} / {contender.against}", statistics.median(ratios)
        if name not in before or ratio * worse < before[name]:
            before[name] = round(ratio, 3)
        elif ratio > worse * before[name]:
            told.append(f"{name}: {ratio:.2f}, was {before[name]:.2f}")
    path.write_text(json.dumps(kept, indent=2) + "\n", "utf-8")
    return told


def end(told: Iterable[str]) -> None:
    """Say what got worse, and exit with 1 if anything did."""
    lines = list(told)
    for line in lines:
        print(f"WORSE by 20 % or more: {line}", file=sys.stderr)
    if lines:
        raise SystemExit(1)

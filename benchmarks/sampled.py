"""Runs a command of ours and says where its time went: the stacks of Python, sampled, one a line with its count.

    python benchmarks/sampled.py OUT table practice.db clients -f programjson > /dev/null

Every two milliseconds the stack of the main thread is looked at. OUT gets the stacks as text, in the form that
flame graph tools read: frames divided by ``;``, a blank, the number of samples.
"""

from __future__ import annotations

import sys
import threading
import time
from collections import Counter
from pathlib import Path
from types import FrameType

EVERY = 0.002


def stack_of(frame: FrameType | None) -> list[str]:
    """The functions of a stack, the outermost first."""
    found = []
    while frame is not None:
        file = Path(frame.f_code.co_filename)
        if not file.name.startswith("<frozen importlib"):  # a dozen frames for each import
            found.append(f"{file.parent.name}/{file.stem}:{frame.f_code.co_name}".replace(";", ","))
        frame = frame.f_back
    return found[::-1]


def main() -> None:
    out, words = Path(sys.argv[1]), sys.argv[2:]
    counts: Counter[str] = Counter()
    main_thread, ended = threading.get_ident(), threading.Event()

    def look() -> None:
        while not ended.is_set():
            counts[";".join(stack_of(sys._current_frames().get(main_thread)))] += 1
            time.sleep(EVERY)

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        from datasette_program_export.cli.main import program_export  # its import is a part of the time

        program_export(words, standalone_mode=False)
    finally:
        ended.set()
        watcher.join()
        out.write_text("".join(f"{stack} {count}\n" for stack, count in counts.items()), "utf-8")


if __name__ == "__main__":
    main()

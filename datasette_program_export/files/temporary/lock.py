"""Lock files, each held by one process as long as it lives.

The operating system frees a lock when its process ends, for whatever reason, so that no clock and no number
of a process has to be trusted. The locks are made with ``flock``, which also keeps two holders in one process apart.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

fcntl: Any
try:
    fcntl = importlib.import_module("fcntl")
except ImportError:  # Windows: there an open file cannot be removed, which serves as the lock
    fcntl = None


def hold_lock(path: Path) -> IO[bytes]:
    """Create a lock file, held until ``let_go`` is called or the process ends. Raises OSError.

    It gets its name, by which others look for it, only when it is locked."""
    made = path.with_name(f".{path.stem}.new")
    file = os.fdopen(os.open(made, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "r+b")
    try:
        if fcntl is not None:
            fcntl.flock(file, fcntl.LOCK_EX)
            made.rename(path)
            return file
        file.close()
        made.unlink()
        return path.open("w+b")
    except BaseException:
        file.close()
        made.unlink(missing_ok=True)
        raise


def let_go(file: IO[bytes], path: Path) -> None:
    """Remove a lock file that this process holds."""
    if fcntl is None:  # Windows cannot remove an open file
        file.close()
    path.unlink(missing_ok=True)
    file.close()


@contextmanager
def nobody_holds(path: Path) -> Iterator[bool]:
    """Yield whether the lock file is there and nobody holds it; no other process gets True within the block."""
    if fcntl is None:
        gone = False
        with suppress(OSError):  # open
            path.unlink()
            gone = True
        yield gone
        return
    try:
        handle = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
    except OSError:
        yield False
        return
    try:
        free = True
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            free = False
        # meanwhile another process may have removed it, and a file of the same name be there
        yield free and _is_still(path, handle)
    finally:
        os.close(handle)


def _is_still(path: Path, handle: int) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), path.lstat())
    except FileNotFoundError:
        return False

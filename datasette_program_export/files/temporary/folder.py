"""Private temporary folders. A lock in each shows that its process lives, so those of killed processes can be removed.

Several servers may share a folder for temporary files with each other and with strangers. What is removed lies in a
folder of this user, with a name and a lock of this module, and nobody holds that lock. No link is followed.
"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
import weakref
from contextlib import suppress
from pathlib import Path
from typing import IO

from .lock import fcntl, hold_lock, nobody_holds

PREFIX = "program-export-"
LOCK = ".program-export-lock"
_NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}
_swept: set[Path] = set()


class TemporaryFolder:
    """A folder that only its owner can read, and that is removed at the end. A context manager that yields its path.

    It is made in ``folder``, by default the system's temporary folder. What killed processes left there is removed
    when this process makes its first one in it. Raises OSError."""

    def __init__(self, folder: str | Path | None = None) -> None:
        place = Path(tempfile.gettempdir() if folder is None else folder)
        if place not in _swept:
            _swept.add(place)
            sweep(place)
        self.path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=place))
        lock: IO[bytes] | None = None
        try:
            lock = hold_lock(self.path / LOCK)
        except BaseException as error:  # a signal, too, ends the program here
            if not isinstance(error, OSError) or error.errno not in _NO_LOCKS:
                shutil.rmtree(self.path, ignore_errors=True)
                raise
            # without a lock it is never taken for one that was left behind
        self._removal = weakref.finalize(self, _removed, self.path, lock, os.getpid())

    def __enter__(self) -> Path:
        return self.path

    def __exit__(self, *exc: object) -> None:
        self.remove()

    def remove(self) -> None:
        """Remove the folder with all that is in it. The end of the process does the same."""
        self._removal()


def _removed(path: Path, lock: IO[bytes] | None, process: int) -> None:
    if os.getpid() != process:  # a fork of the process that uses the folder
        return
    if lock is not None and fcntl is None:  # Windows cannot remove an open file
        lock.close()
    shutil.rmtree(path, ignore_errors=True)
    if lock is not None:
        lock.close()


def new_private(path: Path) -> Path:
    """Create an empty file that only its owner can read, and return its path. Raises OSError."""
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    return path


def new_file(path: Path) -> Path:
    """Create an empty file that whom the umask lets can read, and return its path. Raises OSError."""
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
    return path


def sweep(folder: str | Path | None = None) -> None:
    """Remove the temporary folders in ``folder`` whose processes are gone. What cannot be removed stays."""
    with suppress(OSError), os.scandir(tempfile.gettempdir() if folder is None else folder) as entries:
        for entry in entries:
            if entry.name.startswith(PREFIX) and _is_ours(entry):
                _remove_if_left(Path(entry.path))


def _is_ours(entry: os.DirEntry[str]) -> bool:
    with suppress(OSError):
        if entry.is_dir(follow_symlinks=False):
            return not hasattr(os, "getuid") or entry.stat(follow_symlinks=False).st_uid == os.getuid()
    return False


def _remove_if_left(path: Path) -> None:
    with nobody_holds(path / LOCK) as left:
        if not left:
            return
        with suppress(OSError):
            for inner in path.iterdir():  # the lock goes last: without it, nobody would remove the rest
                if inner.name == LOCK:
                    continue
                if inner.is_dir() and not inner.is_symlink():
                    shutil.rmtree(inner, ignore_errors=True)
                else:
                    inner.unlink()
            shutil.rmtree(path, ignore_errors=True)

"""The server's private folder. Several servers may share it; each holds a lock that shows that it is running.

A server holds a lock on its own file as long as it runs: a job was interrupted if its server's lock can be
taken.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shlex
import stat
import tempfile
import weakref
from pathlib import Path
from typing import IO

from ...errors import SettingsError, SpoolFullError
from ...files.temporary.lock import hold_lock, let_go, nobody_holds
from ...options.settings import Settings
from ..host.protocols import Datasette


def jobs_folder(datasette: Datasette, settings: Settings) -> Path:
    """Return the folder in which this site keeps jobs and saved choices; it may not exist yet.

    Raises SpoolFullError if no setting names it and there is no temporary folder that can be written to."""
    if settings.jobs_dir is not None:
        return Path(settings.jobs_dir)
    return default_folder([str(d.path or n) for n, d in datasette.databases.items() if n != "_internal"])


def default_folder(files: list[str]) -> Path:
    """Return a folder in the temporary directory, named by user and database files: the same after a restart."""
    if (place := _temporary()) is None:
        raise SpoolFullError(
            "There is no temporary folder that can be written to, so that nothing can be kept here: download directly, "
            "and tell the person who runs this site (the setting is jobs_dir)."
        )
    user = os.getuid() if hasattr(os, "getuid") else "user"
    site = hashlib.sha256("\0".join(sorted(files)).encode("utf-8", "surrogateescape")).hexdigest()[:12]
    return place / f"datasette-program-export-{user}-{site}"


def _temporary() -> Path | None:
    """Return the system's temporary folder; None if there is none that can be written to."""
    try:
        return Path(tempfile.gettempdir())
    except FileNotFoundError:
        return None


def made_private(folder: Path) -> Path:
    """Create the folder (mode 0700) if it does not exist, and return it.

    Raises SettingsError if it cannot be used, or if others could read it: in a shared temporary
    directory another user could have created it first."""
    if folder.is_symlink() and folder.parent == _temporary():
        raise SettingsError(f"jobs_dir: {folder} is a link that somebody made")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.stat()
    except OSError as error:
        raise SettingsError(f"jobs_dir: {folder} cannot be used ({error.strerror})") from None
    if hasattr(os, "getuid") and found.st_uid != os.getuid():
        raise SettingsError(f"jobs_dir: {folder} belongs to another user of this machine")
    if os.name != "nt" and stat.S_IMODE(found.st_mode) & 0o077:
        raise SettingsError(
            f"jobs_dir: {folder} can be read by others; only the server's user may: "
            f"chmod 700 {shlex.quote(str(folder))}"
        )
    if not os.access(folder, os.W_OK | os.X_OK):
        raise SettingsError(f"jobs_dir: {folder} cannot be written to")
    return folder


class Instance:
    """One running server, as the other servers that share the folder see it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.name = secrets.token_hex(8)
        self._path = folder / f"{self.name}.lock"
        self._file: IO[bytes] = hold_lock(self._path)
        self._let_go = weakref.finalize(self, let_go, self._file, self._path)

    def close(self) -> None:
        """Release the lock: other servers then take this one for stopped. Losing the last reference does the same."""
        self._let_go()

    def alive(self) -> set[str]:
        """Return the names of the running servers, including this one; remove the locks of stopped ones."""
        found = {self.name}
        for path in self.folder.glob("*.lock"):
            if path.stem != self.name and not _taken_over(path):
                found.add(path.stem)
        return found


def _taken_over(path: Path) -> bool:
    """Return whether no server holds this lock file any more, and remove it then."""
    with nobody_holds(path) as left:
        if left:
            path.unlink(missing_ok=True)
    return left or not path.exists()

"""A server that runs background tasks of one kind, and something long for a task to do."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from time import time
from typing import Any

from datasette_program_export.errors import CancelledError
from datasette_program_export.exporting.table_reading import Progress
from datasette_program_export.options.settings import Settings
from datasette_program_export.plugin.server.import_runner import Import, ImportWork
from datasette_program_export.plugin.server.job_runner import Job
from datasette_program_export.plugin.server.site import BackgroundTasks


class Hold:
    """Something long that a task does: it has come to row 5, and goes on when it is let go."""

    filename, media_type = "x.json", "application/json"

    def __init__(self, deaf: bool = False) -> None:
        self.reached, self.go, self.stopped, self.deaf = Event(), Event(), Event(), deaf
        self.progress = Progress()

    def __iter__(self) -> Iterator[bytes]:
        self.progress.rows = 5
        yield b"first"
        self.reached.set()
        while not self.go.wait(0.01):
            if self.stopped.is_set() and not self.deaf:
                raise CancelledError("It was cancelled.")
        yield b"last"

    def cancel(self) -> None:
        self.stopped.set()

    def close(self) -> None:
        pass


class Reading(ImportWork):
    """An import that holds on like that."""

    active_state = "looking"

    def __init__(self, one: Import, place: Path, hold: Hold) -> None:
        super().__init__(one, place)
        self.hold = hold

    def run(self) -> dict[str, Any]:
        for _ in self.hold:
            self.rows = 5
        return {"state": "previewed", "report": {"tables": {}}}

    def stop(self) -> None:
        super().stop()
        self.hold.cancel()


class Server:
    """One server that runs tasks of one kind, in a folder that others may share."""

    def __init__(self, kind: str, folder: Path, **settings: Any) -> None:
        folder.mkdir(mode=0o700, exist_ok=True)
        self.kind = kind
        self.background = BackgroundTasks(folder, Settings(**settings))
        self.tasks: Any = self.background.jobs if kind == "export" else self.background.imports

    def begin(self, hold: Hold, id_: str = "a") -> None:
        facts: dict[str, Any] = {"id": id_, "owner": "anna", "person": "anna", "database": "x"}
        facts |= {"instance": self.tasks.instance.name, "rules": "", "created": time()}
        if self.kind == "export":
            job = Job(**facts, state="queued", title="", asked={}, request={}, visible=None)
            self.tasks.add(job, hold, lambda: None)
        else:
            self.tasks.place(id_).mkdir(parents=True, exist_ok=True)
            one = Import(**facts, state="looking", actor="anna", file="", stored="")
            self.tasks.begin(one, Reading(one, self.tasks.place(id_), hold))

    def begun(self, hold: Hold, id_: str = "a") -> Hold:
        self.begin(hold, id_)
        assert hold.reached.wait(10)
        return hold

    def state(self, id_: str = "a") -> str:
        return self.tasks.get(id_).state

    def cancel(self, id_: str = "a") -> None:
        self.tasks.cancel(id_ if self.kind == "export" else self.tasks.get(id_))

    def files(self, id_: str = "a") -> bool:
        return self.tasks.result(id_).exists() if self.kind == "export" else self.tasks.place(id_).exists()

    def threads(self) -> list[threading.Thread]:
        return [t for t in threading.enumerate() if t.name == self.tasks.thread_name]

"""Click commands that report an error as one line and an exit code, and a group that imports them when they run."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from ..errors import ExportError, in_words
from .terminal import printable


def leave_nothing_behind() -> None:
    """Exit normally on SIGTERM and SIGHUP, so that temporary files are removed."""
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:  # not under nohup
            signal.signal(number, lambda received, _: sys.exit(128 + received))


class Command(click.Command):
    """A command that turns our errors into one line and an exit code: 1 failed, 2 wrong usage."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; an error of ours, of the system or of the arguments becomes a line and an exit code."""
        try:
            return super().invoke(ctx)
        except UnicodeEncodeError as error:  # the command line contains bytes that are not UTF-8
            if not any("\udc80" <= c <= "\udcff" for c in error.object):
                raise
            click.echo("Error: What was asked for is not valid UTF-8.", err=True)
            ctx.exit(2)
        except ExportError as error:
            click.echo(f"Error: {printable(in_words(str(error), 'command'))}", err=True)
            ctx.exit(error.exit_code)
        except BrokenPipeError:  # the reader of the output has closed it
            sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115  else Python reports the broken pipe again at exit
            ctx.exit(1)
        except OSError as error:
            place = f"{error.filename}: " if error.filename else ""
            click.echo(f"Error: {place}{error.strerror}.", err=True)
            ctx.exit(1)


@dataclass(frozen=True)
class Later:
    """A command that is not imported yet: where it is (``module:name`` in this package), and its first sentence."""

    place: str
    summary: str


class LazyGroup(click.Group):
    """A group that imports a command when it runs; to list its commands, it needs none of them."""

    def __init__(self, *args: Any, commands_later: Mapping[str, Later], **options: Any) -> None:
        super().__init__(*args, **options)
        self._later = commands_later

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands, in their order."""
        return sorted(self._later)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command and return it; None if there is none of this name."""
        if cmd_name not in self._later:
            return None
        module, _, name = self._later[cmd_name].place.partition(":")
        found: click.Command = getattr(import_module(f".{module}", __package__), name)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands, as click does, from their first sentences."""
        names = self.list_commands(ctx)
        room = formatter.width - 6 - max(map(len, names))
        told = {name: click.Command(name, help=self._later[name].summary) for name in names}
        with formatter.section("Commands"):
            formatter.write_dl([(name, command.get_short_help_str(room)) for name, command in told.items()])

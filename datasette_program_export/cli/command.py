"""Click commands that report an error as one line and an exit code."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

import click

from ..errors import ExportError
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
            click.echo(f"Error: {printable(str(error))}", err=True)
            ctx.exit(error.exit_code)
        except BrokenPipeError:  # the reader of the output has closed it
            sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115  else Python reports the broken pipe again at exit
            ctx.exit(1)
        except OSError as error:
            place = f"{error.filename}: " if error.filename else ""
            click.echo(f"Error: {place}{error.strerror}.", err=True)
            ctx.exit(1)


class Group(click.Group):
    """A group whose commands are ``Command`` objects."""

    command_class = Command

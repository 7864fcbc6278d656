"""Commands of the command line: errors become one line and an exit code."""

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
    """Being told to stop, or losing the terminal, is an ordinary way out: temporary files are removed on it."""
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:  # not under nohup
            signal.signal(number, lambda received, _: sys.exit(128 + received))


class Command(click.Command):
    """Turns our errors into one line and an exit status: 1 failed, 2 wrong usage."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except UnicodeEncodeError as error:  # bytes of the command line that are no text
            if not any("\udc80" <= c <= "\udcff" for c in error.object):
                raise
            click.echo("Error: What was asked for is not valid UTF-8.", err=True)
            ctx.exit(2)
        except ExportError as error:
            click.echo(f"Error: {printable(str(error))}", err=True)
            ctx.exit(error.exit_code)
        except BrokenPipeError:  # whoever read the output has gone
            sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115  else Python complains once more at its end
            ctx.exit(1)
        except OSError as error:
            place = f"{error.filename}: " if error.filename else ""
            click.echo(f"Error: {place}{error.strerror}.", err=True)
            ctx.exit(1)


class Group(click.Group):
    """Its commands end so."""

    command_class = Command

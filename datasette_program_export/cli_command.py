"""How a command ends: what its errors become."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import click

from .errors import ExportError
from .sentences import printable


class Command(click.Command):
    """Turns our errors into one line and an exit status: 1 failed, 2 wrong usage."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
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

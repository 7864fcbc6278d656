"""Click commands that report an error as one line and an exit code, and a group that imports them when they run."""

from __future__ import annotations

import gc
import os
import re
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from ..errors import ExportError, in_words
from .telling.terminal import printable, write_any_character

_NUMBER = re.compile(r"-\d")


def leave_nothing_behind() -> None:
    """Exit normally on SIGTERM and SIGHUP, so that temporary files are removed."""
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:  # not under nohup
            signal.signal(number, lambda received, _: sys.exit(128 + received))


class Command(click.Command):
    """A command that turns our errors into one line and an exit code: 1 failed, 2 wrong usage."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the words. A key such as ``-1`` is no option, and what a name that begins with ``-`` needs is told."""
        write_any_character()
        given = tuple(args)
        try:
            return super().parse_args(ctx, numbers_last(self.params, args))
        except click.NoSuchOption as error:
            takes = any(isinstance(p, click.Argument) and p.name in ("table", "key") for p in self.params)
            if not takes or "--" in args or error.possibilities:
                raise
            message = f"{error.message} A name or key that begins with - goes behind --, and all options before that."
            raise click.NoSuchOption(error.option_name, message, error.possibilities, ctx) from None
        except click.BadParameter as error:
            if error.param is None or not isinstance(error.param.type, click.Choice):
                raise
            from ..options.suggestion import meant  # imported late: only who errs needs it

            words = [word.partition("=")[2] if word.startswith("--") else word for word in given]
            likely = "".join(
                meant(w, error.param.type.choices) for w in dict.fromkeys(words) if f"'{w}'" in error.message
            )
            raise click.BadParameter(error.message + likely, ctx, error.param) from None

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; an error of ours, of the system or of the arguments becomes a line and an exit code."""
        if not gc.isenabled():  # this is a process of its own
            gc.freeze()
            gc.enable()
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


def numbers_last(params: Sequence[click.Parameter], args: list[str]) -> list[str]:
    """Return the words with those behind ``--`` that are no options: there a negative number is not taken for one.

    They stay as they are if none is such a number, or if there is an option that is not known."""
    named = {name: p for p in params if isinstance(p, click.Option) for name in (*p.opts, *p.secondary_opts)}
    options: list[str] = []
    others: list[str] = []
    waiting = list(args)
    while waiting:
        word = waiting.pop(0)
        if word == "--":
            others += waiting
            break
        name, sign, _ = word.partition("=") if word.startswith("--") else (word[:2], word[2:], "")
        if word in ("-", "") or not word.startswith("-") or (_NUMBER.match(word) and word[:2] not in named):
            others.append(word)
        elif name in named:
            values = 0 if sign or named[name].is_flag or named[name].count else named[name].nargs
            options += [word, *waiting[:values]]
            del waiting[:values]
        else:
            return args
    return [*options, "--", *others] if any(map(_NUMBER.match, others)) else args


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

    def main(self, *args: Any, **options: Any) -> Any:
        """Run as a process of its own: what it imports is no garbage and is not searched for any, also not at its end.

        That was a quarter of the time of a small export."""
        gc.disable()  # until the command runs
        try:
            return super().main(*args, **options)
        finally:
            gc.freeze()
            gc.enable()

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the words, where ``--help`` and ``--version`` may end it already."""
        write_any_character()
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands, in their order."""
        return sorted(self._later)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that is named. Raises click's usage error, with the one that may have been meant."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            if "Did you mean" in error.message:  # newer click asks itself
                raise
            from ..options.suggestion import meant

            raise click.UsageError(error.message + meant(args[0], self._later), ctx) from None

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

"""``program-export demo`` and ``formats``: what there is to try, without a database of one's own."""

from __future__ import annotations

from pathlib import Path

import click

from .. import demo as demo_module
from ..errors import ExportError, PluginError, RequestError
from ..formats.registry import NAMES, faults, get_format
from .command import Command


@click.command(name="formats", cls=Command)
def formats() -> None:
    """List the formats."""
    for name in NAMES:
        form = get_format(name)
        click.echo(f"{name:<12} .{form.extension:<8} {form.help}")
    if found := faults():
        raise PluginError(" ".join(found))


@click.command(name="demo", cls=Command)
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--clients", default=50, type=click.IntRange(1), help="How many clients the practice has.")
@click.option("--check", is_flag=True, help="Export it in every way, and read each file back.")
def demo(folder: Path, clients: int, check: bool) -> None:
    """Write a demo database, FOLDER/practice.db: an invented astrology practice."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        path = demo_module.write_demo(folder / "practice.db", clients)
    except FileExistsError as error:
        raise RequestError(f"{error}.") from None
    click.echo(f"{path}: {clients} clients. Look at it with: datasette {path}")
    if check:
        from ..demo.check import check as checks  # imported late: only this command needs the service

        found = list(checks(path))
        for one in found:
            click.echo(f"{'failed' if one.problem else 'ok':<7} {one.way}: {one.problem or f'{one.rows:,} rows'}")
        if any(one.problem for one in found):
            raise ExportError("The self-check failed.")

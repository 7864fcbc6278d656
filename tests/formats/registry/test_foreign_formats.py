"""Formats of other plugins: what is no format is left out by name, and one that fails fails before its first byte."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from datasette_program_export import Format, Request, export, verify
from datasette_program_export.cli.main import program_export
from datasette_program_export.errors import PluginError, RequestError, SnapshotLostError, UnreadableError
from datasette_program_export.formats.registry import NAMES, faults, format_for_file, get_format
from datasette_program_export.options.hooks.specs import hookimpl
from tests.support.databases.building import database
from tests.support.plugins.registered import plugged
from tests.support.plugins.toys import FormatPlugin

OWN = NAMES[:]


def lines(table: Any, request: Any) -> Iterator[bytes]:
    yield b"lines\n"
    for rows in table.batches:
        yield b"".join(f"{row}\n".encode() for row in rows)


GOOD = Format("lines", "Rows as lines.", "lines", "text/x-lines", False, False, encode_table=lines)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "house.db"
    database(path, "CREATE TABLE t (id INTEGER PRIMARY KEY, x)", "INSERT INTO t VALUES (1, 'canary'), (2, 'b')").close()
    return path


def made(source: Path, form: str = "lines") -> bytes:
    return b"".join(export(source, Request(table="t", format=form)))


def command(*words: Any) -> tuple[int, str]:
    done = CliRunner().invoke(program_export, [*map(str, words)])
    return done.exit_code, done.output


BAD = {
    "is a dict, not a Format": {"name": "lines"},
    "is a type, not a Format": Format,
    "has no right name": replace(GOOD, name="Lines!"),
    "has no right help": replace(GOOD, help=""),
    "has no right extension": replace(GOOD, extension=None),
    "has no right suffixes": replace(GOOD, suffixes=["a"]),
    "has no right media_type": replace(GOOD, media_type="text/x\r\nset-cookie: a=b"),
    "has no right ending": replace(GOOD, ending="a/b"),
    "has no right beginnings": replace(GOOD, beginnings=(b"",)),
    "has no right layouts": replace(GOOD, layouts=("odd",)),
    "has no right member": replace(GOOD, member="csv"),
    "has no right delimiter": replace(GOOD, delimiter=";;"),
    "has no right encode_table": replace(GOOD, encode_table="write"),
    "has no right lossless": replace(GOOD, lossless="yes"),
    "has neither encode nor encode_table": replace(GOOD, encode_table=None),
    "has no decode": replace(GOOD, self_verifying=True),
    "has a proving_layout": replace(GOOD, proving_layout="envelope"),
    "that is no suffix of a compression": replace(GOOD, extension="lines.gz"),
}


@pytest.mark.parametrize("fault", BAD)
def test_what_is_no_format_is_named_and_takes_no_other_with_it(source: Path, fault: str) -> None:
    other = replace(GOOD, name="other", extension="other")
    with plugged(FormatPlugin(BAD[fault], other), "odd"):
        assert NAMES[:] == (*OWN, "other")
        (said,) = faults()
        assert said.startswith("The plugin odd registers no sound format") and fault in said
        assert made(source, "other").startswith(b"lines") and made(source, "csv").startswith(b"id,x")
        with pytest.raises(PluginError, match="There is no format lines; a plugin failed .* The plugin odd "):
            made(source)
        code, listed = command("formats")
        assert code == 1 and "other " in listed and "The plugin odd registers no sound format" in listed
        code, told = command("table", source, "t", "-f", "lines")
        assert code == 1 and told.startswith("Error: There is no format lines") and "plugin odd" in told
    assert faults() == [] and NAMES[:] == OWN
    assert command("table", source, "t", "-f", "lines")[0] == 2  # without the plugin it is a misspelt name
    with pytest.raises(RequestError, match="There is no format lines. Known: "):
        made(source)


class Raising:
    @hookimpl
    def register_export_formats(self) -> None:
        raise KeyError("canary")


class NoList:
    @hookimpl
    def register_export_formats(self) -> Any:
        return GOOD


class Nothing:
    @hookimpl
    def register_export_formats(self) -> Any:
        return None


@pytest.mark.parametrize(
    "plugin, said",
    [
        (Raising(), "The plugin odd failed in register_export_formats (KeyError)."),
        (NoList(), "The plugin odd returned a Format from register_export_formats, not a list of formats."),
    ],
)
def test_a_plugin_that_fails_takes_no_format_with_it(source: Path, plugin: Any, said: str, tmp_path: Path) -> None:
    with plugged(plugin, "odd"):
        assert faults() == [said] and NAMES[:] == OWN
        assert made(source, "csv").startswith(b"id,x")
        assert command("table", source, "t", "-o", tmp_path / "x.lines") == (
            1,
            f"Error: x.lines names no format by its ending. {said}\n",
        )


def test_a_plugin_may_return_nothing() -> None:
    with plugged(Nothing()):
        assert faults() == [] and NAMES[:] == OWN


TAKEN = {
    "the name csv": replace(GOOD, name="csv"),
    "the suffix .csv": replace(GOOD, suffixes=("csv",)),
    "the suffix .json": replace(GOOD, extension="geo.json"),
    "the ending csv of addresses": replace(GOOD, ending="csv"),
    "the first bytes of a file (the formats package and lines)": replace(
        GOOD, beginnings=(b"PK\x03\x04mine",), decode=lambda file, limits: None
    ),
}


@pytest.mark.parametrize("what", TAKEN)
def test_what_is_ours_cannot_be_taken(source: Path, what: str) -> None:
    with plugged(FormatPlugin(TAKEN[what]), "odd"):
        said = f"Both this program and the plugin odd have a format with {what}. That of odd cannot be used."
        assert faults() == [said]
        assert made(source, "csv").startswith(b"id,x") and format_for_file("a.csv") == "csv"
        if TAKEN[what].name != "csv":
            with pytest.raises(PluginError, match="Both this program and the plugin odd"):
                made(source)


def test_of_two_plugins_neither_has_what_both_want(source: Path) -> None:
    """Which of them came first would depend on the machine."""
    second = replace(GOOD, name="second")
    with ExitStack() as stack:
        for name, form in {"one": GOOD, "two": second, "three": replace(GOOD, extension="free")}.items():
            stack.enter_context(plugged(FormatPlugin(form), name))
        assert faults() == [
            "Both the plugin one and the plugin two have a format with the suffix .lines. Both cannot be used."
        ]
        for name in ("lines", "second"):
            with pytest.raises(PluginError, match="Both the plugin one and the plugin two"):
                made(source, name)
        assert format_for_file("x.lines") is None and NAMES[:] == OWN


def test_one_format_may_come_twice() -> None:
    """By two entry points of one package."""
    with plugged(FormatPlugin(GOOD)), plugged(FormatPlugin(GOOD)):
        assert faults() == [] and get_format("lines").extension == "lines"


def raising(table: Any, request: Any) -> Iterator[bytes]:
    raise ValueError(f"canary {list(table.batches)}")
    yield b""


def late(table: Any, request: Any) -> Iterator[bytes]:
    yield b"begun\n"
    raise ValueError(f"canary {list(table.batches)}")


def exiting(table: Any, request: Any) -> Iterator[bytes]:
    raise SystemExit(0)
    yield b""


def texts(table: Any, request: Any) -> Iterator[Any]:
    yield from map(str, table.batches)


def silent(table: Any, request: Any) -> Iterator[bytes]:
    list(table.batches)
    yield b""


def lazy(table: Any, request: Any) -> Iterator[bytes]:
    yield b"no rows\n"


def half(table: Any, request: Any) -> Iterator[bytes]:
    yield str(next(table.batches)).encode()


FAILING = {
    raising: "failed (ValueError).",
    exiting: "failed (SystemExit).",
    texts: "wrote str, not bytes.",
    silent: "wrote nothing.",
}
BREAKING = {late: "failed (ValueError).", lazy: "did not read all rows of t.", half: "did not read all rows of t."}


@pytest.mark.parametrize("encode", FAILING)
def test_a_format_that_fails_fails_before_the_first_byte(source: Path, encode: Any, tmp_path: Path) -> None:
    said = f"The format lines of the plugin odd {FAILING[encode]}"
    with plugged(FormatPlugin(replace(GOOD, encode_table=encode)), "odd"):
        with export(source, Request(table="t", format="lines")) as chunks, pytest.raises(PluginError) as found:
            next(iter(chunks))
        assert str(found.value) == said and found.value.__context__ is None
        assert command("table", source, "t", "-o", tmp_path / "x.lines") == (1, f"Error: {said}\n")
    assert [*tmp_path.glob("x*")] == []


@pytest.mark.parametrize("encode", BREAKING)
def test_a_format_that_leaves_rows_out_is_never_complete(source: Path, encode: Any, tmp_path: Path) -> None:
    said = f"The format lines of the plugin odd {BREAKING[encode]}"
    with plugged(FormatPlugin(replace(GOOD, encode_table=encode)), "odd"):
        code, told = command("table", source, "t", "-o", tmp_path / "x.lines")
    assert code == 1 and told.endswith(f"Error: {said}\n") and [*tmp_path.glob("x*")] == []


def test_a_format_that_swallows_an_error_of_the_rows_is_not_complete(source: Path, monkeypatch) -> None:
    def swallowing(dataset: Any, options: Any) -> Iterator[bytes]:
        try:
            for table in dataset.tables:
                yield from lines(table, None)
            dataset.integrity()
        except Exception:
            yield b"all is well\n"

    def lost(self: Any) -> None:
        raise SnapshotLostError("The snapshot is lost.")

    with plugged(FormatPlugin(replace(GOOD, encode=swallowing, encode_table=None))):
        assert made(source).startswith(b"lines")
        monkeypatch.setattr("datasette_program_export.database.snapshot.Snapshot.confirm", lost)
        with pytest.raises(SnapshotLostError):
            made(source)


def test_of_several_tables_each_must_be_read(tmp_path: Path) -> None:
    def first(dataset: Any, options: Any) -> Iterator[bytes]:
        yield from lines(next(dataset.tables), None)

    source = database(None, "CREATE TABLE a (x)", "CREATE TABLE b (x)")
    with (
        closing(source),
        plugged(FormatPlugin(replace(GOOD, encode=first)), "odd"),
        pytest.raises(PluginError, match="The format lines of the plugin odd did not read all rows"),
    ):
        b"".join(export(source, Request(format="lines")))


def test_a_reader_that_fails_says_that_it_cannot_read(tmp_path: Path) -> None:
    def decode(file: Any, limits: Any) -> Any:
        raise KeyError("canary")

    file = tmp_path / "x.lines"
    file.write_bytes(b"lines\n(1, 'canary')\n")
    assert verify(file).problems[0].startswith("This file cannot prove itself")
    with plugged(FormatPlugin(replace(GOOD, beginnings=(b"lines\n",), decode=decode)), "odd"):
        report = verify(file)
        assert report.status == "damaged"
        assert report.problems == ["The format lines of the plugin odd cannot read this file (KeyError)."]
        with pytest.raises(UnreadableError):
            get_format("lines").decode(None, None)

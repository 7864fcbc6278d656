"""How fast every kind of file is written, beside pandas, DuckDB and sqlite-utils, in the same run.

    make bench                       200,000 rows; writes its part of docs/performance.md
    python benchmarks/formats.py --rows 20000 --peers .venv/peers/bin/python

The tools of others run in an environment of their own (make .venv/peers/ready); what is not there is not measured.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from databases import TABLE, make_database
from serving import machine, options, publish, ways
from timing import Contender, command, table_of, take_turns

from datasette_program_export.formats.registry import NAMES, get_format

_PANDAS = "import pandas, sqlite3; pandas.read_sql('SELECT * FROM {table}', sqlite3.connect({database!r})).{write}"
# by the name of the format: what pandas calls it, and the module that it needs for that
_OF_PANDAS = {
    "csv": ("to_csv({out!r}, index=False)", "pandas"),
    "xlsx": ("to_excel({out!r}, index=False, engine='xlsxwriter')", "xlsxwriter"),
    "parquet": ("to_parquet({out!r}, index=False)", "pyarrow"),
    "xml": ("to_xml({out!r}, index=False, parser='lxml')", "lxml"),
    "ndjson": ("to_json({out!r}, orient='records', lines=True)", "pandas"),
}
_DUCKDB = (
    "import duckdb, pandas, sqlite3; rows = pandas.read_sql('SELECT * FROM {table}', sqlite3.connect({database!r})); "
    "duckdb.sql(\"COPY rows TO '{out}' ({kind})\")"
)
_OF_DUCKDB = {"parquet": "FORMAT parquet", "csv": "FORMAT csv, HEADER", "ndjson": "FORMAT json"}
_OF_SQLITE_UTILS = {"csv": "--csv", "ndjson": "--nl"}


def has(python: str | None, *modules: str) -> bool:
    """Return whether a Python has these modules."""
    words = [python or "", "-c", f"import {', '.join(modules)}"]
    return python is not None and subprocess.run(words, stderr=subprocess.DEVNULL).returncode == 0


def peers(peer: str | None, tool: Path, database: Path, out: Path) -> Iterator[tuple[str, Contender]]:
    """The tools of others, each with the name of the format that it writes."""
    made = out.with_name("made")
    for form, (write, module) in _OF_PANDAS.items():
        if has(peer, "pandas", module):
            code = _PANDAS.format(table=TABLE, database=str(database), write=write.format(out=str(made)))
            yield form, Contender(f"pandas: {form}", command([str(peer), "-c", code], out, made))
    for form, kind in _OF_DUCKDB.items():
        if has(peer, "duckdb", "pandas"):
            code = _DUCKDB.format(table=TABLE, database=str(database), out=made, kind=kind)
            yield form, Contender(f"pandas and DuckDB: {form}", command([str(peer), "-c", code], out, made))
    for form, option in _OF_SQLITE_UTILS.items() if tool.exists() else ():
        yield form, Contender(f"sqlite-utils: {form}", command([str(tool), "rows", str(database), TABLE, option], out))


def main() -> None:
    parser = options(__doc__, rows=200_000)
    parser.add_argument("--peers", help="A Python that has the tools of others.")
    asked = parser.parse_args()
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        database, out = make_database(Path(folder), asked.rows), Path(folder) / "out"
        peer = asked.peers if asked.peers and Path(asked.peers).exists() else None
        way, python = list(ways(asked.line).items())[-1]
        found: list[Contender] = []
        first: dict[str, str] = {}
        for form, contender in peers(peer, Path(python).with_name("sqlite-utils"), database, out):
            found.append(contender)
            first.setdefault(form, contender.name)
        for form in (name for name in NAMES if not get_format(name).speaks):  # what people read takes fewer rows
            words = [python, "-m", "datasette_program_export", "table", str(database), TABLE, "-f", form]
            found.append(Contender(form, command([*words, "-o", "-"], out), first.get(form)))
        take_turns(found, asked.repeat)
    about = (
        f"{asked.rows:,} rows of 10 columns, whole commands with their start ({way}); pandas and DuckDB hold all rows "
        f"in memory and keep no types, keys or digests. On {machine(load)}"
    )
    if peer is None:
        about += " pandas and DuckDB are not here."
    publish("## Every kind of file", about, table_of(found), asked.write)


if __name__ == "__main__":
    main()

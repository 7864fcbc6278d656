"""One file, compressed: the bytes come back by foreign tools, and the same data gives the same bytes."""

from __future__ import annotations

import gzip
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path

import pytest
from click.testing import CliRunner

from datasette_program_export import Request, export
from datasette_program_export.cli.main import program_export
from datasette_program_export.demo import ANNA
from datasette_program_export.errors import UnsupportedError
from tests.support.sites.server import make_datasette

NOW = datetime(2026, 11, 23, 4, 5, 6, tzinfo=timezone.utc)


def made(path: Path, **request) -> tuple[bytes, str, str]:
    with export(path, Request(table="charts", **request), created_at=NOW) as found:
        return b"".join(found), found.filename, found.media_type


@pytest.mark.parametrize(
    ("how", "tool", "suffix", "media_type"),
    [("gzip", ["gzip", "-dc"], "gz", "application/gzip"), ("zstd", None, "zst", "application/zstd")],
)
@pytest.mark.parametrize("form", ["programjson", "ndjson", "csv"])
def test_the_bytes_come_back(demo_file: Path, form: str, how: str, tool, suffix: str, media_type: str) -> None:
    plain, name, _ = made(demo_file, format=form)
    packed, packed_name, packed_type = made(demo_file, format=form, compress=how)
    if form == "programjson":  # what was asked for stands in the document
        plain = plain.replace(
            b'"request":{"table":"charts"}', f'"request":{{"table":"charts","compress":"{how}"}}'.encode()
        )
    if tool:
        back = subprocess.run(tool, input=packed, capture_output=True, check=True).stdout
    else:
        import zstandard

        back = zstandard.ZstdDecompressor().decompressobj().decompress(packed)
    if form == "programjson":  # its digest covers the request too
        plain, back = (text.rpartition(b'"document"')[0] for text in (plain, back))
    assert back == plain and len(packed) < len(plain)
    assert (packed_name, packed_type) == (f"{name}.{suffix}", media_type)
    assert made(demo_file, format=form, compress=how)[0] == packed


def test_by_the_files_name_and_by_address(demo_file: Path, tmp_path: Path) -> None:
    words = ["client", str(demo_file), ANNA, "-o", str(tmp_path / "anna.json.gz")]
    done = CliRunner().invoke(program_export, words)
    assert done.exit_code == 0, done.output
    assert gzip.decompress((tmp_path / "anna.json.gz").read_bytes()).endswith(b'"complete":true}}\n')


async def test_over_http(demo_file: Path) -> None:
    path = f"/practice/clients/{ANNA}.programjson?_export_compress=gzip"
    answer = await make_datasette(demo_file).client.get(path)
    assert answer.headers["content-type"] == "application/gzip" and "content-encoding" not in answer.headers
    assert gzip.decompress(answer.content).endswith(b'"complete":true}}\n')
    assert '.json.gz"' in answer.headers["content-disposition"]


def test_a_zip_is_not_compressed_once_more(demo_file: Path) -> None:
    for request in ({"format": "package"}, {"format": "csv", "cascade": True}):
        with pytest.raises(UnsupportedError, match="compressed already"):
            made(demo_file, compress="gzip", **request)


def test_what_is_missing_is_said(demo_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "zstandard", None)
    with pytest.raises(UnsupportedError, match=r"pip install datasette-program-export\[zstd\]"):
        made(demo_file, compress="zstd")

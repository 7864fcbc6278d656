"""A format of the tests: csv with a pipe between its fields. It is ``formats/csv/tsv.py`` with other words."""

from __future__ import annotations

from datasette_program_export.formats.csv.reading import csv_member
from datasette_program_export.formats.csv.writing import table_encoder
from datasette_program_export.formats.registry import Format

FORMAT = Format(
    name="pipes",
    help="Like csv, with a pipe between the fields.",
    extension="psv",
    media_type="text/x-pipes; charset=utf-8",
    lossless=False,
    self_verifying=False,
    described=True,
    encode_table=table_encoder("|"),
    delimiter="|",
    good_for="those who like pipes",
    member=csv_member("pipes between the fields, UTF-8"),
)

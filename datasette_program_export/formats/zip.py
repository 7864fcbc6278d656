"""zip: a csv file per table, always in an archive, with a description of them."""

from __future__ import annotations

from . import Format
from .csv import table_encoder

FORMAT = Format(
    name="zip",
    help="A zip with one plain table (csv) for each table, and a description of them.",
    extension="zip",
    media_type="application/zip",
    lossless=False,
    self_verifying=False,
    encode_table=table_encoder(","),
    delimiter=",",
    archived=True,
    member_extension="csv",
)

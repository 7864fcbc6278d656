"""tsv: csv with a tab between fields."""

from __future__ import annotations

from ..registry import Format
from .reading import csv_member
from .writing import table_encoder

FORMAT = Format(
    name="tsv",
    help="Like csv, with a tab between the fields.",
    extension="tsv",
    media_type="text/tab-separated-values; charset=utf-8",
    lossless=False,
    self_verifying=False,
    described=True,
    encode_table=table_encoder("\t"),
    delimiter="\t",
    good_for="pasting into other programs",
    member=csv_member("tabs between the fields, UTF-8"),
)

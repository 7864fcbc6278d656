"""Text columns that hold paths of files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence, Set
from typing import Any

from ...database.schema import Table
from ...files.rooted.walking import parts_of
from ..names import singular, words_of
from ..proposal import Found

FOLDER = "/the/folder/of/these/files"
_NAMES = (
    "path", "file", "filename", "photo", "picture", "image", "img", "attachment", "avatar", "document", "scan", "logo",
    "thumbnail", "upload", "portrait", "datei", "pfad", "bild", "foto", "anhang",
)  # fmt: skip
_NAMES_ALONE = ("path", "filename", "attachment", "pfad", "anhang")  # without a look at the values
_OF_FILES = re.compile(
    r"jpe?g|png|gif|webp|svg|heic|avif|tiff?|bmp|pdf|docx?|od[tsp]|xlsx?|pptx?|csv|txt|md|rtf|mp3|m4a|wav|ogg|flac|mp4"
    r"|mov|avi|mkv|webm|zip|html?|eml|ics|vcf|epub"
)
_LONGEST = 5  # characters of an extension


def find_paths(table: Table, values: Mapping[str, Sequence[Any]], secret: Set[str], rows: bool) -> Iterator[Found]:
    """Yield the columns whose values all look like paths of files; by name, where no row is looked at.

    None is written as a setting: only people know the folder."""
    for column in table.visible_columns:
        if column.name in secret or column.generated or column.affinity not in ("TEXT", "BLOB", "NUMERIC"):
            continue
        words = set(map(singular, words_of(column.name)))
        texts = [v for v in values.get(column.name, ()) if v not in (None, "")]
        why = None
        if texts and all(map(_looks_like_a_path, texts)):
            if words & set(_NAMES) or all(_names_a_file(text) for text in texts):
                why = "every value that was looked at looks like a file's path"
        elif not texts and not rows and words & set(_NAMES_ALONE):
            why = "its name says that it holds files"
        if why is not None:
            told = f"{why}; where are they?"
            yield Found(setting="files", table=table.name, value={column.name: FOLDER}, why=told, written=False)


def _looks_like_a_path(text: Any) -> bool:
    return isinstance(text, str) and parts_of(text) is not None and 0 < len(_extension(text)) <= _LONGEST


def _names_a_file(text: str) -> bool:
    return " " not in text and _OF_FILES.fullmatch(_extension(text)) is not None


def _extension(text: str) -> str:
    extension = text.rpartition("/")[2].rpartition(".")[2] if "." in text.rpartition("/")[2].strip(".") else ""
    plain = extension.isascii() and extension.isalnum() and not extension.isdigit()
    return extension.lower() if plain else ""

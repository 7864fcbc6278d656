"""xml, version 1: one document with a schema of its own (``program-export.xsd``) that says that it is complete.

Its elements in order: export, schema, a table each, coverage, integrity. The descriptions are JSON, as in programjson;
a row has an element for each value, called after its storage class. ``docs/xml.md`` describes the format.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...dataset import Dataset, TableStream
from ...description.parsing import dumped
from ...document import proving_itself
from ...registry import Format, Options
from .form import DECLARATION, NAMESPACE, ROOT, VERSION, Cells, attribute, end, json_element
from .reading import decode

_ROWS = 200  # in a piece


def encode(dataset: Dataset, options: Options) -> Iterator[bytes]:
    """Yield the document in pieces of a few kilobytes."""
    yield from proving_itself(_body(dataset), dataset, options.beside, end)


def _body(dataset: Dataset) -> Iterator[bytes]:
    """Yield every byte before ``<integrity``."""
    yield f'{DECLARATION}<{ROOT} xmlns="{NAMESPACE}" version="{VERSION}">\n'.encode()
    yield json_element("export", dataset.head)
    yield json_element("schema", dumped(dataset.schema))
    for table in dataset.tables:
        columns = (f"<column{attribute('name', f.name)}{attribute('type', f.type)}/>\n" for f in table.fields)
        yield f"<table{attribute('name', table.name)}>\n{''.join(columns)}".encode()
        yield from _rows(table)
        yield b"</table>\n"
    yield json_element("coverage", dumped(dataset.coverage()))


def _rows(table: TableStream) -> Iterator[bytes]:
    cells = [Cells(field.name) for field in table.fields]
    for batch in table.batches:
        for first in range(0, len(batch), _ROWS):
            columns = [write(values) for write, values in zip(cells, zip(*batch[first : first + _ROWS]))]
            rows = "</row>\n<row>".join(map("".join, zip(*columns)))
            yield f"<row>{rows}</row>\n".encode()


FORMAT = Format(
    name="xml",
    help="Everything in one XML file; it says what it holds and that it is complete.",
    extension="xml",
    media_type="application/xml",
    lossless=True,
    self_verifying=True,
    encode=encode,
    decode=decode,
    good_for="programs that read XML, and for loading it again",
    beginnings=(f"{DECLARATION}<{ROOT} ".encode(),),
    ending="xml",
)

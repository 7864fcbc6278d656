"""How a dossier begins and ends, and where the machine's copy lies in it: the marks that its reader looks for."""

from __future__ import annotations

BEGINNING = b'<!doctype html>\n<html data-program-export="dossier" lang="'
COPY_KINDS = ("gzip", "zip")  # what the machine's copy can be
COPY_ENDS = b"</script>\n"
_END = (
    '<script type="application/json" id="program-export-end">{{"document":"{}","complete":true}}</script>\n'
    "</body>\n</html>\n"
)


def copy_begins(kind: str) -> bytes:
    """Return the line before a machine's copy of a kind."""
    return f'<script type="application/{kind};base64" id="program-export-copy">\n'.encode()


def end(digest: str) -> bytes:
    """Return the last bytes: ``digest`` is the SHA-256 of every byte before them."""
    return _END.format(digest).encode()


END_BYTES = len(end("0" * 64))

"""How a dossier begins and ends, and where the machine's copy lies in it: the marks that its reader looks for."""

from __future__ import annotations

BEGINNING = b'<!doctype html>\n<html data-program-export="dossier" lang="'
COPY_BEGINS = b'<script type="application/gzip;base64" id="program-export-copy">\n'
COPY_ENDS = b"</script>\n"
_END = (
    '<script type="application/json" id="program-export-end">{{"document":"{}","complete":true}}</script>\n'
    "</body>\n</html>\n"
)


def end(digest: str) -> bytes:
    """Return the last bytes: ``digest`` is the SHA-256 of every byte before them."""
    return _END.format(digest).encode()


END_BYTES = len(end("0" * 64))

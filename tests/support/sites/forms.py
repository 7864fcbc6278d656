"""Forms with a file, and a request whose body comes in pieces."""

from __future__ import annotations


def form(*parts: tuple[str, bytes], boundary: bytes = b"x" * 20) -> bytes:
    begun = [b"--%s\r\ncontent-disposition: form-data; %s\r\n\r\n%s\r\n" % (boundary, d.encode(), c) for d, c in parts]
    return b"".join(begun) + b"--%s--\r\n" % boundary


class Sender:
    """A request whose body comes in pieces; ``seen`` is called before each."""

    def __init__(self, pieces, seen=lambda: None, leaves: bool = False) -> None:
        self.headers = {"content-type": "multipart/form-data; boundary=" + "x" * 20}
        self._messages = [{"type": "http.request", "body": p, "more_body": True} for p in pieces]
        self._messages.append({"type": "http.disconnect"} if leaves else {"type": "http.request"})
        self._seen = seen

    async def receive(self) -> dict:
        self._seen()
        return self._messages.pop(0)

    @property
    def unread(self) -> int:
        return len(self._messages)

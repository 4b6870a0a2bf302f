"""The body of a one-click request.

https://www.rfc-editor.org/rfc/rfc8058#section-3.2
It is read last, after the token has held: reading what anybody sent is work for them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from urllib.parse import parse_qsl

from handlers.webhooks.provider import Request

_MARKER = ("List-Unsubscribe", "One-Click")
#: Bytes of a body, and what is looked at in it. The marker is the only part of a genuine one.
_LARGEST_BODY = 64 * 1024
_MOST_PARTS = 16
_LARGEST_HEAD = 1_024
#: RFC 2046: at most 70 characters.
_BOUNDARY = re.compile(r';[ \t]*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))', re.IGNORECASE)
_NAME = re.compile(rb'^content-disposition:[^\n]*;[ \t]*name="?([^";\n]*)', re.IGNORECASE | re.M)


def has_marker(request: Request) -> bool:
    """Whether the body says that it is a click: urlencoded or multipart, as RFC 8058 has both.

    A line break or a space around the words does not matter: some clients end the body with one.
    """
    if len(request.body) > _LARGEST_BODY:
        return False
    multipart = request.media_type == "multipart/form-data"
    pairs = _parts(request) if multipart else _pairs(request.body)
    return any((name.strip(), value.strip()) == _MARKER for name, value in pairs)


def _pairs(body: bytes) -> Sequence[tuple[str, str]]:
    try:
        return parse_qsl(body.decode("utf-8", "replace"), True, max_num_fields=_MOST_PARTS)
    except ValueError:
        return ()


def _parts(request: Request) -> Iterator[tuple[str, str]]:
    """The fields of a multipart form (RFC 7578), read in one pass. What is nested in a part is its
    text, and no part of its own."""
    found = _BOUNDARY.search(request.header("content-type")[:_LARGEST_HEAD])
    if found is None:
        return
    border = b"\n--" + (found[1] or found[2]).encode("utf-8", "replace")
    body = b"\n" + request.body.replace(b"\r\n", b"\n")
    for part in body.split(border, _MOST_PARTS + 1)[1 : _MOST_PARTS + 1]:
        if part.startswith(b"--"):  # the end
            return
        head, _, content = part.partition(b"\n\n")
        name = _NAME.search(head[:_LARGEST_HEAD])
        if name is not None:
            yield name[1].decode("utf-8", "replace"), content.decode("utf-8", "replace")

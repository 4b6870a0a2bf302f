"""JSON with characters that no storage takes: they become U+FFFD, and the rest is read.

No opt-out is refused for a bad character beside it (rules.md §2a).
"""

from __future__ import annotations

import re

#: A pair of surrogates, a lone one, or any other escape, so that `\\\\ud800` is not taken for one.
_ESCAPE = re.compile(
    r"(?P<pair>\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})"
    r"|(?P<lone>\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\.",
    re.DOTALL,
)


def mended(body: bytes) -> bytes:
    """The body as UTF-8 without invalid bytes and lone surrogates."""
    text = body.decode("utf-8-sig", "replace")
    return _ESCAPE.sub(lambda found: r"\ufffd" if found["lone"] else found[0], text).encode()

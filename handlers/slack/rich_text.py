"""What somebody typed or pasted into a rich text input, as plain lines.

https://docs.slack.dev/reference/block-kit/blocks/rich-text-block
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

#: Elements of these kinds are lines of their own.
_LINES = frozenset({"rich_text_section", "rich_text_preformatted", "rich_text_quote"})


def lines(value: object) -> list[str]:
    """The text line by line. Of a link its address counts where that is one of mail or phone."""
    return "".join(_texts(value)).splitlines()


def _texts(element: object) -> Iterator[str]:
    if not isinstance(element, dict):
        return
    if element.get("type") == "link":
        yield _address(element)
    elif isinstance(text := element.get("text"), str):
        yield text
    for inner in _inner(element):
        yield from _texts(inner)
    if element.get("type") in _LINES:
        yield "\n"


def _inner(element: dict[str, Any]) -> list[Any]:
    inner = element.get("elements")
    return inner if isinstance(inner, list) else []


def _address(link: dict[str, Any]) -> str:
    url = str(link.get("url") or "")
    for scheme in ("mailto:", "tel:"):
        if url.startswith(scheme):
            return url.removeprefix(scheme)
    return str(link.get("text") or url)

"""What a message says, in sentences: Slack reads a message's `text` to people who use a screen
reader, and shows it in notifications. It shows nothing of the blocks there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from handlers.slack.blocks.formatting import Block

#: Our own emphasis. Marks in other people's words are look-alikes already (`formatting.inert`).
_EMPHASIS = re.compile(r"(?<![\w*])\*([^*\n]+)\*(?![\w*])|(?<![\w_])_([^_\n]+)_(?![\w_])")


def spoken(blocks: Iterable[Block]) -> str:
    """Every line of these blocks, and of their tables, lists and charts what stands there as text;
    buttons are read out by themselves."""
    return "\n".join(line for block in blocks for line in _lines(block))


def _lines(block: Block) -> Iterator[str]:
    texts = [block.get("text"), *_listed(block.get("fields")), *_listed(block.get("elements"))]
    if block.get("type") == "actions":
        return
    for text in texts:
        said = text.get("text") if isinstance(text, dict) else None
        if isinstance(said, str) and said:
            yield _EMPHASIS.sub(lambda found: found[1] or found[2], said)


def _listed(value: object) -> list[object]:
    return list(value) if isinstance(value, list) else []

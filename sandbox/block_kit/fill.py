"""What Slack adds to blocks that it takes: the ids and flags that were left out."""

import copy
import secrets
from typing import Any

from sandbox.block_kit.places import PLACES

_INTERACTIVE = set().union(
    *(PLACES[place] for place in ("actions", "section", "input", "context_actions"))
) - {"image"}


def filled(blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A copy with block ids, action ids and text flags, as it comes back in payloads."""
    blocks = copy.deepcopy(blocks)
    for block in blocks:
        if not block.get("block_id"):
            block["block_id"] = secrets.token_urlsafe(4)
        _fill(block)
    return blocks


def _fill(node: Any) -> None:
    if isinstance(node, list):
        for item in node:
            _fill(item)
    elif isinstance(node, dict):
        kind = node.get("type")
        if kind == "plain_text":
            node.setdefault("emoji", True)
        elif kind == "mrkdwn":
            node.setdefault("verbatim", False)
        elif kind in _INTERACTIVE and not node.get("action_id"):
            node["action_id"] = secrets.token_urlsafe(4)
        for value in node.values():
            _fill(value)

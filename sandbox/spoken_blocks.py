"""Blocks as one reads them aloud, top to bottom: for tests, for search, for screen readers."""

from collections.abc import Iterator
from typing import Any

from sandbox import mrkdwn
from sandbox.mrkdwn import Names
from sandbox.workspace_state import Message, View, World


def read_message(world: World, message: Message, zone: str) -> str:
    """What `message` shows; its own text only where it has no blocks."""
    parts = list(_blocks(message.blocks, world.name_of, zone))
    if not message.blocks:
        parts.append(mrkdwn.plain(message.text, world.name_of, zone))
    for attachment in message.attachments:
        parts.extend(_blocks(attachment.get("blocks") or [], world.name_of, zone))
    parts.extend(str(file["title"]) for file in message.files)
    return "\n".join(part for part in parts if part)


def read_view(world: World, view: View, zone: str) -> str:
    title = view.body["title"]["text"] if view.body["title"] else ""
    parts = [title, *_blocks(view.blocks, world.name_of, zone), *view.errors.values()]
    parts.extend(view.body[name]["text"] for name in ("submit", "close") if view.body[name])
    return "\n".join(part for part in parts if part)


def _blocks(node: Any, names: Names, zone: str) -> Iterator[str]:
    """In the order of the keys below, which is the order on the screen."""
    if isinstance(node, list):
        for item in node:
            yield from _blocks(item, names, zone)
    elif isinstance(node, dict):
        kind = node.get("type")
        if kind == "mrkdwn":
            yield mrkdwn.plain(node["text"], names, zone)
        elif kind == "plain_text":
            yield mrkdwn.unescape(mrkdwn.with_emoji(node["text"]))
        elif kind in ("rich_text_section", "rich_text_quote", "rich_text_preformatted"):
            yield "".join(_rich(item, names) for item in node["elements"])
        elif kind == "image":
            yield node.get("alt_text", "")
        elif isinstance(node.get("text"), str):
            yield node["text"]
        else:
            for key in _ORDER:
                yield from _blocks(_shown(node, key), names, zone)


_ORDER = (
    "title", "subtitle", "label", "text", "body", "fields", "elements", "element", "accessory",
    "initial_option", "initial_options", "initial_value", "placeholder", "options",
    "option_groups", "description", "hint", "rows", "child_blocks", "actions", "subtext", "chart",
    "segments", "series", "data",
)  # fmt: skip


def _shown(node: dict[str, Any], key: str) -> Any:
    value = node.get(key)
    if isinstance(value, str) and key in ("title", "label", "initial_value", "description"):
        return {"type": "plain_text", "text": value}
    return value


def _rich(node: dict[str, Any], names: Names) -> str:
    kind = node.get("type")
    if kind == "user":
        return f"@{names(node['user_id']) or node['user_id']}"
    if kind == "channel":
        return f"#{names(node['channel_id']) or node['channel_id']}"
    if kind == "emoji":
        return mrkdwn.with_emoji(f":{node['name']}:")
    return str(node.get("text") or node.get("url") or node.get("range") or "")

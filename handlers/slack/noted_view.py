"""A modal with a note in it: for what has to be said where no other modal fits on top.

Slack stacks three modals at most.
https://docs.slack.dev/surfaces/modals/#view_stack
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from slack_sdk import WebClient

from handlers.slack.blocks.formatting import Block, section
from handlers.slack.response_url import SLACK_FAILED

logger = logging.getLogger(__name__)

#: How the ids of the blocks of a note begin.
_NOTE = "note."
#: By type of element: the field with its value, and the field with its initial value.
_HOLD = {
    "plain_text_input": ("value", "initial_value"),
    "static_select": ("selected_option", "initial_option"),
    "external_select": ("selected_option", "initial_option"),
    "datepicker": ("selected_date", "initial_date"),
    "datetimepicker": ("selected_date_time", "initial_date_time"),
}


def noted(view: Any, note: Sequence[Block], *, below: str = "") -> dict[str, Any]:
    """The same modal, with what the person typed, and with the note below that block; on top
    without one. An earlier note goes."""
    kept = ("type", "callback_id", "title", "submit", "close", "private_metadata")
    typed = (view.get("state") or {}).get("values") or {}
    blocks = [
        _as_typed(block, typed.get(str(block.get("block_id"))) or {})
        for block in view.get("blocks") or ()
        if isinstance(block, dict) and not str(block.get("block_id")).startswith(_NOTE)
    ]
    ids = [block.get("block_id") for block in blocks]
    place = ids.index(below) + 1 if below and below in ids else 0
    named = [block | {"block_id": f"{_NOTE}{number}"} for number, block in enumerate(note)]
    shown = [*blocks[:place], *named, *blocks[place:]]
    return {name: view[name] for name in kept if view.get(name)} | {"blocks": shown}


def note_below(client: WebClient, body: dict[str, Any], text: str) -> bool:
    """Says it in the modal that was pressed in, below the pressed button. `text` is mrkdwn. False
    where Slack does not take it."""
    view = body.get("view")
    if not isinstance(view, dict) or not view.get("id") or view.get("type") == "home":
        return False
    try:
        again = noted(view, [section(text)], below=pressed_block(body))
        client.views_update(view_id=view["id"], view=again)
    except SLACK_FAILED as failed:
        logger.info("a note did not get into its modal: %s", type(failed).__name__)
        return False
    return True


def pressed_block(body: dict[str, Any]) -> str:
    """The id of the block that was pressed in."""
    for action in body.get("actions") or ():
        if isinstance(action, dict):
            return str(action.get("block_id") or "")
    return ""


def _as_typed(block: dict[str, Any], typed: dict[str, Any]) -> dict[str, Any]:
    element = block.get("element")
    if not isinstance(element, dict) or element.get("type") not in _HOLD:
        return block
    holds, initial = _HOLD[element["type"]]
    value = (typed.get(str(element.get("action_id"))) or {}).get(holds)
    bare = {name: kept for name, kept in element.items() if name != initial}
    return block | {"element": bare | ({initial: value} if value else {})}

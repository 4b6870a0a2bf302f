"""What came with a click, and the two ways to answer one: a modal, or a private sentence."""

from __future__ import annotations

from typing import Any

from slack_sdk import WebClient

from handlers.slack import ids
from handlers.slack.blocks.frame import View
from handlers.slack.blocks.modals import message_modal
from handlers.slack.reply import reply

Body = dict[str, Any]


def pressed(body: Body) -> dict[str, Any]:
    """The action."""
    action: dict[str, Any] = body["actions"][0]
    return action


def value(body: Body) -> str:
    """The button's value."""
    return str(pressed(body).get("value", ""))


def pointer(body: Body) -> ids.Pointer:
    """What the button points at. Raises `Invalid` for what we never wrote."""
    return ids.Pointer.read(pressed(body).get("value"))


def url(body: Body) -> str:
    """Where the message that was clicked can be answered; empty in a modal."""
    return str(body.get("response_url") or "")


def show(client: WebClient, body: Body, modal: View) -> None:
    """On top of the modal that was pressed in, or as the first one."""
    opens = client.views_push if "view" in body else client.views_open
    opens(trigger_id=body["trigger_id"], view=modal)


def say(client: WebClient, body: Body, text: str) -> None:
    """In private: below the message, or on top of the modal. `text` is mrkdwn."""
    if "view" in body:
        show(client, body, message_modal("Optin", text, markup=True))
    else:
        reply(client, url(body), text)

"""Answers to a command or a click: in the acknowledgement, or later through the response_url.

https://docs.slack.dev/interactivity/handling-user-interaction/#message_responses
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sandbox.block_kit.check import check_blocks
from sandbox.block_kit.limits import total
from sandbox.first_workspace import BOT_USER, TEAM
from sandbox.sandbox_errors import ApiRefused
from sandbox.workspace_state import Message, World

USES: Final = 5
LIFETIME: Final = timedelta(minutes=30)
EPHEMERAL_BYTES: Final = total("message", "ephemeral message", "text")


@dataclass(slots=True, kw_only=True)
class WebResponse:
    """Where the answers to one command or click go. `message` is the one that was clicked in."""

    person: str
    channel: str
    at: datetime
    message: Message | None = None
    uses: int = 0


class Replies:
    """The response_urls that are out."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.base = ""
        self._open: dict[str, WebResponse] = {}

    def url(self, kind: str, reply: WebResponse) -> str:
        key = f"{len(self._open) + 1}/{secrets.token_hex(12)}"
        self._open[key] = reply
        return f"{self.base}/{kind}/{TEAM}/{key}"

    def use(self, key: str, body: Any) -> None:
        """Raises Refused: expired_url, used_url, or what is wrong with the message."""
        reply = self._open.get(key)
        if reply is None or self.world.clock() - reply.at > LIFETIME:
            raise ApiRefused("expired_url")
        if reply.uses >= USES:
            raise ApiRefused("used_url")
        answer(self.world, reply, body)
        reply.uses += 1


def answer(world: World, reply: WebResponse, body: Any) -> None:
    """Does what the answer says. Raises Refused, having changed nothing."""
    if not isinstance(body, dict):
        raise ApiRefused("invalid_payload")
    original = reply.message
    if body.get("delete_original"):
        if original is None:
            raise ApiRefused("message_not_found")
        world.remove(original)
        return
    text, blocks = checked_message(body)
    private = body.get("response_type", "ephemeral") != "in_channel"
    if private and len(text.encode()) > EPHEMERAL_BYTES:
        raise ApiRefused("msg_too_long")
    if body.get("replace_original") and original is not None:
        if original.ts not in world.messages[original.channel]:
            raise ApiRefused("message_not_found")
        world.rewrite(original, text, blocks)
        return
    world.post(
        reply.channel,
        BOT_USER,
        text,
        blocks,
        only_for=reply.person if private else None,
        thread_ts=body.get("thread_ts"),
        attachments=body.get("attachments") or [],
    )


def checked_message(body: dict[str, Any]) -> tuple[str, list[dict[str, Any]]]:
    """The text and blocks of a message. Raises Refused."""
    text, blocks = body.get("text") or "", body.get("blocks") or []
    attachments = body.get("attachments") or []
    if problems := check_blocks(blocks):
        raise ApiRefused("invalid_blocks", problems)
    if not isinstance(attachments, list):
        raise ApiRefused(
            "invalid_arguments", ["[ERROR] must be an array [json-pointer:/attachments]"]
        )
    if len(attachments) > total("message", "message", "attachments"):
        raise ApiRefused("too_many_attachments")
    for index, attachment in enumerate(attachments):
        inside = attachment.get("blocks") if isinstance(attachment, dict) else None
        if inside and (problems := check_blocks(inside, at=f"/attachments/{index}/blocks")):
            raise ApiRefused("invalid_attachments", problems)
    if not isinstance(text, str):
        raise ApiRefused("invalid_arguments", ["[ERROR] must be a string [json-pointer:/text]"])
    if not text.strip() and not blocks and not attachments:
        raise ApiRefused("no_text")
    return text, blocks

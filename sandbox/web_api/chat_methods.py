"""chat.* and reactions.add."""

import json
from typing import Any, Final

from sandbox.block_kit.limits import total
from sandbox.delivery.payloads import describe_message
from sandbox.first_workspace import BOT_USER, SlackChannel
from sandbox.responses import EPHEMERAL_BYTES, checked_message
from sandbox.sandbox_errors import ApiRefused
from sandbox.web_api.call import ApiCall
from sandbox.workspace_state import Message

LONGEST: Final = total("message", "message", "text")
LONGEST_MARKDOWN: Final = total("message", "message", "markdown_text")
LARGEST_METADATA: Final = 16_000


def post_message(call: ApiCall) -> dict[str, Any]:
    channel = _open_channel(call)
    message = call.world.post(
        channel.id,
        BOT_USER,
        *_said(call),
        thread_ts=_thread(call, channel),
        metadata=_metadata(call),
        attachments=call.json("attachments") or [],
    )
    return _posted(message)


def update(call: ApiCall) -> dict[str, Any]:
    channel = call.joined_channel()
    message = _own_message(call, "cant_update_message")
    given = {name: call.json(name) for name in ("blocks", "attachments")}
    text = call.optional("text")
    if text is None and all(value is None for value in given.values()):
        raise ApiRefused("no_text")
    if text is not None and len(text) > LONGEST:
        raise ApiRefused("msg_too_long")
    checked_message({**given, "text": text or message.text})
    if "metadata" in call.args:
        message.metadata = _metadata(call)
    if given["attachments"] is not None:
        message.attachments = given["attachments"]
    # Blocks that are not sent stay as they are; an empty list takes them away.
    call.world.rewrite(message, text, given["blocks"])
    return {
        "channel": channel.id,
        "ts": message.ts,
        "text": message.text,
        "message": describe_message(message),
    }


def delete(call: ApiCall) -> dict[str, Any]:
    channel = call.joined_channel()
    message = _own_message(call, "cant_delete_message")
    call.world.remove(message)
    return {"channel": channel.id, "ts": message.ts}


def post_ephemeral(call: ApiCall) -> dict[str, Any]:
    channel = _open_channel(call)
    person = call.world.people.get(call.text("user"))
    if person is None or person.id not in channel.members:
        raise ApiRefused("user_not_in_channel")
    text, blocks = _said(call)
    if len(text.encode()) > EPHEMERAL_BYTES:
        raise ApiRefused("msg_too_long")
    message = call.world.post(
        channel.id,
        BOT_USER,
        text,
        blocks,
        only_for=person.id,
        thread_ts=call.optional("thread_ts"),
        attachments=call.json("attachments") or [],
    )
    return {"message_ts": message.ts}


def add_reaction(call: ApiCall) -> dict[str, Any]:
    channel = call.joined_channel()
    message = call.message(call.text("timestamp"))
    users = message.reactions.setdefault(call.text("name").strip(":"), [])
    if BOT_USER in users:
        raise ApiRefused("already_reacted")
    users.append(BOT_USER)
    call.world.changed("message", channel=channel.id, ts=message.ts, person=None)
    return {}


def _open_channel(call: ApiCall) -> SlackChannel:
    channel = call.reachable_channel()
    if channel.archived:
        raise ApiRefused("is_archived")
    public = channel.person is None and "chat:write.public" in call.scopes
    if BOT_USER not in channel.members and not public:
        raise ApiRefused("not_in_channel")
    return channel


def _said(call: ApiCall) -> tuple[str, list[dict[str, Any]]]:
    markdown = call.optional("markdown_text")
    if markdown:
        if call.args.get("text") or call.args.get("blocks"):
            raise ApiRefused("markdown_text_conflict")
        if len(markdown) > LONGEST_MARKDOWN:
            raise ApiRefused("msg_too_long")
        return markdown, [{"type": "markdown", "text": markdown}]
    text, blocks = checked_message(
        {
            "text": call.args.get("text"),
            "blocks": call.json("blocks"),
            "attachments": call.json("attachments"),
        }
    )
    return text[:LONGEST], blocks


def _own_message(call: ApiCall, refusal: str) -> Message:
    message = call.message(call.text("ts"))
    if message.user != BOT_USER:
        raise ApiRefused(refusal)
    return message


def _thread(call: ApiCall, channel: SlackChannel) -> str | None:
    ts = call.optional("thread_ts")
    if ts and ts not in call.world.messages[channel.id]:
        raise ApiRefused("thread_not_found")
    return ts


def _metadata(call: ApiCall) -> dict[str, Any] | None:
    metadata = call.json("metadata")
    if metadata is None:
        return None
    if not isinstance(metadata, dict) or not isinstance(metadata.get("event_type"), str):
        raise ApiRefused("invalid_metadata_format")
    if not isinstance(metadata.get("event_payload"), dict):
        raise ApiRefused("invalid_metadata_format")
    if len(json.dumps(metadata)) > LARGEST_METADATA:
        raise ApiRefused("metadata_too_large")
    return metadata


def _posted(message: Message) -> dict[str, Any]:
    return {
        "channel": message.channel,
        "ts": message.ts,
        "message": describe_message(message),
    }

"""The payloads that the app receives, with Slack's own fields.

https://docs.slack.dev/reference/interaction-payloads/
"""

import copy
import html
import re
from typing import Any, Final

from sandbox.block_kit.fields import state
from sandbox.first_workspace import (
    APP,
    APP_NAME,
    BOT,
    BOT_USER,
    TEAM,
    TEAM_DOMAIN,
    VERIFICATION_TOKEN,
    SlackChannel,
    SlackPerson,
)
from sandbox.view_stack import describe
from sandbox.workspace_state import Message, View, World

_MARKED: Final = re.compile(r"(<[^<>]+>)")


def command(
    world: World,
    person: SlackPerson,
    channel: SlackChannel,
    name: str,
    text: str,
    response_url: str,
) -> dict[str, Any]:
    return {
        "token": VERIFICATION_TOKEN,
        "team_id": person.team,
        "team_domain": TEAM_DOMAIN,
        "channel_id": channel.id,
        "channel_name": channel.name,
        "user_id": person.id,
        "user_name": person.handle,
        "command": name,
        "text": text,
        "api_app_id": APP,
        "is_enterprise_install": "false",
        "response_url": response_url,
        "trigger_id": world.new_trigger(person.id),
    }


def message_action(
    world: World,
    person: SlackPerson,
    message: Message,
    action: dict[str, Any],
    response_url: str,
) -> dict[str, Any]:
    channel = world.channels[message.channel]
    payload = {
        "type": "block_actions",
        "user": user(person),
        **_app(),
        "container": _message_container(message),
        "trigger_id": world.new_trigger(person.id),
        **_team(),
        "channel": {"id": channel.id, "name": channel.name},
        "message": describe_message(message),
        "state": {"values": state(message.blocks, message.values)},
        "response_url": response_url,
        "actions": [{**action, "action_ts": world.new_ts()}],
    }
    if message.only_for:  # of an ephemeral message, Slack sends only the container
        del payload["message"]
    return payload


def in_attachment(message: Message, attachment: dict[str, Any]) -> dict[str, Any]:
    """What is different about a click below a link.

    https://docs.slack.dev/apis/events-api/using-socket-mode
    """
    url = attachment["app_unfurl_url"]
    container = _message_container(message) | {
        "type": "message_attachment",
        "attachment_id": attachment["id"],
        "is_app_unfurl": True,
        "app_unfurl_url": url,
    }
    return {"container": container, "app_unfurl": copy.deepcopy(attachment)}


def view_action(
    world: World, person: SlackPerson, view: View, action: dict[str, Any]
) -> dict[str, Any]:
    return {
        "type": "block_actions",
        "user": user(person),
        **_app(),
        "container": {"type": "view", "view_id": view.id},
        "trigger_id": world.new_trigger(person.id, view.id),
        **_team(),
        "view": describe(view),
        "actions": [{**action, "action_ts": world.new_ts()}],
    }


def submission(world: World, person: SlackPerson, view: View) -> dict[str, Any]:
    return {
        "type": "view_submission",
        **_team(),
        "user": user(person),
        **_app(),
        "trigger_id": world.new_trigger(person.id, view.id),
        "view": describe(view),
        "response_urls": [],
    }


def closed(person: SlackPerson, view: View, is_cleared: bool) -> dict[str, Any]:
    return {
        "type": "view_closed",
        **_team(),
        "user": user(person),
        **_app(),
        "view": describe(view),
        "is_cleared": is_cleared,
    }


def suggestion(
    world: World,
    person: SlackPerson,
    place: View | Message,
    element: dict[str, Any],
    block_id: str,
    typed: str,
) -> dict[str, Any]:
    payload = {
        "type": "block_suggestion",
        "user": user(person),
        **_app(),
        **_team(),
        "action_id": element["action_id"],
        "block_id": block_id,
        "value": typed,
    }
    if isinstance(place, View):
        return {
            **payload,
            "container": {"type": "view", "view_id": place.id},
            "view": describe(place),
        }
    channel = world.channels[place.channel]
    return {
        **payload,
        "container": _message_container(place),
        "channel": {"id": channel.id, "name": channel.name},
        "message": describe_message(place),
    }


def global_shortcut(world: World, person: SlackPerson, callback_id: str) -> dict[str, Any]:
    return {
        "type": "shortcut",
        "action_ts": world.new_ts(),
        **_team(),
        "user": user(person),
        **_app(),
        "callback_id": callback_id,
        "trigger_id": world.new_trigger(person.id),
    }


def message_shortcut(
    world: World, person: SlackPerson, message: Message, callback_id: str, response_url: str
) -> dict[str, Any]:
    channel = world.channels[message.channel]
    return {
        "type": "message_action",
        "action_ts": world.new_ts(),
        **_team(),
        "user": user(person),
        **_app(),
        "channel": {"id": channel.id, "name": channel.name},
        "callback_id": callback_id,
        "trigger_id": world.new_trigger(person.id),
        "response_url": response_url,
        "message_ts": message.ts,
        "message": describe_message(message),
    }


def user(person: SlackPerson) -> dict[str, Any]:
    return {
        "id": person.id,
        "username": person.handle,
        "name": person.handle,
        "team_id": person.team,
    }


def describe_message(message: Message) -> dict[str, Any]:
    """A message as it stands in payloads and in conversations.history."""
    told: dict[str, Any] = {
        "user": message.user,
        "type": "message",
        "ts": message.ts,
        "text": message.text,
        "team": TEAM,
    }
    if message.user == BOT_USER:
        told |= {"bot_id": BOT, "app_id": APP, "bot_profile": _bot_profile()}
    if message.blocks:
        told["blocks"] = message.blocks
    elif message.user not in (BOT_USER, ""):  # Slack keeps what people type as rich text, too
        told["blocks"] = [rich_text(message.text)]
    if message.attachments:
        told["attachments"] = message.attachments
    if message.files:
        told |= {"files": message.files, "upload": False}
    if message.thread_ts:
        told["thread_ts"] = message.thread_ts
    if message.reactions:
        told["reactions"] = [
            {"name": name, "users": users, "count": len(users)}
            for name, users in message.reactions.items()
        ]
    if message.edited:
        told["edited"] = {"user": message.user, "ts": message.edited}
    return copy.deepcopy(told)


def rich_text(text: str) -> dict[str, Any]:
    """What somebody typed, as the rich text that Slack's composer makes of it.

    https://docs.slack.dev/reference/block-kit/blocks/rich-text-block
    """
    elements = [_element(part) for part in _MARKED.split(text) if part]
    return {
        "type": "rich_text",
        "block_id": "typed",
        "elements": [{"type": "rich_text_section", "elements": elements}],
    }


def _element(part: str) -> dict[str, Any]:
    if not _MARKED.fullmatch(part):
        return {"type": "text", "text": html.unescape(part)}
    target, _, label = part[1:-1].partition("|")
    if target.startswith("@"):
        return {"type": "user", "user_id": target[1:]}
    if target.startswith("#"):
        return {"type": "channel", "channel_id": target[1:]}
    if target.startswith("!"):
        return {"type": "broadcast", "range": target[1:]}
    link = {"type": "link", "url": target}
    return link | ({"text": html.unescape(label)} if label else {})


def _bot_profile() -> dict[str, Any]:
    return {
        "id": BOT,
        "app_id": APP,
        "user_id": BOT_USER,
        "name": APP_NAME,
        "deleted": False,
        "updated": 0,
        "team_id": TEAM,
    }


def _message_container(message: Message) -> dict[str, Any]:
    told = {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": message.channel,
        "is_ephemeral": message.only_for is not None,
    }
    return told | ({"thread_ts": message.thread_ts} if message.thread_ts else {})


def _app() -> dict[str, Any]:
    return {"api_app_id": APP, "token": VERIFICATION_TOKEN}


def _team() -> dict[str, Any]:
    return {
        "team": {"id": TEAM, "domain": TEAM_DOMAIN},
        "enterprise": None,
        "is_enterprise_install": False,
    }

"""The methods `conversations.*` of the Web API."""

from typing import Any

from sandbox.delivery.payloads import describe_message
from sandbox.first_workspace import BOT_USER, OTHER_TEAM, TEAM, SlackChannel
from sandbox.sandbox_errors import ApiRefused
from sandbox.web_api.call import ApiCall
from sandbox.workspace_state import Message


def open_(call: ApiCall) -> dict[str, Any]:
    """Direct messages with one person; groups of several are not part of this world."""
    person = call.world.people.get(call.text("users"))
    if person is None:
        raise ApiRefused("user_not_found")
    if person.deleted:
        raise ApiRefused("user_disabled")
    channel = call.world.direct(person.id)
    return {"channel": _channel(channel) if call.flag("return_im") else {"id": channel.id}}


def info(call: ApiCall) -> dict[str, Any]:
    return {"channel": _channel(call.channel())}


def list_(call: ApiCall) -> dict[str, Any]:
    wanted = call.optional("types") or "public_channel"
    found = [
        _channel(channel)
        for channel in call.world.channels.values()
        if ("im" if channel.person else "public_channel") in wanted.split(",")
        and not (call.flag("exclude_archived") and channel.archived)
    ]
    page, cursor = call.page(found)
    return {"channels": page, **cursor}


def members(call: ApiCall) -> dict[str, Any]:
    page, cursor = call.page(sorted(call.channel().members))
    return {"members": page, **cursor}


def join(call: ApiCall) -> dict[str, Any]:
    channel = call.channel()
    if channel.person:
        raise ApiRefused("method_not_supported_for_channel_type")
    if channel.archived:
        raise ApiRefused("is_archived")
    channel.members.add(BOT_USER)
    call.world.changed("channels")
    return {"channel": _channel(channel)}


def history(call: ApiCall) -> dict[str, Any]:
    """Newest first."""
    channel = call.joined_channel()
    oldest, latest = call.optional("oldest") or "0", call.optional("latest")
    inclusive = call.flag("inclusive")
    found = [
        _told(call, message)
        for message in reversed(call.world.messages[channel.id].values())
        if message.only_for is None
        and not message.thread_ts
        and _within(message.ts, oldest, latest, inclusive)
    ]
    page, cursor = call.page(found)
    return {"messages": page, "has_more": bool(cursor["response_metadata"]["next_cursor"])} | cursor


def replies(call: ApiCall) -> dict[str, Any]:
    """The first message of the thread, then its replies, oldest first."""
    channel = call.joined_channel()
    ts = call.text("ts")
    parent = call.world.messages[channel.id].get(ts)
    if parent is None or parent.only_for:
        raise ApiRefused("thread_not_found")
    found = [parent] + [
        message
        for message in call.world.messages[channel.id].values()
        if message.thread_ts == ts and message.only_for is None
    ]
    page, cursor = call.page([_told(call, message) for message in found])
    return {"messages": page, "has_more": bool(cursor["response_metadata"]["next_cursor"])} | cursor


def _within(ts: str, oldest: str, latest: str | None, inclusive: bool) -> bool:
    at, low = float(ts), float(oldest)
    high = float(latest) if latest else float("inf")
    return low <= at <= high if inclusive else low < at < high


def _told(call: ApiCall, message: Message) -> dict[str, Any]:
    told = describe_message(message)
    if message.metadata and call.flag("include_all_metadata"):
        told["metadata"] = message.metadata
    return told


def _channel(channel: SlackChannel) -> dict[str, Any]:
    if channel.person:
        return {
            "id": channel.id,
            "is_im": True,
            "is_org_shared": False,
            "context_team_id": TEAM,
            "user": channel.person,
            "is_open": True,
            "is_archived": False,
            "created": 0,
        }
    return {
        "id": channel.id,
        "name": channel.name,
        "name_normalized": channel.name,
        "is_channel": True,
        "is_group": False,
        "is_im": False,
        "is_mpim": False,
        "is_private": False,
        "is_archived": channel.archived,
        "is_general": False,
        "is_shared": channel.shared,
        "is_ext_shared": channel.shared,
        "is_org_shared": False,
        "is_pending_ext_shared": channel.pending,
        "pending_shared": [OTHER_TEAM] if channel.pending else [],
        "shared_team_ids": [TEAM, OTHER_TEAM] if channel.shared else [TEAM],
        "is_member": BOT_USER in channel.members,
        "context_team_id": TEAM,
        "topic": {"value": channel.topic, "creator": "", "last_set": 0},
        "purpose": {"value": "", "creator": "", "last_set": 0},
        "num_members": len(channel.members),
        "created": 0,
    }

"""What tests and the demo do to the workspace itself: faults, archived channels, people who go."""

from collections.abc import Callable
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox.first_workspace import BOT_USER, OTHER_TEAM, TEAM, Group, SlackChannel, SlackPerson
from sandbox.sandbox_errors import Impossible
from sandbox.workspace_context import Room
from sandbox.workspace_state import World


async def faults(request: Request) -> Response:
    """POST adds a fault, DELETE takes all away."""
    room: Room = request.app.state.room
    if request.method == "DELETE":
        room.faults.clear()
        return JSONResponse({"ok": True})
    try:
        room.faults.add(await request.json())
    except (KeyError, TypeError, ValueError) as wrong:
        return JSONResponse({"ok": False, "error": str(wrong)}, status_code=400)
    return JSONResponse({"ok": True})


async def control(request: Request) -> Response:
    """Changes the workspace as its owner could.

    For example {"do": "archive", "channel": "#support"}, {"do": "deactivate", "person": "Ana"}.
    """
    room: Room = request.app.state.room
    body = await request.json()
    do = body.get("do")
    event: dict[str, Any] | None = None
    if do in ("disconnect", "lose_acknowledgement"):
        if room.socket is None:
            raise Impossible("There is no Socket Mode here.")
        if do == "disconnect":
            await room.socket.disconnect(body.get("reason", "refresh_requested"))
        else:
            room.socket.lose_acknowledgement()
    elif do in _CHANNELS:
        channel = _channel(room.world, body)
        _CHANNELS[do](channel)
        event = {"type": _TOLD[do], "channel": channel.id, "user": BOT_USER}
    elif do in _SHARING:
        channel = _channel(room.world, body)
        event = _SHARING[do](channel)
    elif do in _PEOPLE:
        person = _person(room.world, body)
        _PEOPLE[do](person)
        event = {"type": "user_change", "user": {"id": person.id, "deleted": person.deleted}}
    elif do in ("disable_group", "enable_group"):
        group = _group(room.world, body)
        group.disabled = do == "disable_group"
        event = {"type": "subteam_updated", "subteam": {"id": group.id}}
    elif do == "set_group":
        group = _set_group(room.world, body)
        event = {"type": "subteam_members_changed", "subteam_id": group.id}
    else:
        raise Impossible(f"There is no such control as {do}.")
    room.world.changed("channels")
    if event and event["type"] in room.manifest.events:
        await room.link.event({**event, "event_ts": room.world.new_ts()})
    return JSONResponse({"ok": True})


def _archive(channel: SlackChannel) -> None:
    channel.archived = True


def _unarchive(channel: SlackChannel) -> None:
    channel.archived = False


def _deactivate(person: SlackPerson) -> None:
    person.deleted = True


def _reactivate(person: SlackPerson) -> None:
    person.deleted = False


def _make_guest(person: SlackPerson) -> None:
    person.is_guest = True


def _make_member(person: SlackPerson) -> None:
    person.is_guest = False


def _make_stranger(person: SlackPerson) -> None:
    person.team = OTHER_TEAM


def _share(channel: SlackChannel) -> dict[str, Any]:
    channel.shared, channel.pending = True, False
    return {"type": "channel_shared", "connected_team_id": OTHER_TEAM, "channel": channel.id}


def _unshare(channel: SlackChannel) -> dict[str, Any]:
    channel.shared = False
    return {
        "type": "channel_unshared",
        "previously_connected_team_id": OTHER_TEAM,
        "channel": channel.id,
        "is_ext_shared": False,
    }


def _accept_invitation(channel: SlackChannel) -> dict[str, Any]:
    channel.pending = True
    return _invitation("accepted", channel) | {"approval_required": True}


def _decline_invitation(channel: SlackChannel) -> dict[str, Any]:
    channel.pending = False
    return _invitation("declined", channel)


def _invitation(what: str, channel: SlackChannel) -> dict[str, Any]:
    return {
        "type": f"shared_channel_invite_{what}",
        "invite": {"id": "I0INVITED1", "inviting_team": {"id": TEAM}},
        "channel": {"id": channel.id, "is_private": False, "is_im": False, "name": channel.name},
        "teams_in_channel": [{"id": TEAM}],
    }


_SHARING: Final[dict[str, Callable[[SlackChannel], dict[str, Any]]]] = {
    "share": _share,
    "unshare": _unshare,
    "accept_invitation": _accept_invitation,
    "decline_invitation": _decline_invitation,
}
_CHANNELS: Final[dict[str, Callable[[SlackChannel], None]]] = {
    "archive": _archive,
    "unarchive": _unarchive,
    "remove_app": lambda channel: channel.members.discard(BOT_USER),
    "invite_app": lambda channel: channel.members.add(BOT_USER),
}
_TOLD: Final = {
    "archive": "channel_archive",
    "unarchive": "channel_unarchive",
    "remove_app": "member_left_channel",
    "invite_app": "member_joined_channel",
}
_PEOPLE: Final[dict[str, Callable[[SlackPerson], None]]] = {
    "deactivate": _deactivate,
    "reactivate": _reactivate,
    "make_guest": _make_guest,
    "make_member": _make_member,
    "make_stranger": _make_stranger,
}


def _group(world: World, body: dict[str, Any]) -> Group:
    wanted = str(body["group"]).removeprefix("@")
    group = next((g for g in world.groups.values() if wanted in (g.id, g.handle)), None)
    if group is None:
        raise Impossible(f"There is no group {wanted}.")
    return group


def _set_group(world: World, body: dict[str, Any]) -> Group:
    group = _group(world, body)
    group.people = [_person(world, {"person": name}).id for name in body["people"]]
    return group


def _channel(world: World, body: dict[str, Any]) -> SlackChannel:
    channel = world.channel(body["channel"])
    if channel is None:
        raise Impossible(f"There is no channel {body['channel']}.")
    return channel


def _person(world: World, body: dict[str, Any]) -> SlackPerson:
    person = world.person(body["person"])
    if person is None:
        raise Impossible(f"There is nobody called {body['person']}.")
    return person

"""What one person sees, as JSON for the page and for the test client."""

from dataclasses import asdict
from typing import Any

from sandbox.first_workspace import APP_NAME, BOT_USER, TEAM_NAME, SlackChannel, SlackPerson
from sandbox.newsletter.campaign import CampaignState
from sandbox.newsletter.newsletter import Newsletter
from sandbox.page_api.naming import names
from sandbox.spoken_blocks import read_message, read_view
from sandbox.view_stack import stack
from sandbox.workspace_context import Room
from sandbox.workspace_state import Message, View

INSPECTED = 60


def everything(room: Room, person: SlackPerson) -> dict[str, Any]:
    """The page of `person`, whole: what it shows when it opens."""
    world = room.world
    home = world.homes.get(person.id)
    return {
        "version": world.version,
        "team": TEAM_NAME,
        "app": {"name": APP_NAME, "user": BOT_USER, "home": room.manifest.home},
        "me": person.id,
        "people": [_person(one) for one in world.people.values()],
        "names": names(world),
        "channels": [_channel(room, person, channel) for channel in _channels(room, person)],
        "messages": [message(room, person, one) for one in world.visible(person.id)],
        "modals": [view(room, person, one) for one in stack(world, person.id)],
        "home": view(room, person, home) if home else None,
        "commands": [
            {"name": c.name, "description": c.description, "hint": c.hint}
            for c in room.manifest.commands
        ],
        "shortcuts": [
            {"name": s.name, "kind": s.kind, "callback_id": s.callback_id}
            for s in room.manifest.shortcuts
        ],
        "previews": room.links.previews(person.id),
        "steps": [asdict(step) for step in room.manifest.steps],
        "step_runs": [run.as_dict() for run in room.steps.of(person.id)],
        "tour": room.tour,
        "newsletter": _newsletter(room.newsletter),
    }


def _newsletter(newsletter: Newsletter) -> dict[str, Any] | None:
    """None where nobody is on its list."""
    if not any(newsletter.subscribers):
        return None
    return {"sent": any(one.state is CampaignState.DONE for one in newsletter.campaigns.values())}


def message(room: Room, person: SlackPerson, one: Message) -> dict[str, Any]:
    return {
        "channel": one.channel,
        "ts": one.ts,
        "user": one.user,
        "text": one.text,
        "blocks": one.blocks,
        "values": one.values,
        "attachments": one.attachments,
        "files": one.files,
        "reactions": one.reactions,
        "thread_ts": one.thread_ts,
        "edited": one.edited is not None,
        "is_ephemeral": one.only_for is not None,
        "metadata": one.metadata,
        "pings": one.pings,
        "number": one.number,
        "plain": read_message(room.world, one, person.zone),
    }


def view(room: Room, person: SlackPerson, one: View) -> dict[str, Any]:
    """`hash` changes when the app updates the view, not when the person types into it."""
    return {
        "id": one.id,
        **one.body,
        "hash": one.hash,
        "values": one.values,
        "errors": one.errors,
        "plain": read_view(room.world, one, person.zone),
    }


def lines(room: Room, after: int) -> list[dict[str, Any]]:
    """The journal's newest lines, for the inspector."""
    return [line.as_dict() for line in room.journal.after(after)]


def _channels(room: Room, person: SlackPerson) -> list[SlackChannel]:
    room.world.direct(person.id)
    return [c for c in room.world.channels.values() if person.id in c.members]


def _channel(room: Room, person: SlackPerson, channel: SlackChannel) -> dict[str, Any]:
    read = room.world.read.get((person.id, channel.id), 0)
    return {
        "id": channel.id,
        "name": channel.name,
        "topic": channel.topic,
        "archived": channel.archived,
        "direct": channel.person is not None,
        "has_app": BOT_USER in channel.members,
        "members": len(channel.members),
        "unread": sum(
            one.seen_by(person.id) and one.number > read
            for one in room.world.messages[channel.id].values()
        ),
    }


def _person(person: SlackPerson) -> dict[str, Any]:
    return {
        "id": person.id,
        "handle": person.handle,
        "name": person.name,
        "title": person.title,
        "zone": person.zone,
        "bot": person.is_bot,
        "guest": person.is_guest,
        "stranger": person.is_stranger,
        "deleted": person.deleted,
    }

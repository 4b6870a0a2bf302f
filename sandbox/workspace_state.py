"""The state of the workspace: people, channels, messages, views. One event loop owns it."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sandbox import first_workspace, mrkdwn
from sandbox.block_kit.fields import Values, initial_values
from sandbox.block_kit.fill import filled
from sandbox.first_workspace import BOT_USER, SlackChannel, SlackPerson

Clock = Callable[[], datetime]
Listener = Callable[[dict[str, Any]], None]


def system_clock() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True, kw_only=True)
class Message:
    """A message; with `only_for` an ephemeral one, seen by that person alone."""

    channel: str
    ts: str
    user: str
    text: str
    blocks: list[dict[str, Any]]
    number: int
    only_for: str | None = None
    thread_ts: str | None = None
    metadata: dict[str, Any] | None = None
    attachments: list[dict[str, Any]] = field(default_factory=list)
    files: list[dict[str, Any]] = field(default_factory=list)
    reactions: dict[str, list[str]] = field(default_factory=dict)
    edited: str | None = None
    pings: list[str] = field(default_factory=list)
    values: Values = field(default_factory=dict)

    def unfurl_with(self, block_id: str) -> dict[str, Any] | None:
        """What stands below a link and has this block."""
        for attachment in self.attachments:
            blocks = attachment["blocks"] if attachment.get("is_app_unfurl") else []
            if any(block["block_id"] == block_id for block in blocks):
                return attachment
        return None

    def seen_by(self, person: str) -> bool:
        return self.only_for in (None, person)


@dataclass(slots=True, kw_only=True)
class View:
    """A modal or an App Home, and what its person has entered into it."""

    id: str
    person: str
    body: dict[str, Any]
    hash: str
    root: str
    previous: str | None = None
    values: Values = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def blocks(self) -> list[dict[str, Any]]:
        blocks: list[dict[str, Any]] = self.body["blocks"]
        return blocks


@dataclass(slots=True, kw_only=True)
class Trigger:
    """What lets the app open one modal for a person: it holds once, and for a short time."""

    person: str
    at: datetime
    view: str | None
    used: bool = False


class World:
    """All state of one workspace. After each change, `changed` tells the pages to redraw."""

    def __init__(self, clock: Clock = system_clock) -> None:
        self.clock = clock
        self.people = {person.id: person for person in first_workspace.people()}
        self.channels = {channel.id: channel for channel in first_workspace.channels()}
        self.groups = {group.id: group for group in first_workspace.groups()}
        self.messages: dict[str, dict[str, Message]] = {id_: {} for id_ in self.channels}
        self.views: dict[str, View] = {}
        self.stacks: dict[str, list[str]] = {}
        self.homes: dict[str, View] = {}
        self.triggers: dict[str, Trigger] = {}
        self.files: dict[str, dict[str, Any]] = {}
        self.contents: dict[str, bytes] = {}
        self.read: dict[tuple[str, str], int] = {}
        self.pinged: list[dict[str, Any]] = []
        self.version = 0
        self.listeners: set[Listener] = set()
        self._ids = 0
        self._last_ts = 0

    def changed(self, what: str, **about: Any) -> None:
        """Tells everybody who looks that something is new. `person` narrows it to one."""
        self.version += 1
        for listener in list(self.listeners):
            listener({"type": what, "version": self.version, **about})

    def new_id(self, letter: str) -> str:
        self._ids += 1
        return f"{letter}0{self._ids:09d}"

    def new_ts(self) -> str:
        """A message's id: seconds and microseconds, never the same twice."""
        self._last_ts = max(int(self.clock().timestamp() * 1e6), self._last_ts + 1)
        return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06d}"

    def now(self) -> int:
        return int(self.clock().timestamp())

    # People and places

    def person(self, name: str) -> SlackPerson | None:
        """By id, handle or (first) name."""
        if name in self.people:
            return self.people[name]
        wanted = name.removeprefix("@").casefold()
        for person in self.people.values():
            names = (person.handle, person.name.casefold(), person.id.casefold())
            if wanted in names:
                return person
        return None

    def channel(self, name: str) -> SlackChannel | None:
        """By id or name, with or without "#"."""
        if name in self.channels:
            return self.channels[name]
        wanted = name.removeprefix("#")
        return next((c for c in self.channels.values() if not c.person and c.name == wanted), None)

    def direct(self, person: str) -> SlackChannel:
        """The direct messages of the app and that person, made when first asked for."""
        for channel in self.channels.values():
            if channel.person == person:
                return channel
        id_ = self.new_id("D")
        self.channels[id_] = SlackChannel(
            id=id_, name="directmessage", members={person, BOT_USER}, person=person
        )
        self.messages[id_] = {}
        self.changed("channels")
        return self.channels[id_]

    def name_of(self, id_: str) -> str | None:
        if id_ in self.people:
            return self.people[id_].handle
        if id_ in self.channels:
            return self.channels[id_].name
        return self.groups[id_].handle if id_ in self.groups else None

    # Messages

    def post(
        self,
        channel: str,
        user: str,
        text: str,
        blocks: list[dict[str, Any]] | None = None,
        **more: Any,
    ) -> Message:
        blocks = filled(blocks or [])
        self._ids += 1
        message = Message(
            channel=channel,
            ts=self.new_ts(),
            user=user,
            text=text,
            blocks=blocks,
            number=self._ids,
            pings=mrkdwn.pings(text, blocks),
            values=initial_values(blocks),
            **more,
        )
        self.messages[channel][message.ts] = message
        self._record_pings(message)
        if user in self.people and not self.people[user].is_bot:
            self.read[(user, channel)] = message.number
        self.changed("message", channel=channel, ts=message.ts, person=message.only_for)
        return message

    def rewrite(
        self, message: Message, text: str | None, blocks: list[dict[str, Any]] | None
    ) -> None:
        """Replaces what a message says; None leaves that part as it is."""
        if text is not None:
            message.text = text
        if blocks is not None:
            message.blocks = filled(blocks)
            message.values = initial_values(message.blocks)
        message.pings = mrkdwn.pings(message.text, message.blocks)
        self._record_pings(message)
        if message.only_for is None:
            message.edited = self.new_ts()
        self.changed("message", channel=message.channel, ts=message.ts, person=message.only_for)

    def remove(self, message: Message) -> None:
        self.messages[message.channel].pop(message.ts, None)
        self.changed("message", channel=message.channel, ts=message.ts, person=message.only_for)

    def visible(self, person: str) -> list[Message]:
        """Every message that the person can see, oldest first."""
        found = [
            message
            for channel in self.channels.values()
            if person in channel.members
            for message in self.messages[channel.id].values()
            if message.seen_by(person)
        ]
        return sorted(found, key=lambda message: message.number)

    def _record_pings(self, message: Message) -> None:
        """Kept when the message is gone: whoever was pinged, was."""
        for ping in message.pings if message.user == BOT_USER else ():
            self.pinged.append({"channel": message.channel, "ts": message.ts, "ping": ping})

    # Triggers

    def new_trigger(self, person: str, view: str | None = None) -> str:
        self._ids += 1
        trigger = f"{self._ids}.{self.now()}.{secrets.token_hex(16)}"
        self.triggers[trigger] = Trigger(person=person, at=self.clock(), view=view)
        return trigger

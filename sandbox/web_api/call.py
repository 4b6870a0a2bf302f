"""What every Web API method is given, and how it reads its arguments."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.delivery.socket_delivery import SocketDelivery
from sandbox.first_workspace import BOT_USER, SlackChannel, SlackPerson
from sandbox.sandbox_errors import ApiRefused
from sandbox.shared_links import SharedLinks
from sandbox.workflows.step_runs import StepRuns
from sandbox.workspace_state import Message, World

LARGEST_PAGE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiCall:
    """One call. `args` are strings where they came as a form, JSON where as JSON."""

    world: World
    args: dict[str, Any]
    base_url: str
    scopes: frozenset[str]
    #: Whether the app has a Home tab.
    home: bool
    socket: SocketDelivery | None
    links: SharedLinks
    steps: StepRuns
    token: str

    def text(self, name: str) -> str:
        """Raises Refused where the argument is missing."""
        value = self.args.get(name)
        if value is None or value == "":
            raise ApiRefused("invalid_arguments", [f"[ERROR] missing required field: {name}"])
        return str(value)

    def optional(self, name: str) -> str | None:
        value = self.args.get(name)
        return None if value in (None, "") else str(value)

    def flag(self, name: str) -> bool:
        return str(self.args.get(name, "")).lower() in ("1", "true")

    def number(self, name: str, default: int) -> int:
        try:
            return int(self.args.get(name) or default)
        except (TypeError, ValueError):
            raise ApiRefused("invalid_arguments", [f"[ERROR] must be an integer: {name}"]) from None

    def json(self, name: str) -> Any:
        """A structure: JSON's own, or JSON in a string, which a form needs. None when absent."""
        value = self.args.get(name)
        if not isinstance(value, str):
            return value
        if not value:
            return None
        try:
            return json.loads(value)
        except ValueError:
            kind = "invalid_blocks_format" if name == "blocks" else "invalid_arguments"
            raise ApiRefused(kind, [f"[ERROR] not valid JSON: {name}"]) from None

    def channel(self) -> SlackChannel:
        """By id or name. Raises Refused."""
        channel = self.world.channel(self.text("channel"))
        if channel is None:
            raise ApiRefused("channel_not_found")
        return channel

    def reachable_channel(self) -> SlackChannel:
        """For posting, a person's id will do too: it means their direct messages."""
        person = self.world.people.get(self.text("channel"))
        if person is None:
            return self.channel()
        if person.deleted:
            raise ApiRefused("user_disabled")
        return self.world.direct(person.id)

    def joined_channel(self) -> SlackChannel:
        channel = self.channel()
        if BOT_USER not in channel.members:
            raise ApiRefused("not_in_channel")
        return channel

    def person(self, name: str = "user") -> SlackPerson:
        person = self.world.people.get(self.text(name))
        if person is None:
            raise ApiRefused("user_not_found")
        return person

    def message(self, ts: str) -> Message:
        """A message of the channel that the app can see. Raises Refused."""
        message = self.world.messages[self.channel().id].get(ts)
        if message is None or message.only_for:
            raise ApiRefused("message_not_found")
        return message

    def page(self, items: list[Any], default: int = 100) -> tuple[list[Any], dict[str, Any]]:
        """The items of this page, and the part of the answer that tells where the next begins."""
        limit = self.number("limit", default)
        if not 1 <= limit <= LARGEST_PAGE:
            raise ApiRefused("invalid_limit")
        start = 0
        if cursor := self.optional("cursor"):
            try:
                start = int(urlsafe_b64decode(cursor).removeprefix(b"at:"))
            except ValueError:
                raise ApiRefused("invalid_cursor") from None
        end = start + limit
        following = urlsafe_b64encode(f"at:{end}".encode()).decode() if end < len(items) else ""
        return items[start:end], {"response_metadata": {"next_cursor": following}}


Method = Callable[[ApiCall], dict[str, Any]]

"""Everything that one running workspace holds, in one place."""

from dataclasses import dataclass, field
from typing import Any

from sandbox.delivery.app import AppLink
from sandbox.delivery.socket import SocketDelivery
from sandbox.faults import Faults
from sandbox.journal import Journal
from sandbox.manifest import Manifest
from sandbox.outside.outside import Outside
from sandbox.responses import Replies
from sandbox.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    bot: str
    app: str
    signing_secret: str


@dataclass(slots=True, kw_only=True)
class Room:
    """`base_url` is known once the server listens."""

    world: World
    journal: Journal
    faults: Faults
    replies: Replies
    link: AppLink
    tokens: Tokens
    manifest: Manifest
    socket: SocketDelivery | None
    outside: Outside
    tour: dict[str, Any] = field(default_factory=dict)
    base_url: str = ""

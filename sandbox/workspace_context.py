"""Everything that one running workspace holds, in one place."""

from dataclasses import dataclass, field
from typing import Any

from sandbox.delivery.app_link import AppLink
from sandbox.delivery.socket_delivery import SocketDelivery
from sandbox.injected_faults import Faults
from sandbox.manifest import Manifest
from sandbox.newsletter.newsletter import Newsletter
from sandbox.responses import Replies
from sandbox.shared_links import SharedLinks
from sandbox.simulated_lists.all_lists import SimulatedLists
from sandbox.simulated_providers.simulation import Simulation
from sandbox.traffic import TrafficJournal
from sandbox.workflows.step_runs import StepRuns
from sandbox.workspace_state import World


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkspaceTokens:
    """What the app and the workspace prove themselves with: two tokens and a signing secret."""

    bot: str
    app: str
    signing_secret: str


@dataclass(slots=True, kw_only=True)
class Room:
    """`base_url` is known once the server listens."""

    world: World
    journal: TrafficJournal
    faults: Faults
    replies: Replies
    links: SharedLinks
    link: AppLink
    tokens: WorkspaceTokens
    manifest: Manifest
    socket: SocketDelivery | None
    outside: Simulation
    newsletter: Newsletter
    lists: SimulatedLists
    steps: StepRuns
    tour: dict[str, Any] = field(default_factory=dict)
    base_url: str = ""

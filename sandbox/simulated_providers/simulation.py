"""The outside as a whole: who is there, and what goes on."""

from dataclasses import replace

from sandbox.sandbox_errors import Impossible
from sandbox.simulated_lists.sendgrid_lists import SimulatedSendGrid
from sandbox.simulated_providers.config import Given
from sandbox.simulated_providers.flood import MOST, Flood
from sandbox.simulated_providers.mailboxes import SimulatedMailboxes
from sandbox.simulated_providers.phones import Phones
from sandbox.simulated_providers.webhook_sender import Post
from sandbox.traffic import TrafficJournal
from sandbox.workspace_state import World


class Simulation:
    """Nobody is there before `settle`."""

    def __init__(self, world: World, journal: TrafficJournal, sendgrid: SimulatedSendGrid) -> None:
        self.post = Post(world, journal)
        self.given = Given()
        self.phones = Phones(self.given, self.post)
        self.sendgrid = sendgrid
        self.mailboxes = SimulatedMailboxes(self.given, self.post, sendgrid)
        self.flood: Flood | None = None

    async def settle(self, given: Given) -> None:
        """Begins anew with these people, senders and secrets."""
        await self.post.quiet()
        self.given = given
        self.phones = Phones(given, self.post)
        self.mailboxes = SimulatedMailboxes(given, self.post, self.sendgrid)
        self.flood = None
        self.post.changed()

    def switch(self, advanced_opt_out: bool) -> None:
        """Whether Twilio marks keywords from now on."""
        self.given = replace(self.given, advanced_opt_out=advanced_opt_out)
        self.phones.given = self.given
        self.post.changed()

    def start_flood(self, count: int, confirms: bool) -> None:
        """So many STOPs; it goes on by itself. Raises Impossible."""
        if self.flood and self.flood.running:
            raise Impossible("One flood at a time.")
        if not 1 <= count <= MOST:
            raise Impossible(f"From 1 to {MOST} STOPs.")
        if not self.given.senders:
            raise Impossible("There is nobody to text to.")
        self.flood = Flood(self.given, self.phones, count, confirms)
        self.post.later(self.flood.run(self.post))

    async def close(self) -> None:
        await self.post.close()

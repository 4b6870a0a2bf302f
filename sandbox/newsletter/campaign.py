"""One campaign: a message to everybody on the list, and what became of each copy."""

from dataclasses import dataclass, field
from enum import StrEnum

from sandbox.newsletter.mailing_list import Medium, Subscriber


class CampaignState(StrEnum):
    """How far a campaign is. FAILED: Optin gave no answer, so nothing was sent."""

    ASKING = "asking"
    SENDING = "sending"
    DONE = "done"
    FAILED = "failed"


class CopyState(StrEnum):
    """What became of the message to one subscriber."""

    WAITING = "waiting"
    SENT = "sent"
    HELD = "held"


@dataclass(slots=True, kw_only=True)
class MessageCopy:
    """`status` and `problem` are the provider's words about a message that went out."""

    subscriber: Subscriber
    state: CopyState = CopyState.WAITING
    status: str = ""
    problem: str = ""


@dataclass(slots=True, kw_only=True)
class Campaign:
    """`at` is in seconds since 1970. `problem` is a sentence where the campaign failed."""

    medium: Medium
    at: float
    copies: list[MessageCopy] = field(default_factory=list)
    state: CampaignState = CampaignState.ASKING
    problem: str = ""

    @property
    def running(self) -> bool:
        return self.state in (CampaignState.ASKING, CampaignState.SENDING)

    def count(self, state: CopyState) -> int:
        return sum(copy.state is state for copy in self.copies)

"""E-mail providers' suppression lists: what Optin knows to stand on one (rules.md §4).

A provider keeps several lists: who unsubscribed, from everything or from one group or stream; who
reported spam; which addresses bounced. Each entry is lifted by itself. Optin knows an entry by a
name such as `sendgrid/unsubscribe/asm_group:12`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Self


class Cause(StrEnum):
    """Why an address is on a provider's list."""

    UNSUBSCRIBE = "unsubscribe"
    COMPLAINT = "complaint"
    BOUNCE = "bounce"
    #: Our own side put it there.
    OURS = "ours"
    #: The provider did not say; also what was kept before Optin asked.
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One entry of one provider's suppression list."""

    #: Its id.
    provider: str
    cause: Cause = Cause.UNKNOWN
    #: The group, topic or stream, where it is of less than everything.
    scope: str = ""

    @property
    def name(self) -> str:
        """Under which a block of it is kept."""
        return "/".join(filter(None, (self.provider, self.cause, self.scope)))

    @classmethod
    def of(cls, name: str) -> Self:
        """Reads a name back; also one of a version that kept no causes."""
        provider, _, rest = name.partition("/")
        cause, _, scope = rest.partition("/")
        if cause not in {*Cause}:
            return cls(provider=name)
        return cls(provider=provider, cause=Cause(cause), scope=scope)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedAddress:
    """One entry of an e-mail provider's suppression list, as the provider tells it."""

    #: As the list spells it: some providers find an entry by this spelling alone.
    address: str
    listing: Listing
    #: Since when it stands there; None where the provider does not say.
    since: datetime | None
    #: The provider's words.
    reason: str = ""
    #: Where the provider keeps it, as its own client needs it to take the entry off: a sending
    #: domain, a stream, a group.
    place: str = ""


def why(listing: Listing) -> str:
    """Why the address is there, as half a sentence."""
    scope = f" ({listing.scope})" if listing.scope else ""
    return _WHY[listing.cause] + scope


_WHY = {
    Cause.UNSUBSCRIBE: "the contact unsubscribed",
    Cause.COMPLAINT: "the contact reported spam",
    Cause.BOUNCE: "a message bounced",
    Cause.OURS: "our own side put it there",
    Cause.UNKNOWN: "the reason is not known",
}

"""What a reply says: in law, to the carrier, and by which of its words."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Refusal(StrEnum):
    """Whether the contact refuses further messages (47 CFR 64.1200(a)(10): any wording that a
    reasonable person understands)."""

    #: An opt-out word, or the provider says so: it takes effect at once.
    KEYWORD = "keyword"
    #: In their own words: a person reads it.
    PROBABLE = "probable"
    NONE = "none"


class Blocks(StrEnum):
    """Whether the carrier or provider now holds back what this sender sends to that number."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What follows from a reply. The default is a text that changes nothing."""

    refusal: Refusal = Refusal.NONE
    block: Blocks = Blocks.NO
    #: It clears the block of this sender and number. It is no consent.
    unblock: bool = False
    #: It was meant to, and the provider matches the bare word: "start!!".
    almost_unblock: bool = False
    help: bool = False
    #: The words that made it a refusal, as they were compared; of the contact, so never logged.
    matched: tuple[str, ...] = ()

"""What a look-up gives: everything that a card shows of a contact."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bot.consent.cases import Case
from bot.consent.log.entries import Entry
from bot.consent.model import Actor, AddressFacts, Channel, Contact
from bot.consent.rules import ANY, Decision
from bot.consent.senders import Senders


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Everything that a card shows of one contact."""

    contact: Contact
    facts: Mapping[Channel, AddressFacts]
    #: The headline: the default sender's, where our senders are known.
    decisions: Mapping[Channel, Decision]
    #: SMS for every other sender of ours, by its id.
    by_sender: Mapping[str, Decision]
    #: How many others have the same phone number or mailbox.
    shared: Mapping[Channel, int]
    #: Names of some of them.
    sharing: Mapping[Channel, Sequence[str]] = field(default_factory=dict)
    #: Re-opt-ins under way.
    cases: Mapping[Channel, Case] = field(default_factory=dict)
    #: What is known of our senders.
    senders: Senders = ANY
    #: Newest first; of a contact found alone the newest, of one of several none.
    latest: Sequence[Entry] = ()
    #: Who looks, for what they may do. None in an export.
    viewer: Actor | None = None
    #: Where this person may decide the re-opt-in that is asked for.
    decidable: frozenset[Channel] = frozenset()
    #: Where the person who looks may take back their own NO now (`undo`).
    undoable: frozenset[Channel] = frozenset()
    #: By entry of a provider's list, why Optin does not take it off, where it would.
    held_up: Mapping[str, str] = field(default_factory=dict)
    #: The last entry that is no expected error and changed something; where `latest` was asked for.
    last: Entry | None = None
    #: The address of the contact's page in the CRM; None where there is none.
    crm_page: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a look-up found."""

    #: Contacts who have exactly this address or id, or whom the name fits.
    contacts: Sequence[Profile]
    #: There are more than `contacts` holds.
    more: bool = False
    #: How many are known to match, up to `MOST_HITS`.
    count: int = 0
    #: Contacts who are nearly that, when there is none.
    near: Sequence[Profile] = ()
    #: The address that was asked for, when it is one.
    phone: str | None = None
    email: str | None = None
    #: What is known of that address although nobody has it.
    facts: AddressFacts | None = None
    #: Why what was typed can't be an address, when it looks like one.
    problem: str | None = None

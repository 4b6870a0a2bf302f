"""Why not: every reason that can keep a message from a contact, its remedy and who has to act.

Each gate looks at one fact and says nothing of the others (rules.md §8.6).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.consent.alerts import NEW_OWNER
from bot.consent.model import (
    AddressFacts,
    Block,
    BlockState,
    Bounce,
    Channel,
    Consent,
    ConsentValue,
    Contact,
    LineType,
)
from bot.consent.senders import Sender, Senders
from bot.consent.storage_behind import StorageBehind
from bot.consent.suppressions import Listing, why


class Owner(StrEnum):
    """Who has to act so that a gate opens."""

    CONTACT = "contact"
    AGENT = "agent"
    MANAGER = "manager"
    OPERATOR = "operator"


class Code(StrEnum):
    """Why a contact can't be reached, as `optin status --json` names it."""

    ERASED = "erased"
    DO_NOT_CONTACT = "do_not_contact"
    NO_ADDRESS = "no_address"
    INVALID_ADDRESS = "invalid_address"
    CARRIER_BLOCK = "carrier_block"
    SUPPRESSED = "suppressed"
    OPTED_OUT = "opted_out"
    NEVER_ASKED = "never_asked"
    REVIEW_HOLD = "review_hold"
    BOUNCED = "bounced"
    COMPLAINT = "complaint"
    BLOCK_UNKNOWN = "block_unknown"
    PROBATION = "probation"
    STORAGE_BEHIND = "storage_behind"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """One reason why not: what it is, what has to happen, and who does it."""

    code: Code
    reason: str
    remedy: str
    owner: Owner
    since: datetime | None = None
    #: The number that the contact can text, or the e-mail provider, that a block is about.
    sender: str | None = None
    #: The group of numbers that it belongs to; the provider's list.
    sender_id: str | None = None
    #: Optin itself takes the address off the provider's list.
    leaving: bool = False


def do_not_contact(contact: Contact) -> list[Gate]:
    if not contact.do_not_contact:
        return []
    return [
        Gate(
            code=Code.DO_NOT_CONTACT,
            reason="Marked Do not contact: nothing is sent on any channel.",
            remedy="Take Do not contact off, if the contact wants to hear from us again.",
            owner=Owner.MANAGER,
        )
    ]


def line(contact: Contact, channel: Channel) -> list[Gate]:
    if channel is not Channel.SMS or contact.line is not LineType.LANDLINE:
        return []
    return [
        Gate(
            code=Code.INVALID_ADDRESS,
            reason="The number is a landline, which can't get texts.",
            remedy="Ask for a mobile number and put it in.",
            owner=Owner.AGENT,
        )
    ]


def carrier_blocks(facts: AddressFacts, sender: Sender | None, senders: Senders) -> list[Gate]:
    """The blocks that hold this sender back, one for each number that the contact has to text."""
    gates: dict[tuple[Code, str], Gate] = {}
    for name, block in sorted(facts.blocks.items()):
        if not senders.counts(name, block, sender):
            continue
        gate = _BY_BLOCK[block.state]
        number = senders.shown(name, block)
        words = {"sender": number, "word": senders.unblock_word(name)}
        group = senders.group_of(name)
        gates.setdefault(
            (gate.code, number),
            Gate(
                code=gate.code,
                reason=gate.reason.format_map(words),
                remedy=gate.remedy.format_map(words),
                owner=gate.owner,
                since=block.began,
                sender=number,
                sender_id=group.id if group else name,
            ),
        )
    return list(gates.values())


def suppressions(facts: AddressFacts, senders: Senders) -> list[Gate]:
    """The entries of e-mail providers' lists: nothing arrives before each of them is gone."""
    return [
        _suppression(name, block, senders)
        for name, block in sorted(facts.blocks.items())
        if not senders.is_retired(name, block)
    ]


def _suppression(name: str, block: Block, senders: Senders) -> Gate:
    listing = Listing.of(name)
    provider = senders.providers.label(listing.provider)
    unknown = block.state is BlockState.UNKNOWN
    if unknown:
        reason = f"Whether {provider} suppresses the address is not known."
        remedy = f"Look the address up at {provider}."
    else:
        reason = f"The address is on {provider}'s suppression list: {why(listing)}."
        remedy = (
            f"Take the address off {provider}'s suppression list. Then a manager records here that "
            f"it was removed at {provider}."
        )
    if block.leaving:
        remedy = f"Optin takes the address off {provider}'s suppression list."
    return Gate(
        code=Code.BLOCK_UNKNOWN if unknown else Code.SUPPRESSED,
        reason=reason,
        remedy=remedy,
        owner=Owner.OPERATOR,
        since=block.since,
        sender=listing.provider,
        sender_id=name,
        leaving=block.leaving,
    )


def consent(consent: Consent, channel: Channel) -> list[Gate]:
    if consent.on is ConsentValue.YES:
        return []
    if consent.on is ConsentValue.UNSET:
        return [NEVER_ASKED[channel]]
    if consent.refused:
        reason = f"The contact does not want {THINGS[channel]}."
        remedy = "Get the contact's new permission, with evidence; then a manager approves it."
    else:
        reason = f"We switched {channel.word} off ourselves."
        remedy = "Record new permission with evidence. It needs no approval."
    return [
        Gate(
            code=Code.OPTED_OUT,
            reason=reason,
            remedy=remedy,
            owner=Owner.MANAGER if consent.refused else Owner.AGENT,
            since=consent.since,
        )
    ]


def hold(facts: AddressFacts) -> list[Gate]:
    if facts.hold is None:
        return []
    reason = "A reply reads like a refusal and waits for a person's judgement."
    remedy = "Read the reply and say whether it was an opt-out."
    if facts.hold.text == NEW_OWNER:
        reason = "The number may have a new owner, says its provider."
        remedy = "Find out whether the contact still has the number, and answer that here."
    return [
        Gate(
            code=Code.REVIEW_HOLD,
            reason=reason,
            remedy=remedy,
            owner=Owner.AGENT,
            since=facts.hold.since,
        )
    ]


def bounce(facts: AddressFacts, channel: Channel) -> list[Gate]:
    if facts.bounce is Bounce.NO:
        return []
    if facts.bounce is Bounce.PROBATION:
        return [
            Gate(
                code=Code.PROBATION,
                reason=f"The {channel.word} bounce was cleared by hand.",
                remedy="The next message is the test: a delivery proves the address.",
                owner=Owner.AGENT,
            )
        ]
    if facts.complaint:
        return [
            Gate(
                code=Code.COMPLAINT,
                reason="The contact reported our e-mail as spam.",
                remedy="A manager decides, after the contact has asked for e-mail again.",
                owner=Owner.MANAGER,
                since=facts.bounced_at,
            )
        ]
    noun = "number" if channel is Channel.SMS else "address"
    return [
        Gate(
            code=Code.BOUNCED,
            reason=facts.bounce_reason or f"Our last message to this {noun} was rejected.",
            remedy=f"Check the {noun} with the contact: replace it if it is wrong, else clear "
            f"{channel.word} Bounce. The next message is then the test.",
            owner=Owner.AGENT,
            since=facts.bounced_at,
        )
    ]


def storage_behind(behind: StorageBehind) -> Gate:
    """Optin works with old records: an opt-out may be missing."""
    return Gate(
        code=Code.STORAGE_BEHIND,
        reason="Optin works with an older copy of its records. Newer changes are missing, and "
        "opt-outs may be among them.",
        remedy="Put the newest copy of the storage back, or confirm that it is lost: "
        "optin verify --accept-rollback. Until then nobody is texted or e-mailed.",
        owner=Owner.OPERATOR,
        since=behind.since,
    )


THINGS = {Channel.SMS: "texts", Channel.EMAIL: "e-mails"}

ERASED = Gate(
    code=Code.ERASED,
    reason="This contact was erased. Only the fact of a refusal is kept.",
    remedy="Nothing can be done. Somebody who wants to hear from us is added as a new contact.",
    owner=Owner.OPERATOR,
)

NO_ADDRESS = {
    Channel.SMS: Gate(
        code=Code.NO_ADDRESS,
        reason="There is no phone number.",
        remedy="Ask for a mobile number and put it in.",
        owner=Owner.AGENT,
    ),
    Channel.EMAIL: Gate(
        code=Code.NO_ADDRESS,
        reason="There is no e-mail address.",
        remedy="Ask for an e-mail address and put it in.",
        owner=Owner.AGENT,
    ),
}

NEVER_ASKED = {
    channel: Gate(
        code=Code.NEVER_ASKED,
        reason=f"Nobody has asked whether the contact wants {things}.",
        remedy=f"Ask the contact, then set {channel.word} On to YES with the evidence. "
        "It needs no approval.",
        owner=Owner.AGENT,
    )
    for channel, things in THINGS.items()
}

#: `{sender}` and `{word}` are filled in.
_BY_BLOCK = {
    BlockState.BLOCKED: Gate(
        code=Code.CARRIER_BLOCK,
        reason="The contact replied STOP to {sender}, and the carrier blocks it.",
        remedy="The contact texts {word} to {sender}. Nobody can do it for them.",
        owner=Owner.CONTACT,
    ),
    BlockState.UNKNOWN: Gate(
        code=Code.BLOCK_UNKNOWN,
        reason="Whether the carrier blocks {sender} is not known.",
        remedy="Ask the contact whether they texted STOP; texting {word} to {sender} settles it.",
        owner=Owner.AGENT,
    ),
}

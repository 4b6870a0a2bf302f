"""Why not: every reason that can keep a message from a contact, its remedy and who has to act.

Each gate looks at one fact and says nothing of the others (rules.md §8.6).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.consent.model import (
    AddressFacts,
    BlockState,
    Bounce,
    Channel,
    Consent,
    Contact,
    Line,
    On,
    Sender,
)


class Owner(StrEnum):
    """Who has to act so that a gate opens."""

    CONTACT = "contact"
    AGENT = "agent"
    MANAGER = "manager"
    OPERATOR = "operator"


class Code(StrEnum):
    """Why not (contract.md, gate codes)."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """One reason why not: what it is, what has to happen, and who does it."""

    code: Code
    reason: str
    remedy: str
    owner: Owner
    since: datetime | None = None
    #: The sender, or the e-mail provider, that a block is about.
    sender: str | None = None


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
    if channel is not Channel.SMS or contact.line is not Line.LANDLINE:
        return []
    return [
        Gate(
            code=Code.INVALID_ADDRESS,
            reason="The number is a landline, which can't get texts.",
            remedy="Ask for a mobile number and put it in.",
            owner=Owner.AGENT,
        )
    ]


def blocks(facts: AddressFacts, channel: Channel, sender: Sender | None) -> list[Gate]:
    gates = []
    for name, block in sorted(facts.blocks.items()):
        if channel is Channel.SMS and sender is not None and name != sender.id:
            continue
        gate = _BY_BLOCK[channel, block.state]
        word = sender.unblock_word if sender else "UNSTOP"
        gates.append(
            Gate(
                code=gate.code,
                reason=gate.reason.format(sender=name),
                remedy=gate.remedy.format(sender=name, word=word),
                owner=gate.owner,
                since=block.since,
                sender=name,
            )
        )
    return gates


def consent(consent: Consent, channel: Channel) -> list[Gate]:
    if consent.on is On.YES:
        return []
    if consent.on is On.UNSET:
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
    return [
        Gate(
            code=Code.REVIEW_HOLD,
            reason="A reply reads like a refusal and waits for a person's judgement.",
            remedy="Read the reply and say whether it was an opt-out.",
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
    (Channel.SMS, BlockState.BLOCKED): Gate(
        code=Code.CARRIER_BLOCK,
        reason="The contact replied STOP to {sender}, and the carrier blocks it.",
        remedy="The contact texts {word} to {sender}. Nobody can do it for them.",
        owner=Owner.CONTACT,
    ),
    (Channel.SMS, BlockState.UNKNOWN): Gate(
        code=Code.BLOCK_UNKNOWN,
        reason="Whether the carrier blocks {sender} is not known.",
        remedy="Ask the contact whether they texted STOP; texting {word} to {sender} settles it.",
        owner=Owner.AGENT,
    ),
    (Channel.EMAIL, BlockState.BLOCKED): Gate(
        code=Code.SUPPRESSED,
        reason="The address is on the suppression list of {sender}.",
        remedy="Take the address off the suppression list at {sender}.",
        owner=Owner.OPERATOR,
    ),
    (Channel.EMAIL, BlockState.UNKNOWN): Gate(
        code=Code.BLOCK_UNKNOWN,
        reason="Whether {sender} suppresses the address is not known.",
        remedy="Look the address up at {sender}.",
        owner=Owner.OPERATOR,
    ),
}

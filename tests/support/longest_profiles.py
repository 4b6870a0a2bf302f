"""Contacts with the longest and oddest texts that are stored."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from bot.consent.log.entries import Entry, EntryKind
from bot.consent.model import (
    AddressFacts,
    Block,
    BlockState,
    Bounce,
    Channel,
    Consent,
    ConsentValue,
    Contact,
    Evidence,
    Hold,
    LineType,
    OptOut,
    Origin,
)
from bot.consent.rules import decide
from bot.consent.senders import Number, NumberKind, Sender, Senders
from bot.consent.use_cases import Profile

AT = datetime(2026, 11, 3, 14, 2, tzinfo=UTC)
NASTY = {
    "short": "Ana",
    "empty": "",
    "space": "   ",
    "long": "Wolfeschlegelsteinhausenbergerdorff " * 300,
    "one word": "x" * 10_000,
    "ampersands": "&" * 10_000,
    "angles": "<" * 10_000,
    "broadcast": "<!channel> <!here> <@U0BENOKAF1> <!subteam^S0MANAGERS> <#C0SUPPORT1>",
    "link": "<https://evil.example|bank> <tel:+1|call>",
    "date": "<!date^0^{date}|x>",
    "markup": "*b* _i_ ~s~ `c` ```p``` :skull: > q",
    "right to left": "\u202eمحمد\u202c" * 500,
    "towers": ("Z" + "\u0351" * 100) * 100,
    "emoji": "👩‍👩‍👧‍👦" * 2_000,
    "controls": "a\x00b\x1b[31m\n\n\nc",
}


def person(text: str, *, facts: AddressFacts | None = None, **fields: Any) -> Contact:
    phone, email = "+14155550100", f"{'a' * 64}@{'b' * 180}.example.com"
    consent = Consent(
        on=ConsentValue.NO,
        by=Origin.CONTACT,
        since=AT,
        actor=f"cli:{text}",
        reason=text,
        evidence=Evidence(text=text, at=AT),
    )
    whole: dict[str, Any] = {
        "id": "f" * 32,
        "version": 999_999_999,
        "name": text,
        "company": text,
        "external_id": text,
        "phone": phone,
        "line": LineType.LANDLINE,
        "email": email,
        "do_not_contact": True,
        "consents": {phone: consent, email: consent},
    }
    return Contact(**(whole | fields))


def group(text: str, number: int) -> Sender:
    """A service with a number, and whatever name it was given."""
    first = Number(number=f"+1888555{number:04}", kind=NumberKind.TOLL_FREE)
    return Sender(id=f"MG{number:032}", name=text, service=f"MG{number:032}", numbers=(first,))


@cache  # deciding by 50 senders takes a while, and a test draws the same contact a hundred times
def profile(text: str, *, blocks: int = 50, **fields: Any) -> Profile:
    """A contact for whom everything is in the way at once."""
    contact = person(text, **fields)
    senders = Senders(groups=[group(text, number) for number in range(blocks)])
    names = {
        Channel.SMS: [sender.id for sender in senders.groups],
        Channel.EMAIL: [f"sendgrid/unsubscribe/{number}{text}" for number in range(blocks)],
    }
    facts = {
        channel: AddressFacts(
            address=contact.address(channel) or "",
            bounce=Bounce.YES,
            bounced_at=AT,
            bounce_reason=text,
            complaint=channel is Channel.EMAIL,
            soft_failures=(AT,) * 100,
            blocks={
                name: Block(state=BlockState(state), since=AT)
                for name, state in zip(names[channel], ["blocked", "unknown"] * 25, strict=False)
            },
            hold=Hold(since=AT, text=text),
            refusals=(OptOut(channel=channel, since=AT, reason=text),),
        )
        for channel in Channel
    }
    return Profile(
        contact=contact,
        facts=facts,
        senders=senders,
        decisions={
            channel: decide(contact, facts[channel], channel, senders.default, senders)
            for channel in Channel
        },
        by_sender={
            sender.id: decide(contact, facts[Channel.SMS], Channel.SMS, sender, senders)
            for sender in senders.groups[1:]
        },
        shared=dict.fromkeys(Channel, 10000),
        latest=[entry(text, 1)],
        last=entry(text, 1),
    )


def listed(text: str) -> Profile:
    """On fifty entries of providers' lists, of groups with such names."""
    whole = profile(text)
    mail = replace(
        whole.facts[Channel.EMAIL],
        blocks={
            f"{'p' * number}/unsubscribe/{text or 'all'}": Block(state=BlockState.BLOCKED, since=AT)
            for number in range(1, 51)
        },
    )
    decided = decide(whole.contact, mail, Channel.EMAIL)
    return replace(
        whole,
        facts={**whole.facts, Channel.EMAIL: mail},
        decisions={**whole.decisions, Channel.EMAIL: decided},
    )


def entry(text: str, seq: int, kind: EntryKind = EntryKind.CONTACT) -> Entry:
    return Entry(
        id=f"{seq:032}",
        kind=kind,
        occurred_at=AT - timedelta(minutes=seq),
        recorded_at=AT,
        actor=f"cli:{text}",
        source=f"provider:{text}",
        contact="f" * 32,
        channel=Channel.SMS,
        sender=text,
        before="UNSET" if kind is EntryKind.CONSENT else "",
        after="YES",
        expected=True,
        address="+14155550100",
        reason=text,
        evidence=Evidence(text=text, at=AT),
        changes=dict.fromkeys(
            ("name", "company", "external_id", "email", "phone", "line"), (text, text)
        )
        | {"do_not_contact": (False, True)},
        salt="0",
        seq=seq,
    )


def characters(node: Any) -> int:
    if isinstance(node, dict):
        own = node["text"] if isinstance(node.get("text"), str) else ""
        return len(own) + sum(characters(value) for value in node.values())
    return sum(map(characters, node)) if isinstance(node, list) else 0

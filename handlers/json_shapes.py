"""Contacts and log entries as the JSON that other programs read. The names are fixed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from bot.consent.addresses import key_of
from bot.consent.cases import Case
from bot.consent.gates import Gate
from bot.consent.log.entries import Entry, EntryKind
from bot.consent.model import AddressFacts, Channel
from bot.consent.rules import Answer, decide
from bot.consent.use_cases import Found, Profile
from bot.consent.use_cases.alerts.held_replies import HeldReply
from bot.consent.use_cases.feed import FeedRow
from bot.consent.use_cases.unheld_addresses import as_if_held

Shape = dict[str, Any]


def dumped(shape: object) -> str:
    """As text, the same for the same values."""
    return json.dumps(shape, ensure_ascii=False, indent=2)


def status(profile: Profile) -> Shape:
    """A contact with both answers."""
    contact = profile.contact
    return {
        "contact": {
            "id": contact.id,
            "name": contact.name,
            "phone": contact.phone,
            "email": contact.email,
        },
        "sms": _channel(profile, Channel.SMS),
        "email": _channel(profile, Channel.EMAIL),
        "version": contact.version,
    }


def nobody(found: Found) -> Shape:
    """What is known of an address that nobody has, in the shape of a contact's status."""
    return status(unheld(found)) | {"contact": None}


def unheld(found: Found) -> Profile:
    """An address that nobody has, as if somebody had it."""
    channel = Channel.SMS if found.phone else Channel.EMAIL
    address = found.phone or found.email or ""
    contact = as_if_held(address, channel, found.facts)
    facts = found.facts or AddressFacts(address=key_of(address))
    known = {channel: facts for channel in Channel if contact.address(channel)}
    return Profile(
        contact=contact,
        facts=known,
        decisions={channel: decide(contact, known.get(channel), channel) for channel in Channel},
        by_sender={},
        shared={},
    )


def entry(entry: Entry) -> Shape:
    """A line of the Activity Log."""
    return {
        "id": entry.id,
        "occurred_at": instant(entry.occurred_at),
        "recorded_at": instant(entry.recorded_at),
        "contact": entry.contact,
        "address": entry.address,
        "channel": entry.channel,
        "kind": entry.kind,
        "actor": entry.actor,
        "source": entry.source,
        "before": entry.before,
        "after": entry.after,
        "reason": entry.reason,
        "evidence": entry.evidence.text if entry.evidence else None,
        "expected": entry.expected,
        "provider_id": entry.provider_id,
        "hash": entry.hash,
    }


def held(reply: HeldReply) -> Shape:
    """A reply that may be an opt-out."""
    contact, deadline, answered = reply.contact, reply.deadline, reply.answered_at
    return {
        "id": reply.id,
        "channel": reply.channel,
        "contact": {"id": contact.id, "name": contact.name} if contact else None,
        "address": reply.masked,
        "text": reply.text,
        "since": instant(reply.since),
        "deadline": instant(deadline) if deadline else None,
        "opt_out": reply.refusal,
        "answered_by": reply.answered_by,
        "answered_at": instant(answered) if answered else None,
    }


def instant(at: datetime) -> str:
    """A time in ISO 8601, in UTC."""
    utc = at if at.tzinfo is UTC else at.astimezone(UTC)
    return f"{utc.isoformat()[:-6]}Z"


def _channel(profile: Profile, channel: Channel) -> Shape:
    decision = profile.decisions[channel]
    facts = profile.facts.get(channel)
    shape: Shape = {
        "answer": decision.answer,
        "on": profile.contact.consent(channel).on,
        "bounce": facts.bounce if facts else "NO",
    }
    if channel is Channel.SMS:
        blocks = facts.blocks if facts else {}
        shape["blocks"] = [
            {
                "sender": profile.senders.shown(name, block),
                "sender_id": group.id if (group := profile.senders.group_of(name)) else name,
                "state": block.state,
                "since": instant(block.began),
            }
            for name, block in sorted(blocks.items())
        ]
    shape["gates"] = [gate_shape(gate) for gate in decision.gates]
    return shape


def gate_shape(gate: Gate) -> Shape:
    """One reason why nothing is sent."""
    sender = {"sender": gate.sender, "sender_id": gate.sender_id} if gate.sender else {}
    return {"code": gate.code, **sender, "remedy": gate.remedy, "owner": gate.owner}


def case_shape(case: Case) -> Shape:
    """A request for re-opt-in."""
    return {
        "id": case.id,
        "contact": case.contact,
        "channel": case.channel,
        "state": case.state,
        "requested_by": case.requested_by,
        "requested_at": instant(case.requested_at),
        "evidence": case.evidence.text,
        "evidence_at": instant(case.evidence.at) if case.evidence.at else None,
        "refused_at": instant(case.refused_at) if case.refused_at else None,
        "decided_by": case.decided_by,
        "decided_at": instant(case.decided_at) if case.decided_at else None,
        "expires_at": instant(case.expires_at),
        "ended_at": instant(case.ended_at) if case.ended_at else None,
        "version": case.version,
    }


def change(row: FeedRow) -> Shape:
    """A row of the feed, and what a webhook's body holds of it. Without personal data."""
    entry, contact = row.entry, row.contact
    return {
        "id": entry.id,
        "seq": row.seq,
        "type": row.type,
        "contact": entry.contact,
        "external_id": contact.external_id or None if contact else None,
        "version": entry.version,
        "channel": entry.channel,
        "sender": entry.sender,
        "before": _answers(row.before, entry.channel),
        "after": _answers(row.after, entry.channel),
        "erased": entry.kind is EntryKind.ERASED or (contact is not None and contact.erased),
        "occurred_at": instant(entry.occurred_at),
        "recorded_at": instant(entry.recorded_at),
    }


def _answers(by_channel: Mapping[Channel, Answer], channel: Channel | None) -> Shape:
    """`answer` is that of the entry's channel; the others tell of entries about no single one."""
    return {
        "answer": by_channel.get(channel) if channel is not None else None,
        "sms": by_channel.get(Channel.SMS),
        "email": by_channel.get(Channel.EMAIL),
    }

"""Contacts with a number, mailbox or name that differs a little from what was typed."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Sequence

from bot.consent.addresses import key_of
from bot.consent.model import Channel, Contact
from bot.consent.parsing import fold
from bot.consent.records import Contacts

_NEAR = 5


def similar_contacts(
    contacts: Contacts, text: str, phone: str | None, email: str | None
) -> Sequence[Contact]:
    """Contacts with a number, mailbox or name that differs a little."""
    if phone:
        parts: Iterable[str] = (phone[-7:], phone[-4:], phone[:-4])
        return _closest(contacts, parts, phone, lambda contact: contact.phone or "", 0.8)
    if email:
        email = key_of(email)
        name, _, host = email.partition("@")
        return _closest(
            contacts, (name, name[:3], host), email, lambda c: c.key(Channel.EMAIL) or "", 0.7
        )
    words = sorted(fold(text).split(), key=len, reverse=True)
    parts = [part for word in words[:3] for part in (word[:4], word[:2], word[-3:])]
    return _closest(contacts, parts, fold(text), lambda contact: fold(contact.name), 0.6)


def _closest(
    contacts: Contacts,
    parts: Iterable[str],
    wanted: str,
    spelling: Callable[[Contact], str],
    cutoff: float,
) -> Sequence[Contact]:
    found: dict[str, Contact] = {}
    for part in parts:
        if len(part) >= 2:
            found |= {contact.id: contact for contact in contacts.search(part, limit=200)}
    scored = []
    matcher = difflib.SequenceMatcher(b=wanted)
    for contact in found.values():
        matcher.set_seq1(spelling(contact))
        if matcher.quick_ratio() >= cutoff and (score := matcher.ratio()) >= cutoff:
            scored.append((-score, contact.id, contact))
    return [contact for _, _, contact in sorted(scored)[:_NEAR]]

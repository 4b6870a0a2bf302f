"""Double opt-in: a consent that waits for the contact's own confirmation.

Until then it is no YES. Optin keeps the hash of the token, never the token: whoever reads the
storage can't confirm in a contact's name.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from bot.consent.log.changes import Noted
from bot.consent.model import Channel, Contact, Evidence
from bot.consent.records import KeyValue
from bot.consent.use_cases.cases.requirements import latest_refusal
from bot.consent.use_cases.context import Service, date
from bot.consent.use_cases.record import Recorder
from bot.consent.use_cases.stated.statement import Stated

#: How long a token works.
CONFIRM_WITHIN = timedelta(days=7)
_PENDING = "pending_consent:"


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingConsent:
    """One consent that waits for its confirmation."""

    contact: str
    channel: Channel
    #: The keyed hash of the address: another one has to be confirmed anew.
    address: str
    #: What the contact did when they signed up, and when. Empty once it is used.
    evidence: str
    occurred_at: datetime
    #: The contact's newest refusal when this was asked. A newer one ends it.
    refused_at: datetime | None
    expires_at: datetime
    used_at: datetime | None = None


def ask_to_confirm(
    service: Service,
    recorder: Recorder,
    contact: Contact,
    channel: Channel,
    evidence: Evidence,
    *,
    token: str | None = None,
) -> Stated:
    """Keeps a consent until it is confirmed, and logs that. The caller sends the token to the
    contact."""
    token = token or secrets.token_urlsafe(32)
    expires_at = recorder.now + CONFIRM_WITHIN
    pending = PendingConsent(
        contact=contact.id,
        channel=channel,
        address=service.hashed(contact.address(channel) or ""),
        evidence=evidence.text,
        occurred_at=evidence.at or recorder.now,
        refused_at=latest_refusal(recorder.records, contact, channel),
        expires_at=expires_at,
    )
    put_pending(recorder.records.key_value, token, pending)
    recorder.record(
        contact,
        Noted(reason=f"Confirmation of {channel.word} asked for, until {date(expires_at)}"),
        address=contact.address(channel),
        channel=channel,
    )
    return Stated(
        contact=contact, channel=channel, changed=False, token=token, expires_at=expires_at
    )


def get_pending(key_value: KeyValue, token: str) -> PendingConsent | None:
    """What waits for this token; used and expired ones, too."""
    return _read(key_value.get(_name(token)))


def put_pending(key_value: KeyValue, token: str, pending: PendingConsent) -> None:
    key_value.put(_name(token), json.dumps(asdict(pending), default=datetime.isoformat))


def use(pending: PendingConsent, now: datetime) -> PendingConsent:
    """As it is kept after its confirmation, to say so when it comes again."""
    return replace(pending, used_at=now, evidence="")


def erase_pending(key_value: KeyValue, contacts: Collection[str]) -> None:
    """Removes everything that waits for these contacts."""
    for name, text in _all(key_value):
        pending = _read(text)
        if pending is not None and pending.contact in contacts:
            key_value.put(name, None)


def sweep_pending(service: Service) -> int:
    """Removes what nobody can confirm any more; how many."""
    with service.store.reading() as records:
        old = [
            name
            for name, text in _all(records.key_value)
            if (pending := _read(text)) and pending.expires_at <= service.now()
        ]
    if old:
        with service.store.transaction() as records:
            for name in old:
                records.key_value.put(name, None)
    return len(old)


def _all(key_value: KeyValue) -> list[tuple[str, str]]:
    return [(name, text) for name, text in key_value.all() if name.startswith(_PENDING)]


def _name(token: str) -> str:
    return _PENDING + hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def _read(text: str | None) -> PendingConsent | None:
    if text is None:
        return None
    known: dict[str, Any] = json.loads(text)
    for field in ("occurred_at", "refused_at", "expires_at", "used_at"):
        if known[field] is not None:
            known[field] = datetime.fromisoformat(known[field])
    return PendingConsent(**{**known, "channel": Channel(known["channel"])})

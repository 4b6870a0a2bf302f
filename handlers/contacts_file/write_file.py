"""Contacts out, as CSV or JSON: the same bytes for the same contacts, whenever and wherever."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime

from bot.consent.model import Bounce, Channel, ConsentValue, Evidence
from bot.consent.use_cases import Profile
from handlers.cells import defused, line
from handlers.contacts_file.columns import Column

#: What an import takes, in the contract's order; then whether a message would be sent and may be,
#: which an import passes over.
_HEADER = (
    Column.NAME,
    Column.PHONE,
    Column.EMAIL,
    Column.SMS_ON,
    Column.EMAIL_ON,
    Column.SMS_BOUNCE,
    Column.EMAIL_BOUNCE,
    Column.COMPANY,
    Column.EXTERNAL_ID,
    Column.CONSENT_SOURCE,
    Column.CONSENT_AT,
    Column.SMS_CONSENT_SOURCE,
    Column.SMS_CONSENT_AT,
    Column.EMAIL_CONSENT_SOURCE,
    Column.EMAIL_CONSENT_AT,
    "sms_answer",
    "email_answer",
)


def write_csv(profiles: Iterable[Profile]) -> Iterator[str]:
    """Line by line, for an import to take in again."""
    yield line(_HEADER)
    for profile in profiles:
        yield line(map(defused, _row(profile)))


def write_json(
    profiles: Iterable[Profile], shape: Callable[[Profile], Mapping[str, object]]
) -> Iterator[str]:
    """A list, one contact to a line, each in the shape that is given."""
    before = "[\n"
    for profile in profiles:
        yield before + json.dumps(shape(profile), ensure_ascii=False)
        before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"


def _row(profile: Profile) -> Iterator[str]:
    contact = profile.contact
    yield contact.name
    yield contact.phone or ""
    yield contact.email or ""
    for channel in Channel:
        on = contact.consent(channel).on
        yield "" if on is ConsentValue.UNSET else on
    for channel in Channel:
        facts = profile.facts.get(channel)
        yield facts.bounce if facts else Bounce.NO
    yield contact.company
    yield contact.external_id
    for evidence in _evidence(profile):
        yield evidence.text if evidence else ""
        yield _instant(evidence.at) if evidence and evidence.at else ""
    for channel in Channel:
        yield profile.decisions[channel].answer


def _evidence(profile: Profile) -> tuple[Evidence | None, Evidence | None, Evidence | None]:
    """What shows whatever is YES, where it is one and the same; else each channel's own. Evidence
    of one channel must not come back as evidence of the other."""
    sms, email = (profile.contact.consent(channel) for channel in Channel)
    proofs = {consent.evidence for consent in (sms, email) if consent.on is ConsentValue.YES}
    if len(proofs) == 1:
        return proofs.pop(), None, None
    return None, sms.evidence, email.evidence


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")

"""Write into the log how a held reply was read: by a person, or as an opt-out at its deadline."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from bot.consent.addresses import key_of
from bot.consent.alerts import NEW_OWNER
from bot.consent.log.changes import Act, ConsentChanged, HoldChanged
from bot.consent.log.entries import READ_AS_NO_OPT_OUT, READ_AS_OPT_OUT
from bot.consent.model import UNSET, Channel, ConsentValue, Contact, Origin
from bot.consent.parsing import blank
from bot.consent.use_cases.record import Recorder

#: Who answers at the deadline.
SYSTEM = "system"
#: In the reason of an opt-out that nobody answered in time.
BY_DEADLINE = "was not read by its deadline"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How a reply was read, as the log says it."""

    channel: Channel
    refusal: bool
    #: When the contact wrote; of a hold, its own time counts.
    since: datetime
    #: The reason of every entry.
    said: str
    #: Whose opt-out it is: of a number with a new owner, the person's who says so.
    by: Origin = Origin.CONTACT


def record_reading(
    recorder: Recorder,
    reading: Reading,
    address: str,
    hashed: str | None,
    former: Contact | None = None,
) -> None:
    """Logs it on everybody with the address, on whom had it where nobody has, and on the hash."""
    records = recorder.records
    hold = records.addresses.get(key_of(address)).hold
    here = reading
    if hold:
        by = Origin.STAFF if hold.text == NEW_OWNER else Origin.CONTACT
        here = replace(reading, since=hold.since, by=by)
    holders: list[Contact | None] = [*records.contacts.at(key_of(address))]
    for holder in holders or [former]:
        if reading.refusal:
            _refuse(recorder, here, holder, address)
        if hold:
            _release(recorder, here, holder, address)
    # Another reply may have come while nobody had the address.
    if hashed and address != hashed and records.addresses.get(hashed).hold:
        if reading.refusal:
            _refuse(recorder, reading, None, hashed)
        _release(recorder, reading, None, hashed)


def how_it_was_read(refusal: bool, by: str, text: str, reason: str | None = None) -> str:
    """The reason of the entries; with a person's own `reason`, if they gave one."""
    if text == NEW_OWNER:
        why = f": {reason.strip()}" if reason and not blank(reason) else ""
        return f"The number has a new owner{why}" if refusal else f"Still the same owner{why}"
    quoted = f"“{text[:500]}”" if text else "The reply"
    if by == SYSTEM:
        return f"{quoted} {BY_DEADLINE}, so it counts as an opt-out"
    why = f" ({reason.strip()})" if reason and not blank(reason) else ""
    return f"{quoted}{why}{READ_AS_OPT_OUT if refusal else READ_AS_NO_OPT_OUT}"


def _refuse(recorder: Recorder, reading: Reading, holder: Contact | None, address: str) -> None:
    before = holder.consents.get(key_of(address), UNSET) if holder else UNSET
    refused = recorder.records.addresses.get(key_of(address)).refusal
    if holder is None and refused is not None and refused.since >= reading.since:
        return
    # Whoever had refused already has refused again: a re-opt-in has to be newer than that.
    again = holder is not None and before.on is ConsentValue.NO and before.by is Origin.CONTACT
    if again and reading.by is Origin.STAFF:
        return
    recorder.record(
        holder,
        ConsentChanged(
            again=again,
            by=reading.by,
            before=before.on,
            after=ConsentValue.NO,
            reason=reading.said,
            # The contact's word, whoever read it: nobody can take it back.
            act=Act(of=None, name=""),
        ),
        address=address,
        channel=reading.channel,
        occurred_at=reading.since,
    )


def _release(recorder: Recorder, reading: Reading, holder: Contact | None, address: str) -> None:
    recorder.record(
        # Read again: the entry before changed the same contact.
        recorder.records.contacts.get(holder.id) if holder else None,
        HoldChanged(held=False, reason=reading.said),
        address=address,
        channel=reading.channel,
    )

"""What happens to an open case when something else happens to its contact (rules.md §6).

A refusal newer than its evidence, a changed address, a changed consent end it; anything else only
draws it anew. Asked from the one door of all changes, so that no path forgets it.
"""

from __future__ import annotations

from bot.consent.addresses import key_of
from bot.consent.alerts import AlertKind, revise
from bot.consent.cases import RE_OPT_IN, Case, CaseState
from bot.consent.gates import THINGS
from bot.consent.log.entries import Entry, EntryKind, is_refusal
from bot.consent.model import Channel, Contact
from bot.consent.use_cases.cases.transition import CaseLog, redraw_case, transition

#: Entries of these kinds can matter to a case.
HEEDED = frozenset(
    {
        EntryKind.CONSENT,
        EntryKind.NOTE,
        EntryKind.CONTACT,
        EntryKind.BLOCK,
        EntryKind.BOUNCE,
        EntryKind.HOLD,
    }
)


#: Sources of entries that a person makes one at a time.
_BY_PEOPLE = frozenset({"slack", "cli"})


def on_change(log: CaseLog, entry: Entry, contact: Contact | None, before: Contact | None) -> None:
    """`contact` is as the entry left it, and `before` as it was; None where there is none."""
    assert entry.contact is not None
    channels = (entry.channel,) if entry.channel else tuple(Channel)
    for channel in channels:
        case = log.records.cases.open_for(entry.contact, channel)
        if case is not None:
            _heed(log, case, entry, contact)
        elif _takes_back_re_opt_in(entry, before) or (
            channel is Channel.EMAIL and entry.kind is EntryKind.BLOCK
        ):
            _show_completed(log, entry, channel)
    if entry.kind is EntryKind.BOUNCE and entry.source in _BY_PEOPLE:
        _show_bounces(log, entry.contact)


def _takes_back_re_opt_in(entry: Entry, before: Contact | None) -> bool:
    """Whether a YES that came back by a case ends."""
    if entry.kind is not EntryKind.CONSENT or entry.channel is None or before is None:
        return False
    consent = before.consents.get(key_of(entry.address or ""))
    return consent is not None and (consent.reason or "").startswith(RE_OPT_IN)


def _show_bounces(log: CaseLog, contact: str) -> None:
    """Alerts about bounces say which of them a person has cleared."""
    outbox = log.records.outbox
    for alert in [a for a in outbox.all() if a.kind is AlertKind.BOUNCE]:
        if contact in alert.subject.contacts:
            outbox.put(revise(alert))


def _show_completed(log: CaseLog, entry: Entry, channel: Channel) -> None:
    """The messages about the latest case of this address say what is true after its end: whether
    a provider's list still has the address, and whether the contact opted out again."""
    assert entry.contact is not None
    key = key_of(entry.address or "")
    for case in log.records.cases.of(entry.contact):
        if case.channel is channel and key_of(case.address) == key:
            if case.state is CaseState.COMPLETED:
                redraw_case(log.records.outbox, case)
            return


def _heed(log: CaseLog, case: Case, entry: Entry, contact: Contact | None) -> None:
    who = entry.actor
    if contact is None:
        why = "The contact was taken out again."
        transition(log, case, CaseState.CANCELLED, None, actor=who, why=why)
    elif contact.key(case.channel) != key_of(case.address):
        noun = "phone number" if case.channel is Channel.SMS else "e-mail address"
        why = f"The {noun} was changed meanwhile: a new one has a consent of its own."
        transition(log, case, CaseState.CANCELLED, contact, actor=who, why=why)
    elif entry.kind in (EntryKind.CONSENT, EntryKind.NOTE) and key_of(
        entry.address or ""
    ) == key_of(case.address):
        if is_refusal(entry):
            _overtake(log, case, entry, contact)
        elif entry.kind is EntryKind.CONSENT:
            why = f"{case.channel.word} On was changed meanwhile."
            transition(log, case, CaseState.CANCELLED, contact, actor=who, why=why)
    elif entry.kind is not EntryKind.NOTE:
        redraw_case(log.records.outbox, case)


def _overtake(log: CaseLog, case: Case, entry: Entry, contact: Contact) -> None:
    """The latest refusal wins, and ties go to refusal (rules.md §8.5)."""
    if case.evidence.at is not None and entry.occurred_at < case.evidence.at:
        redraw_case(log.records.outbox, case)
        return
    why = f"The contact refused {THINGS[case.channel]} again."
    transition(log, case, CaseState.OVERTAKEN, contact, actor=entry.actor, why=why)

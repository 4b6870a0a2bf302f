"""The answers before and after an entry, for whoever follows the log (`feed`)."""

from __future__ import annotations

from bot.consent.log.entries import CHANGING, Answers, Entry, EntryKind
from bot.consent.model import AddressFacts, Channel, ConsentValue, Contact
from bot.consent.rules import Answer, answer
from bot.consent.storage_behind import behind_of
from bot.consent.store import Records
from bot.consent.use_cases.context import Service
from bot.consent.use_cases.known_senders import senders_of

_NO = Answer.NO


class AnswerChanges:
    """The answers of those whom one recorder changes. An import asks for each of its entries."""

    __slots__ = ("_before", "_told")

    def __init__(self) -> None:
        #: The newest answer that was told of a contact and channel.
        self._told: dict[tuple[str, Channel], Answer] = {}
        #: By key, what was known of an address before the first change. What an entry of one
        #: holder changes is old news when the entry of the next one is written.
        self._before: dict[str, AddressFacts] = {}

    def of(
        self,
        service: Service,
        records: Records,
        entry: Entry,
        *,
        contact: Contact | None,
        changed: Contact | None,
        facts: AddressFacts | None,
        known: AddressFacts | None,
    ) -> Answers | None:
        """By channel, the answer before and after this entry, which is not stored yet. None where
        there is nothing to tell: nobody could be sent to a contact who is new.

        `contact` and `facts` are as before the entry, `changed` and `known` as after it.
        """
        if facts is not None and known is not facts:
            self._before.setdefault(facts.address, facts)
        if contact is None or entry.kind not in CHANGING:
            return None
        if entry.kind is EntryKind.CONSENT and entry.channel is not None:
            return self._of_channel(service, records, entry.channel, contact, changed, known)
        told: dict[str, tuple[str, str]] = {}
        for channel in (entry.channel,) if entry.channel else Channel:
            told |= self._of_channel(service, records, channel, contact, changed, known)
        return told

    def _of_channel(
        self,
        service: Service,
        records: Records,
        channel: Channel,
        contact: Contact,
        changed: Contact | None,
        known: AddressFacts | None,
    ) -> dict[str, tuple[str, str]]:
        id = (contact.id, channel)
        before = self._told.get(id)
        if before is None:
            before = _NO
            if contact.consent(channel).on is ConsentValue.YES:
                key = contact.key(channel) or ""
                facts = self._before.get(key) or records.addresses.get(key)
                before = _answer(service, records, contact, channel, facts)
        after = _NO
        # Whoever did not agree needs no facts. That is most of a large import.
        if changed is not None and changed.consent(channel).on is ConsentValue.YES:
            key = changed.key(channel) or ""
            here = known is not None and known.address == key
            now = known if here else records.addresses.get(key)
            after = _answer(service, records, changed, channel, now)
        self._told[id] = after
        return {channel.value: (before.value, after.value)}


def _answer(
    service: Service,
    records: Records,
    contact: Contact,
    channel: Channel,
    facts: AddressFacts | None,
) -> Answer:
    known = (facts,) if facts is not None and facts.blocks else ()
    senders = senders_of(service, records.key_value, *known)
    behind = behind_of(service.heads, records.key_value)
    return answer(contact, facts, channel, senders.default, senders, behind)

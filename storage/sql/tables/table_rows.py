"""Values as rows, and rows as values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, TypeVar

import msgspec

from bot.consent.addresses import key_of
from bot.consent.alerts import URGENT, Alert, DeliveryState
from bot.consent.cases import Case
from bot.consent.errors import Corrupt
from bot.consent.log.entries import Entry
from bot.consent.model import AddressFacts, Channel, Contact, Import
from bot.consent.write_backs import WriteBack
from storage.documents import AlertDecoder, DocumentDecoder, alert_document, encode
from storage.sql.engine.database_session import Row
from storage.sql.tables.trigrams import grams_of, name_of, other_of

Fields = dict[str, Any]

T = TypeVar("T")
T_Text = TypeVar("T_Text", bytes, str)

#: What a decoder raises for a document that is not as it was written; some databases give back
#: other types than they were given.
_NOT_AS_WRITTEN = (msgspec.MsgspecError, UnicodeError, TypeError, AttributeError)
_ADVICE = "It was left untouched: restore the storage from a backup."


class _Stored(Generic[T]):
    """Reads documents as `decoder` does, and raises `Corrupt` for one that is damaged."""

    def __init__(self, decoder: DocumentDecoder[T], what: str) -> None:
        self._decode = decoder.decode
        self._what = what

    def decode(self, document: bytes | str) -> T:
        try:
            return self._decode(document)
        except _NOT_AS_WRITTEN:
            raise Corrupt(f"The storage holds {self._what} that is damaged. {_ADVICE}") from None


contacts = _Stored(msgspec.json.Decoder(Contact), "a contact")
facts = _Stored(msgspec.json.Decoder(AddressFacts), "facts of an address")
alerts = _Stored(AlertDecoder(), "an alert")
cases = _Stored(msgspec.json.Decoder(Case), "a re-opt-in")
write_backs = _Stored(msgspec.json.Decoder(WriteBack), "a write to a provider's list")
marks = _Stored(msgspec.json.Decoder(str), "a note of a job")
imports = _Stored(msgspec.json.Decoder(Import), "an import")
_entries = msgspec.json.Decoder(Entry)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def plain(text: str) -> str:
    """A key as a database takes it: NUL and half characters have no place in its text, though
    JSON has one for NUL. No document of ours is known by such a key."""
    if text.isascii() and "\0" not in text:
        return text
    return text.replace("\0", "\ufffd").encode("utf-8", "surrogatepass").decode("utf-8", "replace")


def ticks(at: datetime) -> int:
    """Microseconds since 1970."""
    return (at - _EPOCH) // _MICROSECOND


def time(ticks: int) -> datetime:
    return _EPOCH + ticks * _MICROSECOND


def contact_row(with_grams: bool) -> Callable[[str, Contact], Fields]:
    def row(key: str, contact: Contact) -> Fields:
        name, other = name_of(contact), other_of(contact)
        phone, email = contact.key(Channel.SMS), contact.key(Channel.EMAIL)
        fields: Fields = {
            "id": plain(key),
            "document": text_of(contact),
            "phone": plain(phone) if phone else None,
            "phone_back": plain(phone[:0:-1]) if phone else None,
            "email": plain(email) if email else None,
            "external_id": plain(contact.external_id) or None,
            "erased": int(contact.erased),
            "name": name,
            "other": other,
        }
        if with_grams:
            fields["grams"] = grams_of(name, other)
        return fields

    return row


def contact_place(contact: Contact) -> object:
    """All of which `contact_row` makes more than the document."""
    return (
        contact.phone,
        contact.email,
        contact.external_id,
        contact.erased,
        contact.name,
        contact.company,
    )


def facts_row(key: str, facts: AddressFacts) -> Fields:
    return {"address": plain(key), "document": text_of(facts)}


def alert_row(key: str, alert: Alert) -> Fields:
    delivery = alert.delivery
    not_before = ticks(delivery.not_before) if delivery.not_before else 0
    return {
        "id": plain(key),
        "document": text_of(alert_document(alert)),
        "key": plain(alert.key),
        "rank": int(alert.kind not in URGENT),
        "slack_channel": plain(alert.slack_channel),
        "first_at": ticks(alert.first_at),
        "waits_since": max(ticks(alert.last_at), not_before),
        "not_before": not_before,
        "due": int(delivery.due),
        "dead": int(delivery.state is DeliveryState.DEAD),
    }


def case_row(key: str, case: Case) -> Fields:
    return {
        "id": plain(key),
        "document": text_of(case),
        "contact": plain(case.contact),
        "channel": case.channel.value,
        "open": int(case.open),
        "requested_at": ticks(case.requested_at),
        "next_at": ticks(case.next_at) if case.next_at else None,
    }


def write_row(key: str, write: WriteBack) -> Fields:
    return {
        "id": plain(key),
        "document": text_of(write),
        "key": plain(write.key),
        "provider": plain(write.provider),
        "state": write.state.value,
        "open": int(write.open),
        "wished_at": ticks(write.wished_at),
        "not_before": ticks(write.not_before) if write.not_before else 0,
    }


def mark_row(key: str, text: str) -> Fields:
    return {"name": plain(key), "document": text_of(text)}


def import_row(key: str, record: Import) -> Fields:
    return {"id": plain(key), "document": text_of(record), "started_at": ticks(record.started_at)}


def entry_row(entry: Entry) -> Fields:
    """The personal fields stand together in the document, from `address` to `salt`, and are kept
    apart so that they can be erased. Within a text no quote stands without a backslash, so these
    names are found nowhere else: before them are only texts, and behind them only the seal."""
    whole = text_of(entry)
    start, end = whole.index(',"address":'), whole.rindex(',"seq":')
    return {
        "seq": entry.seq,
        "contact": plain(entry.contact) if entry.contact else None,
        "actor": plain(entry.actor),
        "kind": entry.kind.value,
        "channel": entry.channel.value if entry.channel else None,
        "document": whole[:start] + whole[end:],
        "personal": None if entry.redacted else whole[start:end],
        "address": plain(key_of(entry.address)) if entry.address else None,
    }


def entry_of(document: str, personal: str | None) -> Entry:
    """Raises `Corrupt` for one that is not as it was written."""
    return numbered_entry(None, document, personal)


def numbered_entry(seq: int | None, document: T_Text, personal: T_Text | None) -> Entry:
    """The same, of the entry with this number. SQLite gives bytes: a text that is none could not
    even be read, so that nobody could say which entry has it."""
    try:
        return read_entry(seq, whole(document, personal))
    except TypeError:
        raise _damaged(seq) from None


def whole(document: T_Text, personal: T_Text | None) -> T_Text:
    """The document of an entry, with its personal part where it still has one."""
    if not personal:
        return document
    if isinstance(document, str):
        return f"{document[:-1]}{personal}}}"
    return b"".join((document[:-1], personal, b"}"))


def lines(rows: Sequence[Row]) -> list[tuple[int, bytes]]:
    """The number and the whole document of each entry."""
    if rows and isinstance(rows[0][1], str):  # PostgreSQL gives texts
        rows = [
            (seq, text.encode(), personal and personal.encode()) for seq, text, personal in rows
        ]
    return [
        (seq, document[:-1] + personal + b"}" if personal else document)
        for seq, document, personal in rows
    ]


def read_entry(seq: int | None, line: bytes | str) -> Entry:
    """The entry of a whole document. Raises `Corrupt`."""
    try:
        return _entries.decode(line)
    except _NOT_AS_WRITTEN:
        raise _damaged(seq) from None


def _damaged(seq: int | None) -> Corrupt:
    which = "An entry" if seq is None else f"Entry {seq}"
    return Corrupt(f"{which} of the Activity Log is damaged. {_ADVICE}")


def entry_of_row(row: Sequence[Any]) -> Entry:
    """Of a row with its number or without, as the statement asks for it."""
    return entry_of(*row) if len(row) == 2 else numbered_entry(*row)


def text_of(value: object) -> str:
    return encode(value).decode()

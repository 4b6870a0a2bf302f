"""Tokens of signatures that do not cover the body are taken in the transaction of the events."""

from __future__ import annotations

from datetime import timedelta

from bot.consent.events import EventKind, EventRequest, OnceToken
from bot.consent.model import Channel, ConsentValue, Contact
from bot.consent.use_cases import Service
from bot.consent.use_cases.ingest import ingest_requests
from bot.consent.use_cases.ingest.once_tokens import mark_of
from bot.runtime.clock import Stopped
from tests.support.take_fixtures import MAILBOX, mailed


def on(service: Service, contact: Contact) -> ConsentValue:
    with service.store.reading() as records:
        found = records.contacts.get(contact.id)
    assert found is not None
    return found.consent(Channel.EMAIL).on


def token(service: Service, value: str, key: str = "one") -> OnceToken:
    return OnceToken(key=key, value=value, until=service.now() + timedelta(minutes=15))


def unsubscribe(service: Service, value: str, key: str = "one") -> EventRequest:
    events = (mailed(EventKind.UNSUBSCRIBED, address=MAILBOX),)
    return EventRequest(events=events, token=token(service, value, key))


def test_a_token_is_believed_for_one_content_and_for_the_same_again(
    alerting: Service, subscriber: Contact
) -> None:
    opened = EventRequest(events=(), token=token(alerting, "opened"))
    requests = [opened, unsubscribe(alerting, "forged"), opened, unsubscribe(alerting, "b", "two")]
    counts, believed = ingest_requests(alerting, requests[:3])

    assert (dict(counts), list(believed)) == ({}, [True, False, True])
    assert on(alerting, subscriber) is ConsentValue.YES
    # Also in a later transaction. What is forged harms no other request.
    counts, believed = ingest_requests(alerting, requests)
    assert (dict(counts), list(believed)) == ({"applied": 1}, [True, False, True, True])
    assert on(alerting, subscriber) is ConsentValue.NO


def test_a_token_is_kept_only_while_its_signature_is_good(
    alerting: Service, subscriber: Contact, clock: Stopped
) -> None:
    ingest_requests(alerting, [EventRequest(events=(), token=token(alerting, "a", "key 1"))])
    with alerting.store.reading() as records:
        (mark,) = [name for name, _ in records.key_value.all() if name.startswith("token:")]
    clock.advance(timedelta(minutes=16))
    # Another key whose hash begins with the same digits.
    same_mark = next(
        other
        for number in range(2, 100_000)
        if mark_of(token(alerting, "b", other := f"key {number}")) == mark
    )
    ingest_requests(alerting, [EventRequest(events=(), token=token(alerting, "b", same_mark))])

    with alerting.store.reading() as records:
        kept = records.key_value.get(mark)
    assert kept is not None
    assert kept.count("[") == 1

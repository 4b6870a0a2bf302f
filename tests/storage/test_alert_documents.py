"""The stored form of an alert: the one of 0.1.0, whatever parts the value has today."""

from __future__ import annotations

import dataclasses

import msgspec
import pytest

from bot.consent.alerts import Alert, Delivery, FollowUp, Subject
from storage.documents import AlertDecoder, alert_document, encode
from tests.support.store_fixtures import FULL_ALERT, alert

#: As 0.1.0 wrote it.
WRITTEN = (
    b'{"id":"full","key":"stop:full","kind":"review","slack_channel":"C1",'
    b'"first_at":"2026-11-03T12:00:00Z","last_at":"2026-11-03T12:00:00Z","channel":"email",'
    b'"contacts":["c1","c2"],"address":"hash:1","masked":"ending 0100","sender":"+18885550199",'
    b'"count":3,"counts":{"No such number.":2},"about":"stop","text":"Stop. Thank you",'
    b'"unstopped_at":"2026-11-03T12:00:00Z","unread_at":null,"returned_at":null,'
    b'"deadline":"2026-11-03T12:01:00Z","answer":"refusal","handled_by":"slack:U1",'
    b'"handled_at":"2026-11-03T12:00:00Z","thread":"a1","ended_at":"2026-11-03T12:00:00Z",'
    b'"wanted":4,"shown":3,"delivery":"unknown","attempts":2,"started_at":"2026-11-03T12:00:00Z",'
    b'"not_before":"2026-11-03T12:01:00Z","ts":"1.2","posted_in":null,'
    b'"shown_at":"2026-11-03T12:00:00Z","plainness":1,"repeated":true,"problem":"timeout"}'
)


def test_an_alert_is_written_byte_for_byte_as_before():
    assert encode(alert_document(FULL_ALERT)) == WRITTEN


def test_an_alert_that_was_written_before_is_read():
    assert AlertDecoder().decode(WRITTEN) == FULL_ALERT
    assert AlertDecoder().decode(WRITTEN.decode()) == FULL_ALERT


def test_fields_that_an_earlier_version_lacked_get_their_defaults():
    first = msgspec.json.decode(WRITTEN)
    short = {name: first[name] for name in list(first)[:6]}

    read = AlertDecoder().decode(encode(short | {"unheard_of": 1}))

    assert read == dataclasses.replace(
        FULL_ALERT,
        subject=Subject(),
        count=1,
        counts={},
        about=None,
        text=None,
        thread=None,
        follow_up=FollowUp(),
        delivery=Delivery(),
    )


def test_every_field_of_an_alert_is_stored():
    values = [Alert, Subject, FollowUp, Delivery]
    fields = sum(len(dataclasses.fields(value)) for value in values)

    assert len(alert_document(alert())) == fields - len(values[1:])


def test_a_document_of_something_else_is_refused():
    with pytest.raises(msgspec.ValidationError):
        AlertDecoder().decode(b'{"id":"full","kind":"no such kind"}')

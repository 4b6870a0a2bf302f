"""What the terminal of a demo says while somebody tries it."""

from __future__ import annotations

import logging

import pytest

from bot.consent.model import ConsentValue, Contact
from bot.consent.use_cases import Service, StatusUpdate, change
from bot.consent.use_cases.ingest import ingest
from bot.demo.activity_printer import telling
from tests.support.consent_fixtures import AGENT
from tests.support.take_fixtures import text


def test_each_thing_is_a_line_without_names_numbers_and_what_was_written(
    alerting: Service, subscriber: Contact, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with telling(alerting):
        change(
            alerting,
            subscriber.id,
            StatusUpdate(email=ConsentValue.NO, note="moved to Berlin"),
            AGENT,
        )
        ingest(alerting, [text("STOP"), text("STOP", address="+12125550142")])

    blocked = "Texts from +1 415-555-0177 are blocked: the contact opted out there"
    assert caplog.messages == [
        "Email On set to NO · a…@example.com · by Slack user U0AGENT1",
        "Note · by Slack user U0AGENT1",
        "Texted an opt-out word to +1 415-555-0177 · ending 0100 · by the contact",
        f"{blocked} · ending 0100 · by the contact",
        "Texted an opt-out word to +1 415-555-0177 · by the contact",
        f"{blocked} · by the contact",
    ]

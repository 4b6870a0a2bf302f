"""A service that may deliver to the receivers of the tests, and what makes events."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.consent.model import ConsentValue, Contact
from bot.consent.use_cases import Details, Service, StatusUpdate, add, change, edit
from bot.consent.webhooks import lane_of
from tests.support.consent_fixtures import AGENT
from tests.support.endpoints import LOOPBACK


@pytest.fixture
def outbound(service: Service) -> Service:
    """The service, with the network of the receivers allowed."""
    return replace(service, webhook_allow=LOOPBACK, alert_channel="C0ALERTS")


def person(service: Service, number: int = 0, name: str = "Ana Gómez") -> Contact:
    """A contact with the phone number +1415555 and these four digits."""
    return add(service, Details(name=name, phone=f"+1415555{number:04}"), AGENT)


def flip(service: Service, contact: str, on: ConsentValue) -> Contact:
    """Sets SMS On, which is one event."""
    update = StatusUpdate(sms=on, reason="asked", evidence="Web form")
    return change(service, contact, update, AGENT).contact


def rename(service: Service, contact: Contact, number: int) -> Contact:
    """Changes the name, which is one event."""
    details = Details(name=f"Name {number}", phone=contact.phone)
    return edit(service, contact.id, details, AGENT)


def people_of_two_lanes(service: Service) -> tuple[Contact, Contact]:
    """Two contacts whose events go through different lanes."""
    first = person(service, 100)
    for number in range(101, 200):
        other = person(service, number)
        if lane_of(other.id) != lane_of(first.id):
            return first, other
    raise AssertionError("every contact is in one lane")

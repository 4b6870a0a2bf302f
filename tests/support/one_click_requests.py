"""Clicks on one-click links, with the tests' keys."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime
from urllib.parse import urlencode

from bot.consent.model import Channel, ConsentValue
from tests.support.receiving_fixtures import Answer, Receiver

NOW = datetime(2026, 11, 3, 14, 2, tzinfo=UTC)
KEYS = ("the-key-of-today-which-is-long", "the-key-of-last-year-still-listed")
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
MARKER = b"List-Unsubscribe=One-Click"


def token(mailbox: str, list_: str = "news", key: str = KEYS[0]) -> str:
    """As docs/providers/setup.md describes it."""
    digest = hmac.digest(key.encode(), f"{mailbox}|{list_}".encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def link(contact: str, mailbox: str, list_: str = "news", key: str = KEYS[0]) -> str:
    query = {"c": contact, "l": list_, "t": token(mailbox, list_, key)}
    return f"/u/one-click?{urlencode(query)}"


def click(bot: Receiver, target: str, body: bytes = MARKER, kind: str = "") -> Answer:
    headers = {"Content-Type": kind} if kind else FORM
    return bot.send("POST", target, body, headers)


def email_on(bot: Receiver, id: str) -> ConsentValue:
    with bot.service.store.reading() as records:
        contact = records.contacts.get(id)
        assert contact is not None
        return contact.consent(Channel.EMAIL).on

"""The addresses of a row: all that can be read, and which of several is the contact's."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress

from bot.consent.addresses import key_of
from bot.consent.errors import Invalid
from bot.consent.model import Channel, LineType
from bot.consent.parsing import international, read_phone
from bot.consent.use_cases.context import Service

#: Between the addresses of one cell, in the exports of the usual tools.
_BETWEEN = re.compile(r"[;,|\n\r\t<>]|:::|\s+(?:/|or|and)\s+", re.IGNORECASE)
_NO_DIGIT = re.compile(r"\D+", re.ASCII)


def addresses_in(service: Service, text: str, channel: Channel) -> list[str]:
    """The phone numbers or mailboxes of a cell, each once, as they are shown."""
    found: dict[str, None] = {}
    for part in _BETWEEN.split(text):
        with suppress(Invalid):
            one = _phone(service, part) if channel is Channel.SMS else service.read_email(part)
            found[one] = None
    return [*found]


def best_address(service: Service, texts: Sequence[str], channel: Channel) -> tuple[str, list[str]]:
    """The first mobile number or mailbox, else the first that can be read; and the others. Where
    none can be read it is the first text, for its problem to be told."""
    found: dict[str, None] = {}
    mobile = None
    for text in texts:
        with suppress(Invalid):
            if channel is Channel.EMAIL:
                found[service.read_email(text)] = None
                continue
            number, line = read_phone(text, service.region)
            found[number] = None
            if mobile is None and line is LineType.MOBILE:
                mobile = number
    best = mobile or next(iter(found), None)
    if best is None:
        return texts[0], []
    return best, [address for address in found if key_of(address) != key_of(best)]


def _phone(service: Service, text: str) -> str:
    """Of digits that make no number of this region, the international one: to refuse one number
    too many does no harm."""
    try:
        return read_phone(text, service.region)[0]
    except Invalid:
        if number := international(_NO_DIGIT.sub("", text)):
            return number
        raise

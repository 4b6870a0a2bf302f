"""What a rejected row says all the same: every address in it that can be read."""

from __future__ import annotations

import re
from contextlib import suppress

from bot.consent.errors import Invalid
from bot.consent.model import Channel
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


def _phone(service: Service, text: str) -> str:
    """Of digits that make no number of this region, the international one: to refuse one number
    too many does no harm."""
    try:
        return read_phone(text, service.region)[0]
    except Invalid:
        if number := international(_NO_DIGIT.sub("", text)):
            return number
        raise

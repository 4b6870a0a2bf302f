"""Texts as Twilio posts them, signed with the tests' token."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import urlencode

from bot.consent.model import Channel, ConsentValue
from tests.support.receiving_fixtures import PUBLIC, Answer, Receiver

TOKEN = "a-token-for-tests"
INBOUND = "/webhooks/twilio/inbound"
ANA, OURS = "+14155550100", "+18885550199"
FORM = "application/x-www-form-urlencoded"


def signed(path: str, form: Mapping[str, str], token: str = TOKEN) -> dict[str, str]:
    text = PUBLIC + path + "".join(name + form[name] for name in sorted(form))
    digest = hmac.digest(token.encode(), text.encode("utf-8", "replace"), hashlib.sha1)
    return {"Content-Type": FORM, "X-Twilio-Signature": base64.b64encode(digest).decode()}


def text(
    bot: Receiver, body: str, *, sid: str = "SM1", sender: str = ANA, token: str = TOKEN
) -> Answer:
    """A text to our number."""
    form = {"MessageSid": sid, "From": sender, "To": OURS, "Body": body}
    return bot.send("POST", INBOUND, urlencode(form).encode(), signed(INBOUND, form, token))


def on(bot: Receiver, address: str = ANA) -> ConsentValue:
    with bot.service.store.reading() as records:
        (holder,) = records.contacts.at(address)
        return holder.consent(Channel.EMAIL if "@" in address else Channel.SMS).on

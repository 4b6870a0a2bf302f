"""Mailgun's signature: HMAC over a time and a token.

https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/securing-webhooks

It does not cover the body: whoever saw one signature could put it on any body, so a token is
believed for one content only.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from bot.consent.events import OnceToken
from handlers.webhooks.payload_parsing import text_at
from handlers.webhooks.provider import InvalidSignature
from handlers.webhooks.signatures import SKEW, check_timestamp, same, verify_any

#: Seconds; as Mailgun's library has it. A retry is signed anew.
WINDOW = 900
#: Lengths are fixed, since the signed text is time and token without a border between them.
_TIME = re.compile("[0-9]{10}", re.ASCII)
_TOKEN = re.compile("[0-9A-Za-z]{50}", re.ASCII)


def verify(signed: Any, keys: Sequence[bytes], now: datetime) -> str:
    """Which key held for what is signed. Raises `InvalidSignature`."""
    stated, token = text_at(signed, "timestamp"), text_at(signed, "token")
    if not _TIME.fullmatch(stated) or not _TOKEN.fullmatch(token):
        raise InvalidSignature("there is no signature")
    check_timestamp(WINDOW, stated, now)
    given = text_at(signed, "signature")
    text = f"{stated}{token}".encode()
    return verify_any(
        keys, lambda key: same(hmac.new(key, text, hashlib.sha256).hexdigest(), given)
    )


def token_of(signed: Any, told: object, now: datetime) -> OnceToken:
    """What was signed, with all that it may stand for."""
    content = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
    until = now + timedelta(seconds=WINDOW + SKEW)
    return OnceToken(key=f"mailgun:{text_at(signed, 'token')}", value=content, until=until)

"""STOPs as Twilio tells them, signed."""

from __future__ import annotations

import base64
import hashlib
import hmac
from itertools import count
from urllib.parse import urlencode

from tests.bench._servers import CONTACTS, phone

TOKEN = "bench-auth-token"
PUBLIC = "https://optin.example.com"
PATH = "/webhooks/twilio/inbound"

_numbers = count()


def requests(count: int) -> list[bytes]:
    """Of one contact after the other, and never the same twice in a process."""
    return [request(next(_numbers)) for _ in range(count)]


def request(number: int, sid: str | None = None) -> bytes:
    """A STOP of this contact, as it is sent; each is another message, unless `sid` says which."""
    signature, body = signed_stop(phone(number % CONTACTS), sid)
    return (
        f"POST {PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        "Content-Type: application/x-www-form-urlencoded; charset=UTF-8\r\n"
        f"Content-Length: {len(body)}\r\n"
        f"X-Twilio-Signature: {signature}\r\n\r\n"
    ).encode() + body


def signed_stop(mobile: str, sid: str | None = None) -> tuple[str, bytes]:
    """Signature and body of a STOP, as Twilio makes them."""
    sid = sid or f"SM{next(_numbers):032x}"
    form = {
        "AccountSid": "AC00000000000000000000000000000001",
        "ApiVersion": "2010-04-01",
        "Body": "STOP",
        "From": mobile,
        "FromCountry": "US",
        "MessageSid": sid,
        "NumMedia": "0",
        "NumSegments": "1",
        "OptOutType": "STOP",
        "SmsMessageSid": sid,
        "SmsSid": sid,
        "SmsStatus": "received",
        "To": "+18885550199",
        "ToCountry": "US",
    }
    signed = PUBLIC + PATH + "".join(name + form[name] for name in sorted(form))
    digest = hmac.digest(TOKEN.encode(), signed.encode(), hashlib.sha1)
    return base64.b64encode(digest).decode(), urlencode(form).encode()

"""STOPs as Twilio tells them, signed, and the clients who tell them."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import time
from collections.abc import Sequence
from itertools import count, cycle, islice
from urllib.parse import urlencode

from tests.bench._servers import CONTACTS, phone

TOKEN = "bench-auth-token"
PUBLIC = "https://optin.example.com"
PATH = "/webhooks/twilio/inbound"

_numbers = count()


async def measure(
    ports: Sequence[int], at_once: int, requests: int, made: list[bytes] | None = None
) -> list[float]:
    """Seconds of each request, from connections that are kept busy, each to the next port. Raises
    `AssertionError` where one is not answered with 200."""
    waiting = list(reversed(made or [request(next(_numbers)) for _ in range(requests)]))
    streams = [
        await asyncio.open_connection("127.0.0.1", port) for port in islice(cycle(ports), at_once)
    ]
    taken: list[float] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while waiting:
            request = waiting.pop()
            begun = time.perf_counter()
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
            await reader.readexactly(int(length))
            taken.append(time.perf_counter() - begun)
            assert head.startswith(b"HTTP/1.1 200"), head

    await asyncio.gather(*(talk(*stream) for stream in streams))
    for _, writer in streams:
        writer.close()
        await writer.wait_closed()
    return taken


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

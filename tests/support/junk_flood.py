"""Requests without a signature, from a process of its own, as many as the other side answers."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections import Counter

#: Another source than that of genuine requests.
_SOURCE = "127.0.0.2"
_CONNECTIONS = 16
_BODY = b"MessageSid=SM1&From=%2B14155550101&To=%2B18885550199&Body=STOP"
_REQUEST = (
    b"POST /webhooks/twilio/inbound HTTP/1.1\r\nHost: optin.example.com\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\nX-Twilio-Signature: AAAA\r\n"
    b"Content-Length: %d\r\n\r\n%s" % (len(_BODY), _BODY)
)


def main(port: str, seconds: str, rate: str) -> None:
    """At most `rate` requests a second. Writes how many had each status, as JSON."""
    counts = asyncio.run(_flood(int(port), float(seconds), float(rate)))
    os.write(1, json.dumps(counts).encode() + b"\n")


async def _flood(port: int, seconds: float, rate: float) -> dict[str, int]:
    counts: Counter[str] = Counter()
    end = time.monotonic() + seconds
    pace = _CONNECTIONS / rate

    async def one() -> None:
        while time.monotonic() < end:
            try:
                await _connection(port, end, pace, counts)
            except (OSError, asyncio.IncompleteReadError):
                counts["closed"] += 1
                await asyncio.sleep(pace)

    await asyncio.gather(*(one() for _ in range(_CONNECTIONS)))
    return dict(counts)


async def _connection(port: int, end: float, pace: float, counts: Counter[str]) -> None:
    """Until the other side closes it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(_SOURCE, 0))
    due = time.monotonic()
    try:
        while time.monotonic() < end:
            writer.write(_REQUEST)
            head = await reader.readuntil(b"\r\n\r\n")
            counts[head.split(b" ", 2)[1].decode()] += 1
            if b"connection: close" in head.lower():
                return
            due = max(due + pace, time.monotonic() - pace)
            await asyncio.sleep(max(0.0, due - time.monotonic()))
    finally:
        writer.close()

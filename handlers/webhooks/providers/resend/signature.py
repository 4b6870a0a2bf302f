"""Resend's signature: Standard Webhooks (Svix), over id, time and the raw body.

https://github.com/standard-webhooks/standard-webhooks
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Sequence
from datetime import datetime

from handlers.webhooks.provider import InvalidSignature, Request
from handlers.webhooks.signatures import check_timestamp, same_as_one, verify_any

#: Seconds; as the specification has it.
WINDOW = 300


def verify(request: Request, secrets: Sequence[bytes], now: datetime) -> str:
    """Which secret held. Raises `InvalidSignature`."""
    signed = header(request, "id"), header(request, "timestamp")
    given = [
        signature
        for version, _, signature in (
            one.partition(",") for one in header(request, "signature").split()
        )
        if version == "v1"
    ]
    check_timestamp(WINDOW, signed[1], now)
    if not signed[0]:
        raise InvalidSignature("there is no id")
    text = ".".join(signed).encode("utf-8", "surrogatepass") + b"." + request.body

    def holds(secret: bytes) -> bool:
        return same_as_one(base64.b64encode(hmac.digest(secret, text, "sha256")), given)

    return verify_any(secrets, holds)


def read_secret(text: str) -> bytes:
    """Raises ValueError where it is no signing secret."""
    try:
        secret = base64.b64decode(text.removeprefix("whsec_"), validate=True)
    except ValueError:
        secret = b""
    if not secret:
        raise ValueError("is no signing secret")
    return secret


def header(request: Request, name: str) -> str:
    """Svix's header, or the one that Standard Webhooks calls the same."""
    svix = any(known.startswith("svix-") for known in request.headers)
    return request.header(f"{'svix' if svix else 'webhook'}-{name}")

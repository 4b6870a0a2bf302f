"""Telnyx's signature: Ed25519 over the time and the raw body.

https://developers.telnyx.com/docs/messaging/messages/receiving-webhooks
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from handlers.webhooks.provider import Request
from handlers.webhooks.signatures import check_timestamp, unbase64, verify_any

if TYPE_CHECKING:  # loaded where Telnyx is on: it takes a part of every command's time
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

#: In seconds, as in Telnyx's own library.
WINDOW = 300


def verify(request: Request, keys: Sequence[Ed25519PublicKey], now: datetime) -> str:
    """Return which key matched. Raises `InvalidSignature` of `handlers.webhooks.provider`."""
    stated = request.header("telnyx-timestamp")
    signature = unbase64(request.header("telnyx-signature-ed25519"))
    check_timestamp(WINDOW, stated, now)
    signed = stated.encode() + b"|" + request.body
    return verify_any(keys, lambda key: _matches(key, signature, signed))


def read_public_key(text: str) -> Ed25519PublicKey:
    """Read an Ed25519 public key in base64. Raises ValueError if it is not one."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        return Ed25519PublicKey.from_public_bytes(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError):
        raise ValueError("is no public key") from None


def _matches(key: Ed25519PublicKey, signature: bytes, signed: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature

    try:
        key.verify(signature, signed)
    except InvalidSignature:
        return False
    return True

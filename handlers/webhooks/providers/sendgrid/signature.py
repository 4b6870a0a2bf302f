"""SendGrid's signature: ECDSA over the time and the raw body, down to its last line end.

https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/getting-started-event-webhook-security-features
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from handlers.webhooks.provider import Request
from handlers.webhooks.signatures import check_timestamp, unbase64, verify_any

if TYPE_CHECKING:  # loaded where SendGrid is on: it takes as long as all of a small command
    from cryptography.hazmat.primitives.asymmetric import ec

#: SendGrid tries again for 24 hours, and its library has no window at all.
WINDOW = 25 * 3600


def verify(request: Request, keys: Sequence[ec.EllipticCurvePublicKey], now: datetime) -> str:
    """Which key held. Raises `InvalidSignature` of `handlers.webhooks.provider`."""
    stated = request.header("x-twilio-email-event-webhook-timestamp")
    signature = unbase64(request.header("x-twilio-email-event-webhook-signature"))
    check_timestamp(WINDOW, stated, now)
    signed = stated.encode() + request.body
    return verify_any(keys, lambda key: _holds(key, signature, signed))


def read_public_key(text: str) -> ec.EllipticCurvePublicKey:
    """Raises ValueError where it is no public key of an elliptic curve."""
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    try:
        key = load_der_public_key(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError):
        raise ValueError("is no public key") from None
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise ValueError("is no public key of an elliptic curve")
    return key


def _holds(key: ec.EllipticCurvePublicKey, signature: bytes, signed: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.hashes import SHA256

    try:
        key.verify(signature, signed, ec.ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True

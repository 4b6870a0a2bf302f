"""Signatures of Standard Webhooks, version 1.

https://www.standardwebhooks.com
"""

from __future__ import annotations

import hmac
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from datetime import datetime


def signed_headers(id: str, at: datetime, body: bytes, secrets: Sequence[str]) -> Mapping[str, str]:
    """The headers of one attempt. `at` is its time. With two secrets, during a rotation, the
    receiver may check either."""
    seconds = str(int(at.timestamp()))
    content = b".".join((id.encode(), seconds.encode(), body))
    return {
        "webhook-id": id,
        "webhook-timestamp": seconds,
        "webhook-signature": " ".join(f"v1,{_signature(secret, content)}" for secret in secrets),
    }


def _signature(secret: str, content: bytes) -> str:
    key = b64decode(secret.removeprefix("whsec_"))
    return b64encode(hmac.digest(key, content, "sha256")).decode()

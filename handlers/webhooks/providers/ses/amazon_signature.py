"""Signature Version 4, which proves to Amazon who calls.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import quote

from handlers.suppression_lists.kept_connections import ProviderCall

_ALGORITHM = "AWS4-HMAC-SHA256"
_SERVICE = "ses"


@dataclass(frozen=True, slots=True, kw_only=True)
class AmazonKey:
    """An access key, and what belongs to it."""

    id: str
    secret: str = field(repr=False)
    #: Only temporary keys have one.
    session_token: str = field(default="", repr=False)
    region: str


def signed_headers(call: ProviderCall, key: AmazonKey, now: datetime) -> Mapping[str, str]:
    """The headers that prove it. `now` is aware UTC."""
    stamp = f"{now:%Y%m%dT%H%M%SZ}"
    scope = f"{stamp[:8]}/{key.region}/{_SERVICE}/aws4_request"
    headers = {"host": call.host, "x-amz-date": stamp}
    if key.session_token:
        headers["x-amz-security-token"] = key.session_token
    names = ";".join(sorted(headers))
    canonical = "\n".join(
        [
            call.method,
            # The path is encoded already. For every service but S3, Amazon encodes it once more.
            quote(call.path, safe="/~"),
            "&".join(sorted(call.query.split("&"))),
            *(f"{name}:{headers[name]}" for name in sorted(headers)),
            "",
            names,
            hashlib.sha256(call.body).hexdigest(),
        ]
    )
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    signing = f"AWS4{key.secret}".encode()
    for part in scope.split("/"):
        signing = hmac.digest(signing, part.encode(), "sha256")
    text = "\n".join([_ALGORITHM, stamp, scope, digest])
    signature = hmac.digest(signing, text.encode(), "sha256").hex()
    del headers["host"]
    return headers | {
        "Authorization": f"{_ALGORITHM} Credential={key.id}/{scope}, "
        f"SignedHeaders={names}, Signature={signature}"
    }

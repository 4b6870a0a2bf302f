"""AWS's Signature Version 4, written from its documentation, for calls of tests.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlsplit


def signed(
    method: str,
    url: str,
    query: Mapping[str, Any],
    body: str = "",
    *,
    key: str = "AKIASANDBOX",
    secret: str,
    region: str = "us-east-1",
) -> dict[str, str]:
    """The headers of a call to SES."""
    parts = urlsplit(url)
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    day = stamp[:8]
    encoded = sorted((quote(k, safe="~"), quote(str(v), safe="~")) for k, v in query.items())
    request = [
        method,
        quote(parts.path, safe="/~"),
        "&".join(f"{k}={v}" for k, v in encoded),
        f"host:{parts.netloc}",
        f"x-amz-date:{stamp}",
        "",
        "host;x-amz-date",
        hashlib.sha256(body.encode()).hexdigest(),
    ]
    scope = f"{day}/{region}/ses/aws4_request"
    digest = hashlib.sha256("\n".join(request).encode()).hexdigest()
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{digest}"
    signing = f"AWS4{secret}".encode()
    for word in scope.split("/"):
        signing = hmac.new(signing, word.encode(), hashlib.sha256).digest()
    signature = hmac.new(signing, text.encode(), hashlib.sha256).hexdigest()
    credential = f"AWS4-HMAC-SHA256 Credential={key}/{scope}"
    authorization = f"{credential}, SignedHeaders=host;x-amz-date, Signature={signature}"
    return {"X-Amz-Date": stamp, "Authorization": authorization}

"""AWS's Signature Version 4, as the service checks it.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final
from urllib.parse import parse_qsl, quote

from sandbox.simulated_lists.list_call import ListCall, ListRefusal

_SERVICE: Final = "ses"
_HEADER: Final = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request, ?"
    r"SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})"
)
#: Seconds that the clock of the caller may be off.
_OFF: Final = 300.0


def check_signature(call: ListCall, secrets: Mapping[str, str], region: str) -> str:
    """The access key that signed the call. Raises ListRefusal."""
    parts = _HEADER.fullmatch(call.headers.get("authorization", ""))
    if parts is None:
        raise ListRefusal(403, "Missing Authentication Token", code="MissingAuthenticationToken")
    key, day, its_region, service, names, signature = parts.groups()
    if key not in secrets:
        message = "The security token included in the request is invalid."
        raise ListRefusal(403, message, code="UnrecognizedClientException")
    stamp, signed = call.headers.get("x-amz-date", ""), names.split(";")
    if (its_region, service) != (region, _SERVICE) or not stamp.startswith(day):
        raise _wrong(f"Credential should be scoped to {region}/{_SERVICE}.")
    if not {"host", "x-amz-date"} <= set(signed) or signed != sorted(signed):
        raise _wrong("host and x-amz-date must be signed.")
    if "x-amz-security-token" in call.headers and "x-amz-security-token" not in signed:
        raise _wrong("x-amz-security-token must be signed.")
    try:
        at = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
    except ValueError:
        raise _wrong("Date must be in ISO-8601 'basic format'.") from None
    if abs(at - call.now) > _OFF:
        raise _wrong(f"Signature expired: {stamp}.")
    canonical = "\n".join(
        [
            call.method,
            # Encoded a second time: every service but S3 has it so.
            quote(call.path, safe="/~"),
            _query(call.query),
            *(f"{name}:{' '.join(call.headers.get(name, '').split())}" for name in signed),
            "",
            names,
            hashlib.sha256(call.body).hexdigest(),
        ]
    )
    scope = f"{day}/{region}/{_SERVICE}/aws4_request"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{digest}"
    secret = f"AWS4{secrets[key]}".encode()
    for word in (day, region, _SERVICE, "aws4_request"):
        secret = hmac.digest(secret, word.encode(), "sha256")
    if not hmac.compare_digest(hmac.digest(secret, text.encode(), "sha256").hex(), signature):
        raise _wrong(
            "The request signature we calculated does not match the signature you provided."
        )
    return key


def _query(query: str) -> str:
    pairs = parse_qsl(query, keep_blank_values=True)
    encoded = sorted((quote(name, safe="~"), quote(value, safe="~")) for name, value in pairs)
    return "&".join(f"{name}={value}" for name, value in encoded)


def _wrong(message: str) -> ListRefusal:
    return ListRefusal(403, message, code="InvalidSignatureException")

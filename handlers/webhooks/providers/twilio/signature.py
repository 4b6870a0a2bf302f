"""Twilio's signature: HMAC over the address and every parameter, whatever parameters there are.

https://www.twilio.com/docs/usage/webhooks/webhooks-security
A JSON body is covered by its hash in the signed address. There is no time in it, so that a replay
is only known by its ids. SharedKey signing (public beta) names its key and algorithm in a header:
https://www.twilio.com/docs/usage/webhooks/webhook-shared-keys
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence

from handlers.webhooks.payload_parsing import as_signed, raw_form, read_form
from handlers.webhooks.provider import InvalidSignature, Request
from handlers.webhooks.signatures import same, same_as_one, verify_any, verifying

_ALGORITHMS = {"HMAC_SHA1": "sha1", "HMAC_SHA256": "sha256"}
_DEFAULT_PORTS = {"https": 443, "http": 80}
_PORT = re.compile(r":[0-9]+\Z", re.ASCII)


def verify(request: Request, tokens: Sequence[str], shared_keys: Mapping[str, str]) -> str:
    """Which secret held. Raises `InvalidSignature`."""
    signature = request.header("x-twilio-signature")
    if not signature or not request.url:
        raise InvalidSignature("there is no signature")
    if request.media_type.endswith("json"):
        _check_body_hash(request)
        parameters = [b""]
    else:
        pairs = sorted(set(verifying(lambda: raw_form(request.body))))
        parameters = as_signed(b"".join(name + value for name, value in pairs))
    signed = [
        url.encode("utf-8", "replace") + text
        for url in _with_and_without_port(request.url)
        for text in parameters
    ]

    def holds(secret: str, algorithm: str) -> bool:
        digests = [hmac.digest(secret.encode(), text, algorithm) for text in signed]
        return same_as_one(signature, map(base64.b64encode, digests))

    stated = request.header("x-twilio-webhooks-signature-settings")
    if not stated:
        return verify_any(tokens, lambda token: holds(token, "sha1"))
    key, algorithm = _settings(stated)
    if key not in shared_keys or not holds(shared_keys[key], algorithm):
        raise InvalidSignature("the signature does not hold")
    return f"shared key {list(shared_keys).index(key) + 1} of {len(shared_keys)}"


def _check_body_hash(request: Request) -> None:
    hashes = [
        value for name, value in verifying(lambda: read_form(request.query)) if name == "bodySHA256"
    ]
    # Without it the signature covers the address only, and any body would do.
    if len(hashes) != 1 or not same(hashlib.sha256(request.body).hexdigest(), hashes[0].lower()):
        raise InvalidSignature("the body is not the signed one")


def _settings(stated: str) -> tuple[str, str]:
    pairs = dict(part.strip().partition("=")[::2] for part in stated.split(","))
    algorithm = _ALGORITHMS.get(pairs.get("algorithm", "").upper())
    if not algorithm:
        raise InvalidSignature("the signature's algorithm is none of Twilio's")
    return pairs.get("key", ""), algorithm


def _with_and_without_port(url: str) -> tuple[str, str]:
    """Twilio signs now the one, now the other."""
    scheme, _, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    port = _PORT.search(host)
    bare = _PORT.sub("", host)
    with_port = host if port else f"{host}:{_DEFAULT_PORTS.get(scheme)}"
    return f"{scheme}://{bare}{slash}{path}", f"{scheme}://{with_port}{slash}{path}"

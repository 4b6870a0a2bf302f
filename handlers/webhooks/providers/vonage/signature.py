"""Vonage's two signatures.

https://developer.vonage.com/en/getting-started/concepts/webhooks (Messages API: a JWT, whose
signature does not cover the body: its `payload_hash` claim does)
https://developer.vonage.com/en/getting-started/concepts/signing-messages (SMS API: `sig`)
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from handlers.webhooks.payload_parsing import as_signed
from handlers.webhooks.provider import InvalidSignature, Request
from handlers.webhooks.signatures import same, same_as_one, verify_any

_HMACS = {"md5", "sha1", "sha256", "sha512"}
#: Every method that an account can be set to.
METHODS = frozenset({"md5hash", *_HMACS})

#: The library would ask the system's clock; the times are checked by ours.
_OPTIONS: Any = {
    "require": ["iat", "iss", "payload_hash"],
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
    "verify_aud": False,
    "verify_sub": False,
    "verify_jti": False,
}


def verify_token(request: Request, secrets: Sequence[str]) -> tuple[Mapping[str, Any], str]:
    """The claims, which are about this body, and which secret held. Raises `InvalidSignature`."""
    import jwt  # loaded where Vonage is on: it takes a part of every command's time

    scheme, _, token = request.header("authorization").partition(" ")
    if scheme.lower() != "bearer":
        raise InvalidSignature("there is no signature")
    claims: dict[str, Any] = {}

    def holds(secret: str) -> bool:
        try:
            found = jwt.decode(token.strip(), secret, algorithms=["HS256"], options=_OPTIONS)
        except (jwt.PyJWTError, ValueError):
            return False
        claims.update(found)
        return True

    held = verify_any(secrets, holds)
    digest = claims["payload_hash"]
    if not isinstance(digest, str) or not same(hashlib.sha256(request.body).hexdigest(), digest):
        raise InvalidSignature("the body is not the signed one")
    return claims, held


def verify_parameters(parameters: Mapping[str, Any], secrets: Sequence[str], method: str) -> str:
    """Which secret made `sig`. `parameters` are as they came, the bytes of a form that are no
    UTF-8 by surrogateescape. Raises `InvalidSignature`."""
    given = parameters.get("sig")
    if not isinstance(given, str) or not given:
        raise InvalidSignature("there is no signature")
    text = "".join(
        f"&{name}={_signed(value)}" for name, value in sorted(parameters.items()) if name != "sig"
    )
    digests = [_digest(method, signed) for signed in _as_bytes(text)]
    return verify_any(
        secrets,
        lambda secret: same_as_one(given.lower(), [digest(secret.encode()) for digest in digests]),
    )


def _as_bytes(text: str) -> set[bytes]:
    """The bytes of a form as they came, and half a character out of JSON."""
    found = {text.encode("utf-8", "surrogatepass")}
    with suppress(UnicodeEncodeError):
        found.add(text.encode("utf-8", "surrogateescape"))
    return {signed for raw in found for signed in as_signed(raw)}


def _digest(method: str, text: bytes) -> Callable[[bytes], str]:
    if method == "md5hash":
        # As the account may be set; weak, but what Vonage then sends.
        return lambda secret: hashlib.md5(text + secret, usedforsecurity=False).hexdigest()
    return lambda secret: hmac.new(secret, text, method).hexdigest()


def _signed(value: object) -> str:
    if isinstance(value, str):
        return value.replace("&", "_").replace("=", "_")
    if isinstance(value, int | float):
        return str(value)
    raise InvalidSignature("a parameter can't be signed")

"""HTTP Basic, since Postmark signs nothing. There is no time in it.

https://postmarkapp.com/developer/webhooks/webhooks-overview

Postmark never calls again after a 403, so that wrong credentials have to be answered by 401.
"""

from __future__ import annotations

from handlers.webhooks.provider import InvalidSignature, Request
from handlers.webhooks.signatures import same, unbase64


def verify(request: Request, credentials: bytes) -> str:
    """Raises `InvalidSignature`."""
    scheme, _, given = request.header("authorization").partition(" ")
    if scheme.lower() != "basic":
        raise InvalidSignature("there are no credentials")
    if not same(unbase64(given.strip()), credentials):
        raise InvalidSignature("the credentials are wrong")
    return "the password"

"""Asking Amazon: for a certificate, or to confirm a subscription.

The one place of the webhooks from which we call out. Addresses were looked at before they come
here, and are looked at again.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from handlers.webhooks.provider import InvalidSignature, VerificationUnavailable

if TYPE_CHECKING:
    from http.client import HTTPConnection

#: Seconds for Amazon to answer; SNS itself waits fifteen for us.
FETCH_WITHIN = 5.0
LARGEST = 64 * 1024

#: Of SNS, in any region.
HOST = r"sns\.[a-zA-Z0-9-]{3,}\.amazonaws\.com(?:\.cn)?"
_HOST = re.compile(HOST, re.ASCII)

#: A connection to this host; tests bring one to their own server.
Connect = Callable[[str], "HTTPConnection"]


def connect(host: str) -> HTTPConnection:
    """To Amazon, by TLS."""
    import http.client
    import ssl

    context = ssl.create_default_context()
    return http.client.HTTPSConnection(host, timeout=FETCH_WITHIN, context=context)


def fetch(url: str, connect: Connect = connect) -> bytes:
    """What one of Amazon's SNS hosts answers; redirects are not followed.

    Raises `InvalidSignature` if the host is not Amazon's (before any connection) or has no such
    file, and `VerificationUnavailable` if it does not answer.
    """
    from http.client import HTTPException

    parts = urlsplit(url)
    if parts.scheme != "https" or not _HOST.fullmatch(parts.netloc):
        raise InvalidSignature("it would have us call another host")
    connection = connect(parts.netloc)
    try:
        connection.request("GET", parts.path + (f"?{parts.query}" if parts.query else ""))
        answer = connection.getresponse()
        body = answer.read(LARGEST + 1)
    except (OSError, HTTPException):
        raise VerificationUnavailable("Amazon does not answer") from None
    finally:
        connection.close()
    if answer.status >= 500:
        raise VerificationUnavailable(f"Amazon answers {answer.status}")
    if answer.status != 200 or len(body) > LARGEST:
        raise InvalidSignature(f"Amazon answers {answer.status}")
    return body

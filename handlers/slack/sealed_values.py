"""What waits between a button and its form, and must not be read in the button.

An address that was looked up and not found is personal, and whatever stands in a button can be
read by every app that sees the message. So it is sealed, with a key that every replica has: Slack
gives the click to any of them.
"""

from __future__ import annotations

import hmac
import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

#: Characters of a sealed query.
LONGEST_QUERY = 600
#: Bytes in front of what is sealed.
_NONCE = 12


class Drafts:
    """Sealed and opened. Says nothing of what a button can't have been given."""

    def __init__(self, key: bytes) -> None:
        """`key` is the storage's own; another one is made of it."""
        self._cipher = AESGCM(
            hmac.digest(key, b"what waits between a button and its form", "sha256")
        )

    def seal(self, **values: str | None) -> str | None:
        """For a button's value; None where there is nothing to keep."""
        kept = {name: value for name, value in values.items() if value}
        if not kept:
            return None
        nonce = secrets.token_bytes(_NONCE)
        sealed = self._cipher.encrypt(nonce, json.dumps(kept).encode(), None)
        return urlsafe_b64encode(nonce + sealed).decode()

    def seal_query(self, query: str) -> str:
        """What somebody searched for; empty where it is longer than a button has room for."""
        sealed = self.seal(query=query) or ""
        return sealed if len(sealed) <= LONGEST_QUERY else ""

    def open(self, sealed: str) -> Mapping[str, str]:
        """What was sealed; nothing where it was not sealed by us."""
        try:
            given = urlsafe_b64decode(sealed)
            opened = self._cipher.decrypt(given[:_NONCE], given[_NONCE:], None)
        except (ValueError, InvalidTag):
            return {}
        found: dict[str, str] = json.loads(opened)
        return found

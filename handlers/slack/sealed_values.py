"""What waits between a button and its form, and must not be read in the button.

An address that was looked up and not found is personal, and whatever stands in a button can be
read by every app that sees the message. So it is sealed, with a key that every replica has: Slack
gives the click to any of them.
"""

from __future__ import annotations

import hmac
import json
import secrets
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

#: Characters of a sealed query.
LONGEST_QUERY = 600
#: Characters of a sealed list: a modal remembers 3,000.
LONGEST_LIST = 2_700
#: How a list begins, which is no JSON.
_LIST = b"list:"
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
        return self._sealed(json.dumps(kept).encode())

    def seal_query(self, query: str) -> str:
        """What somebody searched for; empty where it is longer than a button has room for."""
        sealed = self.seal(query=query) or ""
        return sealed if len(sealed) <= LONGEST_QUERY else ""

    def seal_list(self, lines: Sequence[str]) -> tuple[str, int]:
        """For what a modal remembers; and how many of the lines it has room for."""
        kept = len(lines)
        while True:
            sealed = self._sealed(_LIST + zlib.compress("\n".join(lines[:kept]).encode(), 9))
            if len(sealed) <= LONGEST_LIST:
                return sealed, kept
            kept = min(kept - 1, kept * LONGEST_LIST // len(sealed))

    def seal_address(self, address: str) -> str:
        """A phone number or a mailbox, for the form of a new contact."""
        return self.seal(**{"email" if "@" in address else "phone": address}) or ""

    def open(self, sealed: str) -> Mapping[str, str]:
        """What was sealed; nothing where it was not sealed by us."""
        opened = self._opened(sealed)
        if opened is None or opened.startswith(_LIST):
            return {}
        found: dict[str, str] = json.loads(opened)
        return found

    def open_list(self, sealed: str) -> Sequence[str]:
        """The lines that were sealed; none where they were not sealed by us."""
        opened = self._opened(sealed)
        if opened is None or not opened.startswith(_LIST):
            return ()
        return zlib.decompress(opened.removeprefix(_LIST)).decode().split("\n")

    def _sealed(self, value: bytes) -> str:
        nonce = secrets.token_bytes(_NONCE)
        return urlsafe_b64encode(nonce + self._cipher.encrypt(nonce, value, None)).decode()

    def _opened(self, sealed: str) -> bytes | None:
        try:
            given = urlsafe_b64decode(sealed)
            return self._cipher.decrypt(given[:_NONCE], given[_NONCE:], None)
        except (ValueError, InvalidTag):
            return None

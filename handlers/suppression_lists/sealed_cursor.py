"""The place where a read goes on, sealed: a provider's own cursor may hold an address, and the
storage keeps it until the read ends."""

from __future__ import annotations

import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from handlers.suppression_lists.list_entries import cursor_text, read_cursor
from handlers.suppression_lists.provider_lists import ReadOutdated

#: Bytes in front of what is sealed.
_NONCE = 12


class CursorSeal:
    """Seals and opens the cursors of one account. Whoever has the storage alone can't read them."""

    def __init__(self, secret: str) -> None:
        """`secret` is the account's API key; another key is made of it."""
        self._cipher = AESGCM(hmac.digest(secret.encode(), b"where a read goes on", "sha256"))

    def seal(self, cursor: Mapping[str, Any]) -> str:
        """As text for `ListPage.next`."""
        nonce = secrets.token_bytes(_NONCE)
        sealed = self._cipher.encrypt(nonce, cursor_text(cursor).encode(), None)
        return urlsafe_b64encode(nonce + sealed).decode()

    def open(self, text: str) -> dict[str, Any]:
        """Raises `ReadOutdated` for whatever was not sealed with this key."""
        try:
            given = urlsafe_b64decode(text)
            plain = self._cipher.decrypt(given[:_NONCE], given[_NONCE:], None)
        except (ValueError, InvalidTag):
            raise ReadOutdated("the place where the read was is not known any more") from None
        return read_cursor(plain.decode())

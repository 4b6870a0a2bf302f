"""The unsubscribe link of an e-mail, and what a mail program sends when it is pressed.

https://www.rfc-editor.org/rfc/rfc8058
"""

import base64
import hashlib
import hmac
from typing import Final
from urllib.parse import urlencode

LIST: Final = "offers"
BODY: Final = b"List-Unsubscribe=One-Click"
HEADERS: Final = {"Content-Type": "application/x-www-form-urlencoded"}


def link(key: str, contact: str, mailbox: str) -> str:
    """Without the host. The token is made over the mailbox, for which the link works for good."""
    digest = hmac.new(key.encode(), f"{mailbox}|{LIST}".encode(), hashlib.sha256).digest()
    token = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return f"/u/one-click?{urlencode({'c': contact, 'l': LIST, 't': token})}"

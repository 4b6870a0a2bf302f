"""One-click unsubscribe by signed links: https://www.rfc-editor.org/rfc/rfc8058

A link is `/u/one-click?c=<contact>&l=<list>&t=<token>`, its token made over the contact's present
mailbox, so that it dies with it. Only a POST with the marker in its body unsubscribes: scanners
follow links, and do not post. The page that a GET shows is the web's.
"""

from __future__ import annotations

import base64
import email
import email.policy
import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import ClassVar

from bot.consent.events import Event, EventKind
from bot.consent.model import Channel
from handlers.webhooks.provider import Forged, Parsed, Request, Route, Unreadable
from handlers.webhooks.reading import fields, read_form
from handlers.webhooks.signing import same, verifying, which_held

#: The present mailbox of a contact, by our id or the external one; None where there is none.
EmailOf = Callable[[str], str | None]

_MARKER = ("List-Unsubscribe", "One-Click")


class OneClick:
    """Our own signed links."""

    name: ClassVar[str] = "one_click"
    routes: ClassVar[Sequence[Route]] = (Route(path="/u/one-click"),)

    def __init__(self, *, keys: Sequence[str], email_of: EmailOf) -> None:
        """Links are signed with the first key, and hold with any."""
        self._keys = tuple(key.encode() for key in keys)
        self._email_of = email_of

    def token(self, list_: str, mailbox: str) -> str:
        """The `t` of a link to this list for this mailbox."""
        return _token(self._keys[0], list_, mailbox)

    def verify(self, request: Request, now: datetime) -> str:
        """An unknown contact, a wrong token and a missing marker are answered alike."""
        if request.method != "POST" or _MARKER not in verifying(lambda: _pairs(request)):
            raise Forged("it is no one-click request")
        contact, list_, token = verifying(lambda: _link(request.query))
        mailbox = self._email_of(contact)
        if mailbox is None:
            raise Forged("nobody has this link")
        return which_held(self._keys, lambda key: same(_token(key, list_, mailbox), token))

    def parse(self, request: Request, now: datetime) -> Parsed:
        """One refusal, of everything by e-mail; the list is kept."""
        contact, list_, _ = _link(request.query)
        mailbox = self._email_of(contact)
        if mailbox is None:
            return Parsed(skipped=("the mailbox has gone meanwhile",))
        event = Event(
            provider=self.name,
            # Nothing in the request tells one click from the next. Clients that post twice do so
            # at once; a click after consent came back must count, and is never as soon as that.
            id=f"oneclick:{contact}:{list_}:{now:%Y-%m-%dT%H:%M}",
            kind=EventKind.UNSUBSCRIBED,
            channel=Channel.EMAIL,
            address=mailbox,
            scope=f"list:{list_}",
        )
        return Parsed(events=(event,))


def _token(key: bytes, list_: str, mailbox: str) -> str:
    digest = hmac.digest(key, f"{mailbox}|{list_}".encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _link(query: str) -> tuple[str, str, str]:
    link: Mapping[str, str] = fields(read_form(query))
    try:
        contact, list_, token = link["c"], link["l"], link["t"]
    except KeyError:
        raise Unreadable("it is no link of ours") from None
    if not contact:
        raise Unreadable("it is no link of ours")
    return contact, list_, token


def _pairs(request: Request) -> Sequence[tuple[str, str]]:
    """The pairs of the body: urlencoded or multipart, as RFC 8058 has both."""
    if request.media_type != "multipart/form-data":
        return read_form(request.body)
    head = f"Content-Type: {_one_line(request.header('content-type'))}\r\n\r\n"
    parts = email.message_from_bytes(
        head.encode("utf-8", "replace") + request.body, policy=email.policy.HTTP
    )
    found = []
    for part in parts.iter_parts() if parts.is_multipart() else ():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(content, bytes):
            found.append((name, content.decode("utf-8", "replace").strip()))
    return found


def _one_line(header: str) -> str:
    return header.replace("\r", "").replace("\n", "")

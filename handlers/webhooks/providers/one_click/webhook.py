"""A click on an unsubscribe link.

https://www.rfc-editor.org/rfc/rfc8058
Only a POST with the marker in its body unsubscribes: scanners follow links, and do not post.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import ClassVar

from bot.consent.errors import StorageFailed
from bot.consent.events import Event, EventKind
from bot.consent.model import Channel
from handlers.webhooks.provider import (
    ExpectedAnswer,
    InvalidSignature,
    MailboxesOf,
    Parsed,
    Request,
)
from handlers.webhooks.providers.one_click import signature
from handlers.webhooks.providers.one_click.marker import has_marker
from handlers.webhooks.providers.one_click.page import button_page
from handlers.webhooks.providers.one_click.signature import HeldLink


class OneClick:
    """Our own signed links."""

    name: ClassVar[str] = "one_click"

    def __init__(self, *, keys: Sequence[str], mailboxes_of: MailboxesOf) -> None:
        """Links are signed with the first key, and hold with any."""
        self._keyed = tuple(signature.keyed(key) for key in keys)
        self._mailboxes_of = mailboxes_of

    def token(self, list_: str, mailbox: str) -> str:
        """The `t` of a link to this list for this mailbox."""
        return signature.token(self._keyed[0], list_, mailbox)

    def page(self, request: Request) -> ExpectedAnswer:
        """What a person sees who follows the link."""
        mailbox = None
        with suppress(InvalidSignature, StorageFailed):  # the button is there all the same
            mailbox = self._held(request.query).address
        return button_page(request, mailbox)

    def verify(self, request: Request, now: datetime) -> str:
        """An unknown contact, a wrong token and a missing marker are answered alike."""
        if request.method != "POST":
            raise InvalidSignature("it is no one-click request")
        held = self._held(request.query)
        if not has_marker(request):
            raise InvalidSignature("it is no one-click request")
        return f"secret {held.key + 1} of {len(self._keyed)}" if held.address else "an erased id"

    def parse(self, request: Request, now: datetime) -> Parsed:
        """One refusal, of everything by e-mail; the list is kept."""
        try:
            held = self._held(request.query)
        except InvalidSignature:
            return Parsed(skipped=("the contact has gone meanwhile",))
        link = held.link
        if held.address is None:
            return Parsed(ignored=("a contact who was erased",))
        mailbox = "" if held.present else f":{held.address}"
        event = Event(
            provider=self.name,
            # Nothing in the request tells one click from the next. Clients that post twice do so
            # at once; a click after consent came back must count, and is never as soon as that.
            id=f"oneclick:{link.contact}:{link.list}{mailbox}:{now:%Y-%m-%dT%H:%M}",
            kind=EventKind.UNSUBSCRIBED,
            channel=Channel.EMAIL,
            address=held.address,
            scope=f"list:{link.list}",
        )
        return Parsed(events=(event,))

    def _held(self, query: str) -> HeldLink:
        return signature.held(query, self._keyed, self._mailboxes_of)

"""The mailboxes of the contacts, SendGrid before them, and the company's e-mails to them."""

import time
import uuid
from collections import defaultdict, deque
from collections.abc import Mapping
from typing import Any, Final

from sandbox.sandbox_errors import Impossible
from sandbox.simulated_lists.entry_list import ListedEntry
from sandbox.simulated_lists.sendgrid_lists import SimulatedSendGrid
from sandbox.simulated_lists.sendgrid_rows import GLOBAL
from sandbox.simulated_providers import sendgrid_events, unsubscribe
from sandbox.simulated_providers.config import Given, SimulatedContact
from sandbox.simulated_providers.inbox_state import KEPT, Mail
from sandbox.simulated_providers.webhook_sender import Post, Sent, WebhookCall

SUBJECT: Final = "Spring colours are here"
BODY: Final = "Twenty per cent off until Sunday, for you and for whoever you bring along."
#: The lists for which SendGrid does not even try, and how it says so in the event. Blocks are none:
#: SendGrid goes on after one.
DROPPED: Final[Mapping[str, str]] = {
    "spam_reports": sendgrid_events.REPORTED,
    "bounces": sendgrid_events.BOUNCED,
    GLOBAL: sendgrid_events.UNSUBSCRIBED,
    "invalid_emails": "Invalid",
}


class SimulatedMailboxes:
    """By address. Everybody has had one e-mail before. Acts raise Impossible."""

    def __init__(self, given: Given, post: Post, sendgrid: SimulatedSendGrid) -> None:
        self._given = given
        self._post = post
        self._sendgrid = sendgrid
        self._mails: dict[str, deque[Mail]] = defaultdict(lambda: deque(maxlen=KEPT))
        for contact in given.people:
            for name, reason in DROPPED.items():
                if contact.suppressed and contact.suppressed == reason:
                    self._list(contact, name, post.now())

    def mails(self, contact: SimulatedContact) -> list[Mail]:
        """Oldest first; those that came back, too."""
        mails = self._mails[contact.email]
        if not mails:
            mails.append(self._mail(contact, "delivered"))
        return list(mails)

    def last(self, contact: SimulatedContact) -> Mail:
        """What lies on top of the mailbox."""
        for mail in reversed(self.mails(contact)):
            if mail.arrived:
                return mail
        raise Impossible(f"{contact.name} has no e-mail.")

    def suppressed(self, contact: SimulatedContact) -> str:
        """Why SendGrid sends this mailbox nothing; empty where it does."""
        listed = {name for name, _ in self.listed(contact)}
        return next((reason for name, reason in DROPPED.items() if name in listed), "")

    def listed(self, contact: SimulatedContact) -> list[tuple[str, ListedEntry]]:
        """The lists of SendGrid that hold this mailbox."""
        if not contact.email:
            return []
        self._sendgrid.settle(self._post.now())
        return list(self._sendgrid.entries(contact.email))

    async def send(self, contact: SimulatedContact, status: str = "") -> Sent:
        """The company writes: it arrives, or bounces with `status`, one of `sendgrid.FAILURES`;
        where SendGrid suppresses the mailbox it is dropped anyway."""
        if status and status not in sendgrid_events.FAILURES:
            raise Impossible(f"There is no status {status}.")
        self.mails(contact)
        mail = self._mail(contact, "processed")
        self._mails[contact.email].append(mail)
        if reason := self.suppressed(contact):
            mail.reason = reason
            return await self._tell(contact, mail, "dropped", reason=reason)
        if status:
            mail.reason, more = sendgrid_events.FAILURES[status]
            name = "bounces" if more["type"] == "bounce" else "blocks"
            return await self._tell(contact, mail, "bounce", name, status=status, **more)
        return await self._tell(contact, mail, "delivered", response="250 OK")

    async def complain(self, contact: SimulatedContact) -> Sent:
        """Reports the last e-mail as spam: SendGrid hears of it, and sends no more."""
        return await self._tell(contact, self.last(contact), "spamreport", "spam_reports")

    async def opt_out_at_sendgrid(self, contact: SimulatedContact) -> Sent:
        """By the link that SendGrid itself puts below the last e-mail."""
        return await self._tell(contact, self.last(contact), "unsubscribe", GLOBAL)

    async def unsubscribe(self, contact: SimulatedContact) -> Sent:
        """As mail programs do for the button beside the sender's name. They try once."""
        mail = self.last(contact)
        mail.told = await self._post.send(
            WebhookCall(
                name="one-click",
                url=self._given.webhooks + mail.link,
                body=unsubscribe.BODY,
                headers=unsubscribe.HEADERS,
                shown=unsubscribe.BODY.decode(),
            )
        )
        self._post.changed()
        return mail.told

    def relieve(self, contact: SimulatedContact) -> None:
        """Takes the mailbox off SendGrid's lists, as somebody does in SendGrid's console. SendGrid
        tells nobody."""
        self._take_off(contact)
        self._post.changed()

    def _list(self, contact: SimulatedContact, name: str, at: float, **facts: str) -> None:
        entry = ListedEntry(address=contact.email, at=at, facts=facts)
        self._sendgrid.listed(name).add(entry)

    def _take_off(self, contact: SimulatedContact) -> None:
        for listed in self._sendgrid.lists.values():
            listed.remove(contact.email)

    async def _tell(
        self, contact: SimulatedContact, mail: Mail, kind: str, list_: str = "", **more: Any
    ) -> Sent:
        """One batch: what it did with the e-mail, after `processed` where it tried. The mailbox
        goes on the list, where one is given."""
        stamp = int(time.time())
        if list_:
            facts = {name: more[name] for name in ("reason", "status") if name in more}
            self._list(contact, list_, stamp, **facts)
        kinds: list[tuple[str, dict[str, Any]]] = [(kind, more)]
        if kind in ("delivered", "bounce"):
            kinds.insert(0, ("processed", {}))
        batch = [
            sendgrid_events.event(word, contact.email, mail.id, stamp, **about)
            for word, about in kinds
        ]
        if self._given.private_key is None:
            raise Impossible("SendGrid has no private key here.")
        body, headers = sendgrid_events.signed(self._given.private_key, batch, stamp)
        url = self._given.webhooks + sendgrid_events.EVENTS
        call = WebhookCall(
            name=f"sendgrid {kind}", url=url, body=body, headers=headers, shown=batch
        )
        mail.status, mail.told = kind, None
        self._post.changed()
        mail.told = await self._post.send(call)
        if not mail.told.ok:
            self._post.later(self._go_on(mail, call, mail.told))
        self._post.changed()
        return mail.told

    async def _go_on(self, mail: Mail, call: WebhookCall, sent: Sent) -> None:
        mail.told = await self._post.go_on_as_sendgrid(call, sent, self._given.sendgrid_within)
        self._post.changed()

    def _mail(self, contact: SimulatedContact, status: str) -> Mail:
        if not contact.email:
            raise Impossible(f"{contact.name} has no mailbox.")
        return Mail(
            id=uuid.uuid4().hex[:16],
            at=self._post.now(),
            subject=SUBJECT,
            body=BODY,
            link=unsubscribe.link(self._given.unsubscribe_key, contact.id, contact.email),
            status=status,
        )

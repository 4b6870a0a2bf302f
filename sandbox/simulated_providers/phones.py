"""The phones of the contacts, the carrier before them, and the company's texts to them."""

import asyncio
from collections import defaultdict, deque
from collections.abc import Iterator
from typing import Final

from sandbox.sandbox_errors import Impossible
from sandbox.simulated_providers import carrier, twilio_webhooks
from sandbox.simulated_providers.carrier import Word
from sandbox.simulated_providers.config import Given, SimulatedSender
from sandbox.simulated_providers.inbox_state import KEPT, Author, StoredText
from sandbox.simulated_providers.webhook_sender import Post, Sent, WebhookCall

OFFER: Final = "Acme: 20 % off all spring colours until Sunday. Reply STOP to opt out."
CONFIRMATION: Final = "Acme: You are unsubscribed and will get no more texts from us."


class Phones:
    """By number: two contacts with one number share its phone. Acts raise Impossible."""

    def __init__(self, given: Given, post: Post) -> None:
        self.given = given
        self._post = post
        self._threads: dict[tuple[str, str], deque[StoredText]] = defaultdict(
            lambda: deque(maxlen=KEPT)
        )
        self._blocked = {(id_, one.phone) for one in given.people for id_ in one.blocked}

    def thread(self, phone: str, sender: SimulatedSender) -> list[StoredText]:
        """Oldest first."""
        return list(self._threads.get((sender.id, phone), ()))

    def is_blocked(self, phone: str, sender: SimulatedSender) -> bool:
        """Whether the carrier carries nothing from this sender to this phone."""
        return (sender.id, phone) in self._blocked

    async def text(self, phone: str, sender: SimulatedSender, body: str) -> Sent:
        """The contact texts one of the company's senders; what the app answered to Twilio.

        After a STOP the company tries to confirm it, as it always does, and is refused.
        """
        text, call = self.receive(phone, sender, body)
        self._post.changed()
        if carrier.word_of(body, sender, blocked=False) is Word.STOP:
            self._post.later(self._confirm(phone, sender))
        text.told = await self._post.send_as_twilio(call, self.given.twilio)
        self._post.changed()
        return text.told

    async def send(
        self, phone: str, sender: SimulatedSender, code: str = "", body: str = OFFER
    ) -> Sent:
        """The company texts: it arrives, or fails with `code`, one of `twilio.FAILURES`; where
        the carrier blocks it fails anyway."""
        if code and code not in twilio_webhooks.FAILURES:
            raise Impossible(f"There is no error {code}.")
        sent = Sent()
        for text, call in self.attempt(phone, sender, body, code):
            self._post.changed()
            text.told = sent = await self._post.send_as_twilio(call, self.given.twilio)
        self._post.changed()
        return sent

    def receive(
        self, phone: str, sender: SimulatedSender, body: str
    ) -> tuple[StoredText, WebhookCall]:
        """What the carrier does with a text, and the webhook about it, still to be sent."""
        if not body.strip():
            raise Impossible("There is no text.")
        blocked = self.is_blocked(phone, sender)
        word = carrier.word_of(body, sender, blocked)
        text = self._add(phone, sender, Author.CONTACT, body, "received")
        if word is Word.STOP:
            self._blocked.add((sender.id, phone))
        elif word is Word.START:
            self._blocked.discard((sender.id, phone))
        if word and (answer := carrier.answer(word, sender, blocked)):
            self._add(phone, sender, Author.CARRIER, answer, "delivered")
        marker = word if self.given.advanced_opt_out else None
        form = twilio_webhooks.inbound(text.id, phone, sender, body, marker)
        return text, self._call("twilio inbound", twilio_webhooks.INBOUND, form)

    def attempt(
        self, phone: str, sender: SimulatedSender, body: str, code: str = ""
    ) -> Iterator[tuple[StoredText, WebhookCall]]:
        """The webhooks about one text of the company's, in their order; each is to be sent before
        the next is asked for."""
        text = self._add(phone, sender, Author.COMPANY, body, "queued")
        if self.is_blocked(phone, sender):
            words = [("failed", twilio_webhooks.OPTED_OUT)]
        else:
            words = [("queued", ""), ("sent", ""), ("undelivered" if code else "delivered", code)]
        for word, why in words:
            text.status, text.code = word, why
            form = twilio_webhooks.status(text.id, phone, sender, word, why)
            yield text, self._call(f"twilio {word}", twilio_webhooks.STATUS, form)

    async def _confirm(self, phone: str, sender: SimulatedSender) -> None:
        await asyncio.sleep(self.given.confirms_after)
        await self.send(phone, sender, body=CONFIRMATION)

    def _add(
        self, phone: str, sender: SimulatedSender, by: Author, body: str, status: str
    ) -> StoredText:
        text = StoredText(
            id=twilio_webhooks.new_sid(), at=self._post.now(), by=by, body=body, status=status
        )
        self._threads[sender.id, phone].append(text)
        return text

    def _call(self, name: str, path: str, form: dict[str, str]) -> WebhookCall:
        body, headers = twilio_webhooks.signed(
            self.given.auth_token, self.given.public_url + path, form
        )
        url = self.given.webhooks + path
        return WebhookCall(name=name, url=url, body=body, headers=headers, shown=form)

"""Somebody outside the workspace, with a phone and a mailbox."""

from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import quote

from sandbox.client.http_client import Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the app answered to a provider. `status` is None where no answer came, and `failure`
    then ct or rt; else 4xx, 5xx or empty."""

    status: int | None
    failure: str
    ms: float
    tries: int

    @classmethod
    def read(cls, body: dict[str, Any]) -> Self:
        return cls(**body)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedText:
    """A bubble. `by` is contact, company or carrier; `told` is None until the app has answered."""

    by: str
    body: str
    status: str
    code: str
    told: Told | None

    @classmethod
    def read(cls, body: dict[str, Any]) -> Self:
        told = Told.read(body["told"]) if body["told"] else None
        return cls(**{name: body[name] for name in ("by", "body", "status", "code")}, told=told)


class ContactClient:
    """Each act returns when the app has answered the provider, or could not be reached. What it
    tells of several webhooks is the last one. A `sender` is an id, a number or a name: without
    it, the first. Raises Impossible for what can't be done."""

    def __init__(self, address: Address, id_: str, name: str) -> None:
        self.id = id_
        self.name = name
        self._address = address

    # What they do

    def text(self, text: str, to: str = "") -> Told:
        return self._do("text", sender=to, text=text)

    def complain(self) -> Told:
        """Reports the last e-mail as spam."""
        return self._do("complain")

    def unsubscribe(self) -> Told:
        """One click, by the last e-mail's link."""
        return self._do("unsubscribe")

    def opt_out_at_sendgrid(self) -> Told:
        """By the link that SendGrid puts below the last e-mail."""
        return self._do("unsubscribe", by="sendgrid")

    # What the company does

    def deliver(self, by: str = "sms", sender: str = "") -> Told:
        """A message that arrives, where nothing blocks it. `by` is sms or email."""
        return self._do("send", by=by, sender=sender)

    def bounce(self, code: int | str, sender: str = "") -> Told:
        """A message that fails: with one of Twilio's codes (30005), or with a status as e-mail
        has them (5.1.1)."""
        by = "email" if "." in str(code) else "sms"
        return self._do("send", by=by, sender=sender, code=str(code))

    # What they have

    def thread(self, sender: str) -> list[ReceivedText]:
        """The texts to and from a sender's id, oldest first."""
        return [ReceivedText.read(one) for one in self._seen()["threads"][sender]["texts"]]

    def is_blocked(self, sender: str) -> bool:
        """Whether the carrier carries nothing from this sender's id."""
        return bool(self._seen()["threads"][sender]["blocked"])

    @property
    def mails(self) -> list[dict[str, Any]]:
        """Oldest first. Each has, among others, subject, status, reason, arrived, link and told."""
        mails: list[dict[str, Any]] = self._seen()["mails"]
        return mails

    def _seen(self) -> dict[str, Any]:
        seen: dict[str, Any] = self._address.get(f"/sandbox/outside/contact?name={quote(self.id)}")
        return seen

    def _do(self, do: str, **about: Any) -> Told:
        body = {"contact": self.id, "do": do, **about}
        return Told.read(self._address.post("/sandbox/outside/do", body)["sent"])

"""Receives Optin's webhooks, and verifies each with the reference library.

https://www.standardwebhooks.com/
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from standardwebhooks import Webhook, WebhookVerificationError
from standardwebhooks.webhooks import EmptyWebhookSecretError

#: How many events are kept; the oldest go first.
KEPT: Final = 100
#: Longest text of an unverified request that is shown.
_SHOWN: Final = 2_000
#: Characters of an id that are kept.
_LONGEST_ID: Final = 200


@dataclass(slots=True, kw_only=True)
class ReceivedEvent:
    """One webhook. `problem` says why it is not verified, and is empty where it is."""

    number: int
    at: float
    id: str
    type: str
    timestamp: str = ""
    data: Any = None
    problem: str = ""
    #: How often it was delivered: Optin retries until it has an answer.
    times: int = 1

    @property
    def verified(self) -> bool:
        return not self.problem


class _Unverified(Exception):
    """The text says why, in a sentence."""


class EventReceiver:
    """The newest events, oldest first. `secret` begins with whsec_; Optin shows it once."""

    def __init__(self, secret: str = "") -> None:
        """Raises ValueError where the secret is none of Standard Webhooks."""
        try:
            self._verifier = Webhook(secret) if secret else None
        except EmptyWebhookSecretError:
            raise ValueError("the webhook secret is empty") from None
        self._number = 0
        self.events: deque[ReceivedEvent] = deque(maxlen=KEPT)

    def receive(self, body: bytes, headers: Mapping[str, str], at: float) -> ReceivedEvent:
        """The event of a request. A verified one that was delivered before is only counted."""
        id_ = headers.get("webhook-id", "")[:_LONGEST_ID]
        try:
            said = self._verify(body, headers)
        except _Unverified as refused:
            return self._add(at=at, id=id_, type="", data=_shown(body), problem=str(refused))
        for event in self.events:
            if event.verified and event.id == id_:
                event.times += 1
                return event
        return self._add(
            at=at,
            id=id_,
            type=str(said.get("type", "")),
            timestamp=str(said.get("timestamp", "")),
            data=said.get("data"),
        )

    def _verify(self, body: bytes, headers: Mapping[str, str]) -> dict[str, Any]:
        """Raises _Unverified."""
        if self._verifier is None:
            raise _Unverified("The newsletter has no webhook secret.")
        try:
            said = self._verifier.verify(body, dict(headers))
        except WebhookVerificationError as refused:
            raise _Unverified(f"{refused}.") from None
        except ValueError:  # what the library raises for malformed headers and bodies
            raise _Unverified("The request can't be read.") from None
        if not isinstance(said, dict):
            raise _Unverified("The body is no JSON object.")
        return said

    def _add(self, **about: Any) -> ReceivedEvent:
        self._number += 1
        event = ReceivedEvent(number=self._number, **about)
        self.events.append(event)
        return event


def _shown(body: bytes) -> str:
    return body[:_SHOWN].decode(errors="replace")

"""The company's newsletter: a system beside Slack that sends, and asks Optin first."""

from collections.abc import Callable
from typing import Any, Protocol

from sandbox.client.http_client import Address


class _Wait(Protocol):
    def __call__(self, condition: Callable[[], bool], timeout: float = ...) -> None: ...


class NewsletterClient:
    """A `medium` is sms or email."""

    def __init__(self, address: Address, wait: _Wait) -> None:
        self._address = address
        self._wait = wait

    @property
    def webhook_url(self) -> str:
        """Where Optin's webhooks go."""
        return f"{self._address.url}/newsletter/optin-events"

    def settle(self, **settings: Any) -> None:
        """optin, api_key, webhook_secret and subscribers, as
        `sandbox.newsletter.newsletter_routes` reads them. Raises Impossible."""
        self._address.post("/sandbox/newsletter", settings)

    def send(self, medium: str = "sms", timeout: float = 30.0) -> dict[str, Any]:
        """Presses Send. The campaign when it is over: state, problem, counts. Raises Impossible."""
        self._address.post("/sandbox/newsletter/send", {"medium": medium})
        self._wait(lambda: self._campaign(medium)["state"] in ("done", "failed"), timeout)
        return self._campaign(medium)

    def subscriber(self, name: str, medium: str = "sms") -> dict[str, Any]:
        """A row of the list: `held` (since, event, reasons) and `copy` (state, status, problem)."""
        rows: list[dict[str, Any]] = self._seen()["media"][medium]["subscribers"]
        return next(row for row in rows if row["name"] == name)

    @property
    def events(self) -> list[dict[str, Any]]:
        """Newest first: id, type, verified, problem, times, data and others."""
        events: list[dict[str, Any]] = self._seen()["events"]
        return events

    def _campaign(self, medium: str) -> dict[str, Any]:
        campaign: dict[str, Any] = self._seen()["media"][medium]["campaign"]
        return campaign

    def _seen(self) -> dict[str, Any]:
        seen: dict[str, Any] = self._address.get("/sandbox/newsletter")
        return seen

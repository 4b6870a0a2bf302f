"""Postmark: one event each, over HTTP Basic.

https://postmarkapp.com/developer/webhooks/webhooks-overview
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from bot.config.setting_values import ProviderSetting
from bot.consent.model import Channel
from handlers.webhooks.provider import Parsed, Request, Route
from handlers.webhooks.provider_spec import ProviderContext, ProviderSpec
from handlers.webhooks.providers.postmark import events, signature


class Postmark:
    """Postmark's webhooks, by user and password."""

    name: ClassVar[str] = events.NAME

    def __init__(self, *, user: str, password: str) -> None:
        self._credentials = f"{user}:{password}".encode()

    def verify(self, request: Request, now: datetime) -> str:
        """By HTTP Basic. There is no time in it."""
        return signature.verify(request, self._credentials)

    def parse(self, request: Request, now: datetime) -> Parsed:
        """One event."""
        return events.read(request)


_PASSWORD = ProviderSetting("OPTIN_POSTMARK_PASSWORD", str, "")
_USER = ProviderSetting("OPTIN_POSTMARK_USER", str, "")


def _make(context: ProviderContext) -> Postmark | None:
    user, password = context.settings[_USER], context.settings[_PASSWORD]
    if bool(user) != bool(password):
        raise ValueError(f"and {_USER.name} belong together: set both")
    return Postmark(user=user, password=password) if password else None


SPEC = ProviderSpec(
    name=Postmark.name,
    label="Postmark",
    channel=Channel.EMAIL,
    settings=(_PASSWORD, _USER),
    routes=(Route(path="/webhooks/postmark"),),
    make=_make,
)

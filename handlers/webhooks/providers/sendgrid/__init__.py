"""SendGrid's event webhook: a batch of events about several mailboxes, in any order.

https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

from bot.config.setting_values import ProviderSetting, secrets
from bot.consent.model import Channel
from handlers.webhooks.provider import Parsed, Request, Route
from handlers.webhooks.provider_spec import ProviderContext, ProviderSpec
from handlers.webhooks.providers.sendgrid import events, signature


class Sendgrid:
    """SendGrid's event webhook, by its public keys."""

    name: ClassVar[str] = events.NAME

    def __init__(self, *, public_keys: Sequence[str]) -> None:
        """Keys as SendGrid shows them: DER in base64. Raises ValueError where one is none."""
        self._keys = tuple(signature.read_public_key(key) for key in public_keys)

    def verify(self, request: Request, now: datetime) -> str:
        """Over the time and the raw body, down to its last line end."""
        return signature.verify(request, self._keys, now)

    def parse(self, request: Request, now: datetime) -> Parsed:
        """One batch."""
        return events.read(request)


_PUBLIC_KEYS = ProviderSetting[tuple[str, ...]]("OPTIN_SENDGRID_PUBLIC_KEY", secrets, ())


def _make(context: ProviderContext) -> Sendgrid | None:
    keys = context.settings[_PUBLIC_KEYS]
    return Sendgrid(public_keys=keys) if keys else None


SPEC = ProviderSpec(
    name=Sendgrid.name,
    label="SendGrid",
    channel=Channel.EMAIL,
    settings=(_PUBLIC_KEYS,),
    routes=(Route(path="/webhooks/sendgrid/events"),),
    make=_make,
)

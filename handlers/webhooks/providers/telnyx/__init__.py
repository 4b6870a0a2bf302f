"""Telnyx: replies and delivery reports.

https://developers.telnyx.com/docs/messaging/messages/receiving-webhooks
https://developers.telnyx.com/docs/messaging/messages/advanced-opt-in-out
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

from bot.config.setting_values import ProviderSetting, secrets
from bot.consent.known_providers import COMMON, BlockingWords
from bot.consent.model import Channel
from handlers.webhooks.provider import Parsed, Request, Route
from handlers.webhooks.provider_spec import ProviderContext, ProviderSpec
from handlers.webhooks.providers.telnyx import events, signature


class Telnyx:
    """Telnyx's webhook, by the account's public keys."""

    name: ClassVar[str] = events.NAME

    def __init__(self, *, public_keys: Sequence[str]) -> None:
        """Keys as Telnyx shows them: 32 bytes in base64. Raises ValueError where one is none."""
        self._keys = tuple(signature.read_public_key(key) for key in public_keys)

    def verify(self, request: Request, now: datetime) -> str:
        """Over the time and the raw body."""
        return signature.verify(request, self._keys, now)

    def parse(self, request: Request, now: datetime) -> Parsed:
        """One event, about one contact or several."""
        return events.read(request)


_PUBLIC_KEYS = ProviderSetting[tuple[str, ...]]("OPTIN_TELNYX_PUBLIC_KEY", secrets, ())


def _make(context: ProviderContext) -> Telnyx | None:
    keys = context.settings[_PUBLIC_KEYS]
    return Telnyx(public_keys=keys) if keys else None


SPEC = ProviderSpec(
    name=Telnyx.name,
    label="Telnyx",
    channel=Channel.SMS,
    settings=(_PUBLIC_KEYS,),
    # https://developers.telnyx.com/docs/messaging/messages/advanced-opt-in-out
    blocking_words=BlockingWords(COMMON | {"stop all"}),
    routes=(Route(path="/webhooks/telnyx"),),
    make=_make,
)

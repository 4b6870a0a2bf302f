"""Telnyx: replies and delivery reports.

https://developers.telnyx.com/docs/messaging/messages/receiving-webhooks
https://developers.telnyx.com/docs/messaging/messages/advanced-opt-in-out
"""

from __future__ import annotations

from bot.config.setting_values import ProviderSetting, secrets
from bot.consent.known_providers import COMMON, BlockingWords
from bot.consent.model import Channel
from handlers.webhooks.provider import Route
from handlers.webhooks.provider_spec import ProviderContext, ProviderSpec
from handlers.webhooks.providers.telnyx.webhook import Telnyx

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

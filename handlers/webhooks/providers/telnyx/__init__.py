"""Telnyx: replies and delivery reports.

https://developers.telnyx.com/docs/messaging/messages/receiving-webhooks
https://developers.telnyx.com/docs/messaging/messages/advanced-opt-in-out
"""

from __future__ import annotations

from bot.config.provider_settings import ProviderSettings
from bot.config.setting_values import ProviderSetting, api_key, secrets, url
from bot.consent.known_providers import COMMON, BlockingWords, KnownLists
from bot.consent.model import Channel
from handlers.suppression_lists.provider_lists import ProviderLists
from handlers.webhooks.provider import Route
from handlers.webhooks.provider_spec import ProviderContext, ProviderSpec
from handlers.webhooks.providers.telnyx.webhook import Telnyx

_PUBLIC_KEYS = ProviderSetting[tuple[str, ...]]("OPTIN_TELNYX_PUBLIC_KEY", secrets, ())
_API_KEY = ProviderSetting("OPTIN_TELNYX_API_KEY", api_key, "")
_API_URL = ProviderSetting("OPTIN_TELNYX_API_URL", url, "https://api.telnyx.com")


def _make(context: ProviderContext) -> Telnyx | None:
    keys = context.settings[_PUBLIC_KEYS]
    return Telnyx(public_keys=keys) if keys else None


def _lists(settings: ProviderSettings) -> ProviderLists | None:
    if not settings[_API_KEY]:
        return None
    from handlers.webhooks.providers.telnyx.suppressions import TelnyxOptOuts

    return TelnyxOptOuts(api_key=settings[_API_KEY], api_url=settings[_API_URL])


def _known_lists(settings: ProviderSettings) -> KnownLists | None:
    """Telnyx lifts a block by START and UNSTOP alone."""
    return KnownLists() if settings[_API_KEY] else None


SPEC = ProviderSpec(
    name=Telnyx.name,
    label="Telnyx",
    channel=Channel.SMS,
    settings=(_PUBLIC_KEYS, _API_KEY, _API_URL),
    # https://developers.telnyx.com/docs/messaging/messages/advanced-opt-in-out
    blocking_words=BlockingWords(COMMON | {"stop all"}),
    routes=(Route(path="/webhooks/telnyx"),),
    make=_make,
    lists=_lists,
    known_lists=_known_lists,
    lists_switch=_API_KEY.name,
)

"""SendGrid's event webhook: a batch of events about several mailboxes, in any order.

https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event
"""

from __future__ import annotations

from dataclasses import replace

from bot.config.provider_settings import ProviderSettings
from bot.config.setting_values import ProviderSetting, api_key, secrets, url
from bot.consent.known_providers import KnownLists
from bot.consent.model import Channel
from handlers.suppression_lists.provider_lists import EVERY_LIST, ProviderLists
from handlers.webhooks.provider import Route
from handlers.webhooks.provider_spec import ProviderContext, ProviderSpec
from handlers.webhooks.providers.sendgrid.webhook import Sendgrid

_PUBLIC_KEYS = ProviderSetting[tuple[str, ...]]("OPTIN_SENDGRID_PUBLIC_KEY", secrets, ())
_API_KEY = ProviderSetting("OPTIN_SENDGRID_API_KEY", api_key, "")
_API_URL = ProviderSetting("OPTIN_SENDGRID_API_URL", url, "https://api.sendgrid.com")


def _make(context: ProviderContext) -> Sendgrid | None:
    keys = context.settings[_PUBLIC_KEYS]
    return Sendgrid(public_keys=keys) if keys else None


def _lists(settings: ProviderSettings) -> ProviderLists | None:
    if not settings[_API_KEY]:
        return None
    from handlers.webhooks.providers.sendgrid.suppressions import SendgridLists

    return SendgridLists(api_key=settings[_API_KEY], api_url=settings[_API_URL])


def _known_lists(settings: ProviderSettings) -> KnownLists | None:
    return replace(EVERY_LIST, shows_scopes=True) if settings[_API_KEY] else None


SPEC = ProviderSpec(
    name=Sendgrid.name,
    label="SendGrid",
    channel=Channel.EMAIL,
    settings=(_PUBLIC_KEYS, _API_KEY, _API_URL),
    routes=(Route(path="/webhooks/sendgrid/events"),),
    make=_make,
    lists=_lists,
    known_lists=_known_lists,
    lists_switch=_API_KEY.name,
)

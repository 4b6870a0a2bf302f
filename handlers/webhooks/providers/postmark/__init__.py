"""Postmark: one event each, over HTTP Basic.

https://postmarkapp.com/developer/webhooks/webhooks-overview
"""

from __future__ import annotations

from bot.config.provider_settings import ProviderSettings
from bot.config.setting_values import ProviderSetting, api_key, url
from bot.consent.known_providers import KnownLists
from bot.consent.model import Channel
from handlers.suppression_lists.provider_lists import EVERY_LIST, ProviderLists
from handlers.webhooks.provider import Route
from handlers.webhooks.provider_spec import ProviderContext, ProviderSpec
from handlers.webhooks.providers.postmark.webhook import Postmark

_PASSWORD = ProviderSetting("OPTIN_POSTMARK_PASSWORD", str, "")
_USER = ProviderSetting("OPTIN_POSTMARK_USER", str, "")
_SERVER_TOKEN = ProviderSetting("OPTIN_POSTMARK_SERVER_TOKEN", api_key, "")
_API_URL = ProviderSetting("OPTIN_POSTMARK_API_URL", url, "https://api.postmarkapp.com")


def _make(context: ProviderContext) -> Postmark | None:
    user, password = context.settings[_USER], context.settings[_PASSWORD]
    if bool(user) != bool(password):
        raise ValueError(f"and {_USER.name} belong together: set both")
    return Postmark(user=user, password=password) if password else None


def _lists(settings: ProviderSettings) -> ProviderLists | None:
    if not settings[_SERVER_TOKEN]:
        return None
    from handlers.webhooks.providers.postmark.suppressions import PostmarkLists

    return PostmarkLists(server_token=settings[_SERVER_TOKEN], api_url=settings[_API_URL])


def _known_lists(settings: ProviderSettings) -> KnownLists | None:
    return EVERY_LIST if settings[_SERVER_TOKEN] else None


SPEC = ProviderSpec(
    name=Postmark.name,
    label="Postmark",
    channel=Channel.EMAIL,
    settings=(_PASSWORD, _USER, _SERVER_TOKEN, _API_URL),
    routes=(Route(path="/webhooks/postmark"),),
    make=_make,
    lists=_lists,
    known_lists=_known_lists,
    lists_switch=_SERVER_TOKEN.name,
)

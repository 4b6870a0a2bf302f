"""Resend: one event each, signed by Standard Webhooks (Svix).

https://resend.com/docs/webhooks/introduction
"""

from __future__ import annotations

from bot.config.provider_settings import ProviderSettings
from bot.config.setting_values import ProviderSetting, api_key, secrets, url
from bot.consent.known_providers import KnownLists
from bot.consent.model import Channel
from handlers.suppression_lists.provider_lists import ProviderLists
from handlers.webhooks.provider import Route
from handlers.webhooks.provider_spec import ProviderContext, ProviderSpec
from handlers.webhooks.providers.resend.webhook import Resend

_SIGNING_SECRETS = ProviderSetting[tuple[str, ...]]("OPTIN_RESEND_SIGNING_SECRET", secrets, ())
_API_KEY = ProviderSetting("OPTIN_RESEND_API_KEY", api_key, "")
_API_URL = ProviderSetting("OPTIN_RESEND_API_URL", url, "https://api.resend.com")


def _make(context: ProviderContext) -> Resend | None:
    secrets_ = context.settings[_SIGNING_SECRETS]
    return Resend(signing_secrets=secrets_) if secrets_ else None


def _lists(settings: ProviderSettings) -> ProviderLists | None:
    if not settings[_API_KEY]:
        return None
    from handlers.webhooks.providers.resend.suppressions import ResendLists

    return ResendLists(api_key=settings[_API_KEY], api_url=settings[_API_URL])


def _known_lists(settings: ProviderSettings, write_back: bool) -> KnownLists | None:
    if not settings[_API_KEY]:
        return None
    from handlers.webhooks.providers.resend.suppressions import known_lists

    return known_lists(write_back)


SPEC = ProviderSpec(
    name=Resend.name,
    label="Resend",
    channel=Channel.EMAIL,
    settings=(_SIGNING_SECRETS, _API_KEY, _API_URL),
    routes=(Route(path="/webhooks/resend"),),
    make=_make,
    lists=_lists,
    known_lists=_known_lists,
    lists_switch=_API_KEY.name,
)

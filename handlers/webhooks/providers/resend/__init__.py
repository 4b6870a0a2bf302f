"""Resend: one event each, signed by Standard Webhooks (Svix).

https://resend.com/docs/webhooks/introduction
"""

from __future__ import annotations

from bot.config.provider_settings import ProviderSettings
from bot.config.setting_values import ProviderSetting, api_key, secrets, url
from bot.consent.known_providers import KnownLists
from bot.consent.model import Channel
from bot.consent.suppressions import Cause
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


def _known_lists(settings: ProviderSettings) -> KnownLists | None:
    """An unsubscription is on a contact or a topic, where only the operator takes it back."""
    if not settings[_API_KEY]:
        return None
    return KnownLists(
        shows=frozenset({Cause.COMPLAINT, Cause.BOUNCE, Cause.OURS}),
        one_entry=True,
        adds=True,
        removes=frozenset({Cause.BOUNCE, Cause.OURS, Cause.UNKNOWN}),
    )


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

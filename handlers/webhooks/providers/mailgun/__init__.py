"""Mailgun: one event each, in JSON; set-ups from before 2018 send forms.

https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/webhooks
"""

from __future__ import annotations

from bot.config.provider_settings import ProviderSettings
from bot.config.setting_values import ProviderSetting, api_key, domains, secrets, url
from bot.consent.known_providers import KnownLists
from bot.consent.model import Channel
from handlers.suppression_lists.provider_lists import EVERY_LIST, ProviderLists
from handlers.webhooks.provider import Route
from handlers.webhooks.provider_spec import ProviderContext, ProviderSpec
from handlers.webhooks.providers.mailgun.webhook import Mailgun

_SIGNING_KEYS = ProviderSetting[tuple[str, ...]]("OPTIN_MAILGUN_SIGNING_KEY", secrets, ())
_API_KEY = ProviderSetting("OPTIN_MAILGUN_API_KEY", api_key, "")
_DOMAINS = ProviderSetting[tuple[str, ...]]("OPTIN_MAILGUN_DOMAINS", domains, ())
_API_URL = ProviderSetting("OPTIN_MAILGUN_API_URL", url, "https://api.mailgun.net")


def _make(context: ProviderContext) -> Mailgun | None:
    keys = context.settings[_SIGNING_KEYS]
    return Mailgun(signing_keys=keys) if keys else None


def _lists(settings: ProviderSettings) -> ProviderLists | None:
    key, domains_ = settings[_API_KEY], settings[_DOMAINS]
    if bool(key) != bool(domains_):
        raise ValueError(f"{_API_KEY.name} and {_DOMAINS.name} belong together: set both.")
    if not key:
        return None
    from handlers.webhooks.providers.mailgun.suppressions import MailgunLists

    return MailgunLists(api_key=key, domains=domains_, api_url=settings[_API_URL])


def _known_lists(settings: ProviderSettings) -> KnownLists | None:
    return EVERY_LIST if settings[_API_KEY] and settings[_DOMAINS] else None


SPEC = ProviderSpec(
    name=Mailgun.name,
    label="Mailgun",
    channel=Channel.EMAIL,
    settings=(_SIGNING_KEYS, _API_KEY, _DOMAINS, _API_URL),
    routes=(Route(path="/webhooks/mailgun"),),
    make=_make,
    lists=_lists,
    known_lists=_known_lists,
    lists_switch=_API_KEY.name,
)

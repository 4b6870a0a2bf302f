"""Mailgun: one event each, in JSON; set-ups from before 2018 send forms.

https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/webhooks
"""

from __future__ import annotations

from bot.config.setting_values import ProviderSetting, secrets
from bot.consent.model import Channel
from handlers.webhooks.provider import Route
from handlers.webhooks.provider_spec import ProviderContext, ProviderSpec
from handlers.webhooks.providers.mailgun.webhook import Mailgun

_SIGNING_KEYS = ProviderSetting[tuple[str, ...]]("OPTIN_MAILGUN_SIGNING_KEY", secrets, ())


def _make(context: ProviderContext) -> Mailgun | None:
    keys = context.settings[_SIGNING_KEYS]
    return Mailgun(signing_keys=keys, seen=context.seen) if keys else None


SPEC = ProviderSpec(
    name=Mailgun.name,
    label="Mailgun",
    channel=Channel.EMAIL,
    settings=(_SIGNING_KEYS,),
    routes=(Route(path="/webhooks/mailgun"),),
    make=_make,
)

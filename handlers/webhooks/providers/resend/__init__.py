"""Resend: one event each, signed by Standard Webhooks (Svix).

https://resend.com/docs/webhooks/introduction
"""

from __future__ import annotations

from bot.config.setting_values import ProviderSetting, secrets
from bot.consent.model import Channel
from handlers.webhooks.provider import Route
from handlers.webhooks.provider_spec import ProviderContext, ProviderSpec
from handlers.webhooks.providers.resend.webhook import Resend

_SIGNING_SECRETS = ProviderSetting[tuple[str, ...]]("OPTIN_RESEND_SIGNING_SECRET", secrets, ())


def _make(context: ProviderContext) -> Resend | None:
    secrets_ = context.settings[_SIGNING_SECRETS]
    return Resend(signing_secrets=secrets_) if secrets_ else None


SPEC = ProviderSpec(
    name=Resend.name,
    label="Resend",
    channel=Channel.EMAIL,
    settings=(_SIGNING_SECRETS,),
    routes=(Route(path="/webhooks/resend"),),
    make=_make,
)

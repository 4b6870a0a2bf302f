"""SendGrid's event webhook: a batch of events about several mailboxes, in any order.

https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event
"""

from __future__ import annotations

from bot.config.setting_values import ProviderSetting, secrets
from bot.consent.model import Channel
from handlers.webhooks.provider import Route
from handlers.webhooks.provider_spec import ProviderContext, ProviderSpec
from handlers.webhooks.providers.sendgrid.webhook import Sendgrid

_PUBLIC_KEYS = ProviderSetting[tuple[str, ...]]("OPTIN_SENDGRID_PUBLIC_KEY", secrets, ())


def _make(context: ProviderContext) -> Sendgrid | None:
    keys = context.settings[_PUBLIC_KEYS]
    return Sendgrid(public_keys=keys) if keys else None


SPEC = ProviderSpec(
    name=Sendgrid.name,
    label="SendGrid",
    channel=Channel.EMAIL,
    settings=(_PUBLIC_KEYS,),
    routes=(Route(path="/webhooks/sendgrid/events"),),
    make=_make,
)

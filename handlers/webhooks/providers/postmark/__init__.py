"""Postmark: one event each, over HTTP Basic.

https://postmarkapp.com/developer/webhooks/webhooks-overview
"""

from __future__ import annotations

from bot.config.setting_values import ProviderSetting
from bot.consent.model import Channel
from handlers.webhooks.provider import Route
from handlers.webhooks.provider_spec import ProviderContext, ProviderSpec
from handlers.webhooks.providers.postmark.webhook import Postmark

_PASSWORD = ProviderSetting("OPTIN_POSTMARK_PASSWORD", str, "")
_USER = ProviderSetting("OPTIN_POSTMARK_USER", str, "")


def _make(context: ProviderContext) -> Postmark | None:
    user, password = context.settings[_USER], context.settings[_PASSWORD]
    if bool(user) != bool(password):
        raise ValueError(f"and {_USER.name} belong together: set both")
    return Postmark(user=user, password=password) if password else None


SPEC = ProviderSpec(
    name=Postmark.name,
    label="Postmark",
    channel=Channel.EMAIL,
    settings=(_PASSWORD, _USER),
    routes=(Route(path="/webhooks/postmark"),),
    make=_make,
)

"""Vonage: the Messages API and the SMS API, which have addresses and signatures of their own.

https://developer.vonage.com/en/messages/concepts/messages-status-callbacks
https://developer.vonage.com/en/messaging/sms/guides/inbound-sms
https://developer.vonage.com/en/messaging/sms/guides/delivery-receipts
"""

from __future__ import annotations

from bot.config.setting_values import ProviderSetting, matching, secrets
from bot.consent.known_providers import COMMON, BlockingWords
from bot.consent.model import Channel
from handlers.webhooks.provider import Route
from handlers.webhooks.provider_spec import ProviderContext, ProviderSpec
from handlers.webhooks.providers.vonage.webhook import Vonage

_BOTH = ("POST", "GET")


_SECRETS = ProviderSetting[tuple[str, ...]]("OPTIN_VONAGE_SIGNATURE_SECRET", secrets, ())
#: Of the SMS API.
_METHOD = ProviderSetting(
    "OPTIN_VONAGE_SIGNATURE_METHOD",
    matching("md5hash|md5|sha1|sha256|sha512", "must be md5hash, md5, sha1, sha256 or sha512"),
    "sha256",
)
_API_KEY = ProviderSetting[str | None]("OPTIN_VONAGE_API_KEY", str, None)
_APPLICATION_ID = ProviderSetting[str | None]("OPTIN_VONAGE_APPLICATION_ID", str, None)


def _make(context: ProviderContext) -> Vonage | None:
    settings = context.settings
    if not settings[_SECRETS]:
        return None
    return Vonage(
        signature_secrets=settings[_SECRETS],
        signature_method=settings[_METHOD],
        api_key=settings[_API_KEY],
        application_id=settings[_APPLICATION_ID],
    )


SPEC = ProviderSpec(
    name=Vonage.name,
    label="Vonage",
    channel=Channel.SMS,
    settings=(_SECRETS, _METHOD, _API_KEY, _APPLICATION_ID),
    # Opt-Out Assist: https://api.support.vonage.com/hc/en-us/articles/9398221473564
    blocking_words=BlockingWords(COMMON - {"stopall"}),
    routes=(
        Route(path="/webhooks/vonage/inbound", methods=_BOTH),
        Route(path="/webhooks/vonage/status", methods=_BOTH),
        Route(path="/webhooks/vonage/sms/inbound", methods=_BOTH),
        Route(path="/webhooks/vonage/sms/dlr", methods=_BOTH),
    ),
    make=_make,
)

"""Vonage: the Messages API and the SMS API, which have addresses and signatures of their own.

https://developer.vonage.com/en/messages/concepts/messages-status-callbacks
https://developer.vonage.com/en/messaging/sms/guides/inbound-sms
https://developer.vonage.com/en/messaging/sms/guides/delivery-receipts
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

from bot.config.setting_values import ProviderSetting, matching, secrets
from bot.consent.known_providers import COMMON, BlockingWords
from bot.consent.model import Channel
from handlers.webhooks.payload_parsing import text_at
from handlers.webhooks.provider import InvalidSignature, Parsed, Request, Route
from handlers.webhooks.provider_spec import ProviderContext, ProviderSpec
from handlers.webhooks.providers.vonage import events
from handlers.webhooks.providers.vonage.signature import METHODS, verify_parameters, verify_token
from handlers.webhooks.signatures import check_timestamp, same, verifying

#: Seconds. The library has no window; a retry has a token of its own.
WINDOW = 300
#: Whether a retry of the SMS API is signed anew is not written anywhere; it comes for 24 hours.
SMS_WINDOW = 25 * 3600

_BOTH = ("POST", "GET")


class Vonage:
    """Vonage's four webhooks, by the account's signature secrets."""

    name: ClassVar[str] = events.NAME

    def __init__(
        self,
        *,
        signature_secrets: Sequence[str],
        signature_method: str = "sha256",
        api_key: str | None = None,
        application_id: str | None = None,
    ) -> None:
        """`signature_method` is of the SMS API; account and application are checked where they
        are given. Raises ValueError for a method that is none of Vonage's."""
        if signature_method not in METHODS:
            raise ValueError("is no signature method of Vonage's")
        self._secrets = tuple(signature_secrets)
        self._method = signature_method
        self._api_key = api_key
        self._application = application_id

    def verify(self, request: Request, now: datetime) -> str:
        """The Messages API by its JWT, the SMS API by the `sig` among its parameters."""
        if "/sms/" in request.path:
            parameters = verifying(lambda: events.parameters(request))
            held = verify_parameters(parameters, self._secrets, self._method)
            check_timestamp(SMS_WINDOW, text_at(parameters, "timestamp"), now)
            self._check(self._api_key, text_at(parameters, "api-key"), absent_is_fine=True)
            return held
        claims, held = verify_token(request, self._secrets)
        check_timestamp(WINDOW, text_at(claims, "iat"), now)
        self._check("Vonage", text_at(claims, "iss"))
        self._check(self._api_key, text_at(claims, "api_key"))
        self._check(self._application, text_at(claims, "application_id"))
        return held

    def parse(self, request: Request, now: datetime) -> Parsed:
        """One message or one report."""
        return events.read(request)

    def _check(self, wanted: str | None, stated: str, *, absent_is_fine: bool = False) -> None:
        if wanted is None or (absent_is_fine and not stated):
            return
        if not same(wanted, stated):
            raise InvalidSignature("it is for another account or application")


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

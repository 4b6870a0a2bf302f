"""Twilio: replies, delivery reports, and Event Streams.

https://www.twilio.com/docs/messaging/guides/webhook-request
https://www.twilio.com/docs/usage/webhooks/webhooks-security
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import ClassVar

from bot.config.provider_settings import ProviderSettings
from bot.config.setting_values import ProviderSetting, matching, secrets, several, url
from bot.consent.known_providers import COMMON, BlockingWords
from bot.consent.model import Channel
from handlers.webhooks.provider import ExpectedAnswer, Parsed, Request, Route
from handlers.webhooks.provider_spec import ProviderContext, ProviderSpec
from handlers.webhooks.providers.twilio import events, signature
from handlers.webhooks.providers.twilio.backfill import TwilioBackfill


class Twilio:
    """Twilio's three webhooks, by auth tokens and shared keys."""

    name: ClassVar[str] = events.NAME

    def __init__(
        self, *, auth_tokens: Sequence[str] = (), shared_keys: Mapping[str, str] | None = None
    ) -> None:
        """`shared_keys` are secrets by the key's id."""
        self._tokens = tuple(auth_tokens)
        self._shared_keys = dict(shared_keys or {})

    def verify(self, request: Request, now: datetime) -> str:
        """Nothing in Twilio's signature tells its time."""
        return signature.verify(request, self._tokens, self._shared_keys)

    def parse(self, request: Request, now: datetime) -> Parsed:
        """One message or report, or a batch of Event Streams."""
        return events.read(request)


def _read_shared_keys(text: str) -> Mapping[str, str]:
    pairs = [pair.partition("=") for pair in several(text)]
    keys = {id_.strip(): secret.strip() for id_, _, secret in pairs}
    if len(keys) < len(pairs) or not all(keys) or not all(keys.values()):
        raise ValueError("must be like id=secret, several with commas between them")
    return keys


_AUTH_TOKENS = ProviderSetting[tuple[str, ...]]("OPTIN_TWILIO_AUTH_TOKEN", secrets, ())
#: Secrets by the key's id.
_SHARED_KEYS = ProviderSetting[Mapping[str, str]]("OPTIN_TWILIO_SHARED_KEYS", _read_shared_keys, {})
#: Switches on asking for what was missed.
_ACCOUNT_SID = ProviderSetting[str | None](
    "OPTIN_TWILIO_ACCOUNT_SID",
    matching("AC[0-9a-fA-F]{32}", "must be the account's SID, which begins with AC"),
    None,
)
_API_URL = ProviderSetting("OPTIN_TWILIO_API_URL", url, "https://api.twilio.com")


def _make(context: ProviderContext) -> Twilio | None:
    tokens, keys = context.settings[_AUTH_TOKENS], context.settings[_SHARED_KEYS]
    if (tokens or keys) and not context.public_url:
        raise ValueError("needs OPTIN_PUBLIC_URL beside it, since Twilio signs that address")
    return Twilio(auth_tokens=tokens, shared_keys=keys) if tokens or keys else None


def _backfill(settings: ProviderSettings) -> TwilioBackfill | None:
    account, tokens = settings[_ACCOUNT_SID], settings[_AUTH_TOKENS]
    if not account or not tokens:
        return None
    return TwilioBackfill(account_sid=account, auth_tokens=tokens, api_url=settings[_API_URL])


def _no_reply(_: Request) -> ExpectedAnswer:
    """TwiML that texts nothing back."""
    return ExpectedAnswer(body="<Response/>", media_type="text/xml")


SPEC = ProviderSpec(
    name=Twilio.name,
    label="Twilio",
    channel=Channel.SMS,
    settings=(_AUTH_TOKENS, _SHARED_KEYS, _ACCOUNT_SID, _API_URL),
    # REVOKE and OPTOUT since 29 April 2025:
    # https://help.twilio.com/hc/en-us/articles/223134027
    blocking_words=BlockingWords(COMMON | {"revoke", "optout"}),
    routes=(
        Route(path="/webhooks/twilio/inbound", answer=_no_reply),
        Route(path="/webhooks/twilio/status"),
        Route(path="/webhooks/twilio/events"),
    ),
    backfill=_backfill,
    make=_make,
    advice={
        "missed": "Check OPTIN_TWILIO_ACCOUNT_SID, the auth token, and that OPTIN_TWILIO_API_URL "
        "answers.",
    },
)

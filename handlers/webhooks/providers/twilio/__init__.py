"""Twilio: replies, delivery reports, and Event Streams.

https://www.twilio.com/docs/messaging/guides/webhook-request
https://www.twilio.com/docs/usage/webhooks/webhooks-security
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from bot.config.provider_settings import ProviderSettings
from bot.config.setting_values import ProviderSetting, matching, secrets, several, url
from bot.consent.known_providers import COMMON, BlockingWords, KnownLists
from bot.consent.model import Channel
from handlers.suppression_lists.provider_lists import ProviderLists
from handlers.webhooks.backfill_source import BackfillSource
from handlers.webhooks.provider import Route
from handlers.webhooks.provider_spec import ProviderContext, ProviderSpec
from handlers.webhooks.providers.twilio.webhook import Twilio, no_reply


def _read_shared_keys(text: str) -> Mapping[str, str]:
    pairs = [pair.partition("=") for pair in several(text)]
    keys = {id_.strip(): secret.strip() for id_, _, secret in pairs}
    if len(keys) < len(pairs) or not all(keys) or not all(keys.values()):
        raise ValueError("must be like id=secret, several with commas between them")
    return keys


_SENDER = re.compile(r"MG[0-9a-fA-F]{32}|\+[1-9][0-9]{6,14}", re.ASCII)


def _read_senders(text: str) -> tuple[str, ...]:
    senders = several(text)
    if not senders or not all(map(_SENDER.fullmatch, senders)):
        raise ValueError("must be messaging services (MG…) and numbers like +18885550199")
    return senders


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

#: Opt-outs are added to Twilio's consents, which are a pilot.
_CONSENT = ProviderSetting(
    "OPTIN_TWILIO_CONSENT", matching("add", "must be add, or not be set"), ""
)
_CONSENT_SENDERS = ProviderSetting[tuple[str, ...]](
    "OPTIN_TWILIO_CONSENT_SENDERS", _read_senders, ()
)
_CONSENT_URL = ProviderSetting("OPTIN_TWILIO_CONSENT_URL", url, "https://accounts.twilio.com")


def _make(context: ProviderContext) -> Twilio | None:
    tokens, keys = context.settings[_AUTH_TOKENS], context.settings[_SHARED_KEYS]
    if (tokens or keys) and not context.public_url:
        raise ValueError("needs OPTIN_PUBLIC_URL beside it, since Twilio signs that address")
    return Twilio(auth_tokens=tokens, shared_keys=keys) if tokens or keys else None


def _backfill(settings: ProviderSettings) -> BackfillSource | None:
    account, tokens = settings[_ACCOUNT_SID], settings[_AUTH_TOKENS]
    if not account or not tokens:
        return None
    from handlers.webhooks.providers.twilio.backfill import TwilioBackfill

    return TwilioBackfill(account_sid=account, auth_tokens=tokens, api_url=settings[_API_URL])


def _lists(settings: ProviderSettings) -> ProviderLists | None:
    if not settings[_CONSENT]:
        return None
    account, tokens = settings[_ACCOUNT_SID], settings[_AUTH_TOKENS]
    if not account or not tokens or not settings[_CONSENT_SENDERS]:
        raise ValueError(
            f"{_CONSENT.name} needs {_ACCOUNT_SID.name}, {_AUTH_TOKENS.name} and "
            f"{_CONSENT_SENDERS.name} beside it."
        )
    from handlers.webhooks.providers.twilio.suppressions import TwilioConsents

    return TwilioConsents(
        account_sid=account,
        auth_tokens=tokens,
        senders=settings[_CONSENT_SENDERS],
        api_url=settings[_CONSENT_URL],
    )


def _known_lists(settings: ProviderSettings) -> KnownLists | None:
    needed = (_CONSENT, _ACCOUNT_SID, _AUTH_TOKENS, _CONSENT_SENDERS)
    return KnownLists(reads=False, adds=True) if all(settings[one] for one in needed) else None


SPEC = ProviderSpec(
    name=Twilio.name,
    label="Twilio",
    channel=Channel.SMS,
    settings=(
        _AUTH_TOKENS,
        _SHARED_KEYS,
        _ACCOUNT_SID,
        _API_URL,
        _CONSENT,
        _CONSENT_SENDERS,
        _CONSENT_URL,
    ),
    # REVOKE and OPTOUT since 29 April 2025:
    # https://help.twilio.com/hc/en-us/articles/223134027
    blocking_words=BlockingWords(COMMON | {"revoke", "optout"}),
    routes=(
        Route(path="/webhooks/twilio/inbound", answer=no_reply),
        Route(path="/webhooks/twilio/status"),
        Route(path="/webhooks/twilio/events"),
    ),
    backfill=_backfill,
    make=_make,
    lists=_lists,
    known_lists=_known_lists,
    lists_switch=_CONSENT.name,
    advice={
        "missed": "Check OPTIN_TWILIO_ACCOUNT_SID, the auth token, and that OPTIN_TWILIO_API_URL "
        "answers.",
    },
)

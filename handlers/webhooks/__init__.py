"""The messaging providers. To add one: its folder in `providers/`, its row in `_TABLE`, its
settings in `bot/config/provider_settings.py`, and for SMS its row of opt-out words in
`bot/consent/replies/keywords.py`. Recorded requests stand in `tests/fixtures/<name>/`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from bot.config.provider_settings import ProviderSettings
from bot.consent.model import Channel
from bot.consent.replies.keywords import BLOCKING
from handlers.webhooks.backfill_source import BackfillSource
from handlers.webhooks.provider import Provider, ReplayGuard
from handlers.webhooks.providers.mailgun import Mailgun
from handlers.webhooks.providers.one_click import MailboxesOf, OneClick
from handlers.webhooks.providers.postmark import Postmark
from handlers.webhooks.providers.resend import Resend
from handlers.webhooks.providers.sendgrid import Sendgrid
from handlers.webhooks.providers.ses import Ses
from handlers.webhooks.providers.ses.certificates import Certificates
from handlers.webhooks.providers.telnyx import Telnyx
from handlers.webhooks.providers.twilio import Twilio
from handlers.webhooks.providers.twilio.backfill import TwilioBackfill
from handlers.webhooks.providers.vonage import Vonage


@dataclass(frozen=True, slots=True, kw_only=True)
class _Given:
    """What providers are made of."""

    settings: ProviderSettings
    public_url: str | None
    seen: ReplayGuard
    mailboxes_of: MailboxesOf


def providers(
    settings: ProviderSettings,
    *,
    public_url: str | None,
    seen: ReplayGuard,
    mailboxes_of: MailboxesOf,
) -> list[Provider]:
    """Those whose secret is set.

    Raises ValueError with a sentence that names the setting that is missing or malformed.
    """
    given = _Given(settings=settings, public_url=public_url, seen=seen, mailboxes_of=mailboxes_of)
    made: list[Provider] = []
    for row in _TABLE.values():
        try:
            provider = row.make(given)
        except ValueError as error:
            raise ValueError(f"{row.setting} {error}.") from None
        if provider is not None:
            made.append(provider)
    return made


def missed(settings: ProviderSettings) -> list[BackfillSource]:
    """Those that can be asked for what was missed while we were down."""
    found: list[BackfillSource] = []
    if settings.twilio_account_sid and settings.twilio_auth_tokens:
        found.append(
            TwilioBackfill(
                account_sid=settings.twilio_account_sid,
                auth_tokens=settings.twilio_auth_tokens,
                api_url=settings.twilio_api_url,
            )
        )
    return found


def _twilio(given: _Given) -> Provider | None:
    tokens, keys = given.settings.twilio_auth_tokens, given.settings.twilio_shared_keys
    if (tokens or keys) and not given.public_url:
        raise ValueError("needs OPTIN_PUBLIC_URL beside it, since Twilio signs that address")
    return Twilio(auth_tokens=tokens, shared_keys=keys) if tokens or keys else None


def _telnyx(given: _Given) -> Provider | None:
    keys = given.settings.telnyx_public_keys
    return Telnyx(public_keys=keys) if keys else None


def _vonage(given: _Given) -> Provider | None:
    settings = given.settings
    if not settings.vonage_signature_secrets:
        return None
    return Vonage(
        signature_secrets=settings.vonage_signature_secrets,
        signature_method=settings.vonage_signature_method,
        api_key=settings.vonage_api_key,
        application_id=settings.vonage_application_id,
    )


def _sendgrid(given: _Given) -> Provider | None:
    keys = given.settings.sendgrid_public_keys
    return Sendgrid(public_keys=keys) if keys else None


def _mailgun(given: _Given) -> Provider | None:
    keys = given.settings.mailgun_signing_keys
    return Mailgun(signing_keys=keys, seen=given.seen) if keys else None


def _postmark(given: _Given) -> Provider | None:
    user, password = given.settings.postmark_user, given.settings.postmark_password
    if bool(user) != bool(password):
        raise ValueError("and OPTIN_POSTMARK_USER belong together: set both")
    return Postmark(user=user, password=password) if password else None


def _ses(given: _Given) -> Provider | None:
    topics = given.settings.ses_topic_arns
    certificates = Certificates(given.settings.ses_certificates)
    return Ses(topic_arns=topics, certificates=certificates) if topics else None


def _resend(given: _Given) -> Provider | None:
    secrets = given.settings.resend_signing_secrets
    return Resend(signing_secrets=secrets) if secrets else None


def _one_click(given: _Given) -> Provider | None:
    keys = given.settings.unsubscribe_keys
    return OneClick(keys=keys, mailboxes_of=given.mailboxes_of) if keys else None


@dataclass(frozen=True, slots=True)
class ProviderRow:
    """One provider of the registry."""

    name: str
    channel: Channel
    #: The setting that switches it on.
    setting: str
    make: Callable[[_Given], Provider | None]


def register(rows: Iterable[ProviderRow]) -> Mapping[str, ProviderRow]:
    """The rows by name.

    Raises ValueError for an SMS provider without opt-out words: after a STOP nobody could tell
    whether it blocks, and a re-opt-in would complete without the contact's UNSTOP.
    """
    table = {row.name: row for row in rows}
    for row in table.values():
        if row.channel is Channel.SMS and not BLOCKING.get(row.name):
            raise ValueError(
                f"The SMS provider {row.name!r} has no opt-out words: add its row to BLOCKING in "
                "bot/consent/replies/keywords.py."
            )
    return table


_TABLE = register(
    [
        ProviderRow(Twilio.name, Channel.SMS, "OPTIN_TWILIO_AUTH_TOKEN", _twilio),
        ProviderRow(Telnyx.name, Channel.SMS, "OPTIN_TELNYX_PUBLIC_KEY", _telnyx),
        ProviderRow(Vonage.name, Channel.SMS, "OPTIN_VONAGE_SIGNATURE_SECRET", _vonage),
        ProviderRow(Sendgrid.name, Channel.EMAIL, "OPTIN_SENDGRID_PUBLIC_KEY", _sendgrid),
        ProviderRow(Mailgun.name, Channel.EMAIL, "OPTIN_MAILGUN_SIGNING_KEY", _mailgun),
        ProviderRow(Postmark.name, Channel.EMAIL, "OPTIN_POSTMARK_PASSWORD", _postmark),
        ProviderRow(Ses.name, Channel.EMAIL, "OPTIN_SES_TOPIC_ARNS", _ses),
        ProviderRow(Resend.name, Channel.EMAIL, "OPTIN_RESEND_SIGNING_SECRET", _resend),
        ProviderRow(OneClick.name, Channel.EMAIL, "OPTIN_UNSUBSCRIBE_KEY", _one_click),
    ]
)

#: Every provider there is, with the setting that switches it on.
SWITCHES: Mapping[str, str] = {name: row.setting for name, row in _TABLE.items()}
#: The providers that carry SMS.
SMS_PROVIDERS = frozenset(name for name, row in _TABLE.items() if row.channel is Channel.SMS)

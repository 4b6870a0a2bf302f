"""The messaging providers. To add one: its module, its row in `_TABLE`, its settings in
`bot/provider_settings.py`, and recorded requests in `tests/fixtures/<name>/`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bot.provider_settings import ProviderSettings
from handlers.webhooks.mailgun import Mailgun
from handlers.webhooks.missed import Missed
from handlers.webhooks.one_click import EmailOf, OneClick
from handlers.webhooks.postmark import Postmark
from handlers.webhooks.provider import Provider, Seen
from handlers.webhooks.resend import Resend
from handlers.webhooks.sendgrid import Sendgrid
from handlers.webhooks.ses import Ses
from handlers.webhooks.ses.certificates import Certificates
from handlers.webhooks.telnyx import Telnyx
from handlers.webhooks.twilio import Twilio
from handlers.webhooks.twilio.missed import TwilioMissed
from handlers.webhooks.vonage import Vonage


@dataclass(frozen=True, slots=True, kw_only=True)
class _Given:
    """What providers are made of."""

    settings: ProviderSettings
    public_url: str | None
    seen: Seen
    email_of: EmailOf


def providers(
    settings: ProviderSettings, *, public_url: str | None, seen: Seen, email_of: EmailOf
) -> list[Provider]:
    """Those whose secret is set.

    Raises ValueError with a sentence that names the setting that is missing or malformed.
    """
    given = _Given(settings=settings, public_url=public_url, seen=seen, email_of=email_of)
    made: list[Provider] = []
    for setting, make in _TABLE.values():
        try:
            provider = make(given)
        except ValueError as error:
            raise ValueError(f"{setting} {error}.") from None
        if provider is not None:
            made.append(provider)
    return made


def missed(settings: ProviderSettings) -> list[Missed]:
    """Those that can be asked for what was missed while we were down."""
    found: list[Missed] = []
    if settings.twilio_account_sid and settings.twilio_auth_tokens:
        found.append(
            TwilioMissed(
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
    return OneClick(keys=keys, email_of=given.email_of) if keys else None


#: By name: the setting that switches a provider on, and what makes it.
_TABLE: Mapping[str, tuple[str, Callable[[_Given], Provider | None]]] = {
    Twilio.name: ("OPTIN_TWILIO_AUTH_TOKEN", _twilio),
    Telnyx.name: ("OPTIN_TELNYX_PUBLIC_KEY", _telnyx),
    Vonage.name: ("OPTIN_VONAGE_SIGNATURE_SECRET", _vonage),
    Sendgrid.name: ("OPTIN_SENDGRID_PUBLIC_KEY", _sendgrid),
    Mailgun.name: ("OPTIN_MAILGUN_SIGNING_KEY", _mailgun),
    Postmark.name: ("OPTIN_POSTMARK_PASSWORD", _postmark),
    Ses.name: ("OPTIN_SES_TOPIC_ARNS", _ses),
    Resend.name: ("OPTIN_RESEND_SIGNING_SECRET", _resend),
    OneClick.name: ("OPTIN_UNSUBSCRIBE_KEY", _one_click),
}

#: Every provider there is, with the setting that switches it on.
SWITCHES: Mapping[str, str] = {name: setting for name, (setting, _) in _TABLE.items()}

"""The settings of the messaging providers. A provider is on when its secret is set."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bot.config.setting_values import Rows, matching, secrets, several, url


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderSettings:
    """What the operator said of each provider. Secrets stay out of the repr, and are several
    while one replaces another."""

    twilio_auth_tokens: tuple[str, ...] = field(default=(), repr=False)
    #: Secrets by the key's id.
    twilio_shared_keys: Mapping[str, str] = field(default_factory=dict, repr=False)
    #: Switches on pulling what was missed.
    twilio_account_sid: str | None = None
    twilio_api_url: str = "https://api.twilio.com"
    telnyx_public_keys: tuple[str, ...] = field(default=(), repr=False)
    sendgrid_public_keys: tuple[str, ...] = field(default=(), repr=False)
    mailgun_signing_keys: tuple[str, ...] = field(default=(), repr=False)
    resend_signing_secrets: tuple[str, ...] = field(default=(), repr=False)
    vonage_signature_secrets: tuple[str, ...] = field(default=(), repr=False)
    vonage_signature_method: str = "sha256"
    vonage_api_key: str | None = None
    vonage_application_id: str | None = None
    postmark_user: str = ""
    postmark_password: str = field(default="", repr=False)
    ses_topic_arns: tuple[str, ...] = ()
    #: A folder; Amazon is asked for what is not in it.
    ses_certificates: Path | None = None
    unsubscribe_keys: tuple[str, ...] = field(default=(), repr=False)


def _shared_keys(text: str) -> Mapping[str, str]:
    pairs = [pair.partition("=") for pair in several(text)]
    keys = {id_.strip(): secret.strip() for id_, _, secret in pairs}
    if len(keys) < len(pairs) or not all(keys) or not all(keys.values()):
        raise ValueError("must be like id=secret, several with commas between them")
    return keys


def _topic_arns(text: str) -> tuple[str, ...]:
    arns = several(text)
    arn = re.compile("arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_.-]+", re.ASCII)
    if not arns or not all(map(arn.fullmatch, arns)):
        raise ValueError("must be topics like arn:aws:sns:us-east-1:123456789012:optin")
    return arns


def _folder(text: str) -> Path:
    if not Path(text).is_dir():
        raise ValueError(f"names {text}, which is no folder")
    return Path(text)


def _unsubscribe_keys(text: str) -> tuple[str, ...]:
    keys = secrets(text)
    if any(len(key) < 16 for key in keys):
        raise ValueError("must have at least 16 characters, as `openssl rand -hex 32` prints them")
    return keys


#: As `bot.config.settings` reads them.
ROWS: Rows = {
    "OPTIN_TWILIO_AUTH_TOKEN": ("twilio_auth_tokens", secrets),
    "OPTIN_TWILIO_SHARED_KEYS": ("twilio_shared_keys", _shared_keys),
    "OPTIN_TWILIO_ACCOUNT_SID": (
        "twilio_account_sid",
        matching("AC[0-9a-fA-F]{32}", "must be the account's SID, which begins with AC"),
    ),
    "OPTIN_TWILIO_API_URL": ("twilio_api_url", url),
    "OPTIN_TELNYX_PUBLIC_KEY": ("telnyx_public_keys", secrets),
    "OPTIN_SENDGRID_PUBLIC_KEY": ("sendgrid_public_keys", secrets),
    "OPTIN_MAILGUN_SIGNING_KEY": ("mailgun_signing_keys", secrets),
    "OPTIN_RESEND_SIGNING_SECRET": ("resend_signing_secrets", secrets),
    "OPTIN_VONAGE_SIGNATURE_SECRET": ("vonage_signature_secrets", secrets),
    "OPTIN_VONAGE_SIGNATURE_METHOD": (
        "vonage_signature_method",
        matching("md5hash|md5|sha1|sha256|sha512", "must be md5hash, md5, sha1, sha256 or sha512"),
    ),
    "OPTIN_VONAGE_API_KEY": ("vonage_api_key", str),
    "OPTIN_VONAGE_APPLICATION_ID": ("vonage_application_id", str),
    "OPTIN_POSTMARK_USER": ("postmark_user", str),
    "OPTIN_POSTMARK_PASSWORD": ("postmark_password", str),
    "OPTIN_SES_TOPIC_ARNS": ("ses_topic_arns", _topic_arns),
    "OPTIN_SES_CERTIFICATES": ("ses_certificates", _folder),
    "OPTIN_UNSUBSCRIBE_KEY": ("unsubscribe_keys", _unsubscribe_keys),
}

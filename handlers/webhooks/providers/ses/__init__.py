"""Amazon SES, by its events and its feedback notifications, which come over SNS.

https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html
https://docs.aws.amazon.com/ses/latest/dg/notification-contents.html
"""

from __future__ import annotations

import re
from pathlib import Path

from bot.config.provider_settings import ProviderSettings
from bot.config.setting_values import ProviderSetting, api_key, matching, several, url
from bot.consent.known_providers import KnownLists
from bot.consent.model import Channel
from bot.consent.suppressions import Cause
from handlers.suppression_lists.provider_lists import ProviderLists
from handlers.webhooks.provider import Route
from handlers.webhooks.provider_spec import ProviderContext, ProviderSpec
from handlers.webhooks.providers.ses import amazon
from handlers.webhooks.providers.ses.certificates import Certificates
from handlers.webhooks.providers.ses.webhook import Ses

_ARN = re.compile("arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_.-]+", re.ASCII)


def _read_topic_arns(text: str) -> tuple[str, ...]:
    arns = several(text)
    if not arns or not all(map(_ARN.fullmatch, arns)):
        raise ValueError("must be topics like arn:aws:sns:us-east-1:123456789012:optin")
    return arns


def _read_folder(text: str) -> Path:
    if not Path(text).is_dir():
        raise ValueError(f"names {text}, which is no folder")
    return Path(text)


_TOPIC_ARNS = ProviderSetting[tuple[str, ...]]("OPTIN_SES_TOPIC_ARNS", _read_topic_arns, ())
#: A folder; Amazon is asked for what is not in it.
_CERTIFICATES = ProviderSetting[Path | None]("OPTIN_SES_CERTIFICATES", _read_folder, None)

#: Switches the suppression list on.
_REGION = ProviderSetting(
    "OPTIN_SES_REGION",
    matching("[a-z]{2}(-[a-z]+)+-[0-9]", "must be a region such as us-east-1"),
    "",
)
_API_URL = ProviderSetting("OPTIN_SES_API_URL", url, "")
#: Opt-outs are added as complaints.
_OPTOUT = ProviderSetting(
    "OPTIN_SES_OPTOUT", matching("complaint", "must be complaint, or not be set"), ""
)
#: AWS's own variables may be there for other programs, so that nothing is checked before use.
_KEY_ID = ProviderSetting("AWS_ACCESS_KEY_ID", str, "")
_SECRET_KEY = ProviderSetting("AWS_SECRET_ACCESS_KEY", str, "")
_SESSION_TOKEN = ProviderSetting("AWS_SESSION_TOKEN", str, "")


def _make(context: ProviderContext) -> Ses | None:
    topics = context.settings[_TOPIC_ARNS]
    certificates = Certificates(context.settings[_CERTIFICATES])
    return Ses(topic_arns=topics, certificates=certificates) if topics else None


def _lists(settings: ProviderSettings) -> ProviderLists | None:
    region = settings[_REGION]
    if not region:
        return None
    if not settings[_KEY_ID] or not settings[_SECRET_KEY]:
        raise ValueError(f"{_REGION.name} needs {_KEY_ID.name} and {_SECRET_KEY.name} beside it.")
    from handlers.webhooks.providers.ses.amazon_signature import AmazonKey
    from handlers.webhooks.providers.ses.suppressions import SesLists

    key = AmazonKey(
        id=_checked(settings, _KEY_ID),
        secret=_checked(settings, _SECRET_KEY),
        session_token=_checked(settings, _SESSION_TOKEN),
        region=region,
    )
    country = ".cn" if region.startswith("cn-") else ""
    api_url = settings[_API_URL] or f"https://email.{region}.amazonaws.com{country}"
    return SesLists(key=key, api_url=api_url)


def _checked(settings: ProviderSettings, setting: ProviderSetting[str]) -> str:
    try:
        return api_key(settings[setting])
    except ValueError as error:
        raise ValueError(f"{setting.name} {error}.") from None


def _known_lists(settings: ProviderSettings) -> KnownLists | None:
    """Amazon has no reason for an opt-out, so that they are added only where the operator wants
    them as complaints. Unsubscriptions are in contact lists."""
    if not all(settings[one] for one in (_REGION, _KEY_ID, _SECRET_KEY)):
        return None
    ours = frozenset({Cause.OURS}) if settings[_OPTOUT] else frozenset()
    return KnownLists(
        shows=frozenset({Cause.COMPLAINT, Cause.BOUNCE}) | ours,
        one_entry=True,
        adds=bool(ours),
        added_as=frozenset({Cause.OURS, Cause.COMPLAINT}),
        removes=frozenset({Cause.BOUNCE, Cause.UNKNOWN}) | ours,
    )


SPEC = ProviderSpec(
    name=Ses.name,
    label="Amazon SES",
    channel=Channel.EMAIL,
    settings=(
        _TOPIC_ARNS,
        _CERTIFICATES,
        _REGION,
        _API_URL,
        _OPTOUT,
        _KEY_ID,
        _SECRET_KEY,
        _SESSION_TOKEN,
    ),
    routes=(Route(path="/webhooks/ses"),),
    make=_make,
    lists=_lists,
    known_lists=_known_lists,
    lists_switch=_REGION.name,
    confirm=amazon.fetch,
    advice={
        "unverifiable": "Let this machine reach amazonaws.com, or put the certificate into "
        "OPTIN_SES_CERTIFICATES.",
    },
)

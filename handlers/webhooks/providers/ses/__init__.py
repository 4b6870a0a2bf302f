"""Amazon SES, by its events and its feedback notifications, which come over SNS.

https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html
https://docs.aws.amazon.com/ses/latest/dg/notification-contents.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import ClassVar

from bot.config.setting_values import ProviderSetting, several
from bot.consent.model import Channel
from handlers.webhooks.provider import Parsed, Request, Route
from handlers.webhooks.provider_spec import ProviderContext, ProviderSpec
from handlers.webhooks.providers.ses import amazon, events, sns
from handlers.webhooks.providers.ses.certificates import Certificates

_ARN = re.compile("arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_.-]+", re.ASCII)


class Ses:
    """SES's webhook, by the topics that are ours."""

    name: ClassVar[str] = events.NAME

    def __init__(self, *, topic_arns: Iterable[str], certificates: Certificates) -> None:
        self._topics = frozenset(topic_arns)
        self._certificates = certificates

    def verify(self, request: Request, now: datetime) -> str:
        """By Amazon's certificate, which may have to be fetched; so this may take seconds once."""
        sns.verify(request, now, self._topics, self._certificates)
        return "Amazon's certificate"

    def parse(self, request: Request, now: datetime) -> Parsed:
        """One message, about one mailbox or several."""
        return events.read(request)


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


def _make(context: ProviderContext) -> Ses | None:
    topics = context.settings[_TOPIC_ARNS]
    certificates = Certificates(context.settings[_CERTIFICATES])
    return Ses(topic_arns=topics, certificates=certificates) if topics else None


SPEC = ProviderSpec(
    name=Ses.name,
    label="Amazon SES",
    channel=Channel.EMAIL,
    settings=(_TOPIC_ARNS, _CERTIFICATES),
    routes=(Route(path="/webhooks/ses"),),
    make=_make,
    confirm=amazon.fetch,
    advice={
        "unverifiable": "Let this machine reach amazonaws.com, or put the certificate into "
        "OPTIN_SES_CERTIFICATES.",
    },
)

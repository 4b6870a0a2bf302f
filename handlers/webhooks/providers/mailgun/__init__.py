"""Mailgun: one event each, in JSON; set-ups from before 2018 send forms.

https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/webhooks
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

from bot.config.setting_values import ProviderSetting, secrets
from bot.consent.model import Channel
from handlers.webhooks.provider import Parsed, ReplayGuard, Request, Route
from handlers.webhooks.provider_spec import ProviderContext, ProviderSpec
from handlers.webhooks.providers.mailgun import events, signature


class Mailgun:
    """Mailgun's webhooks, by the account's webhook signing keys."""

    name: ClassVar[str] = events.NAME

    def __init__(self, *, signing_keys: Sequence[str], seen: ReplayGuard) -> None:
        """`seen` keeps the tokens of a quarter of an hour."""
        self._keys = tuple(key.encode() for key in signing_keys)
        self._seen = seen

    def verify(self, request: Request, now: datetime) -> str:
        """By the signature, and by whether its token stands for this content."""
        return signature.verify(request, self._keys, self._seen, now)

    def parse(self, request: Request, now: datetime) -> Parsed:
        """One event."""
        return events.read(request)


_SIGNING_KEYS = ProviderSetting[tuple[str, ...]]("OPTIN_MAILGUN_SIGNING_KEY", secrets, ())


def _make(context: ProviderContext) -> Mailgun | None:
    keys = context.settings[_SIGNING_KEYS]
    return Mailgun(signing_keys=keys, seen=context.seen) if keys else None


SPEC = ProviderSpec(
    name=Mailgun.name,
    label="Mailgun",
    channel=Channel.EMAIL,
    settings=(_SIGNING_KEYS,),
    routes=(Route(path="/webhooks/mailgun"),),
    make=_make,
)

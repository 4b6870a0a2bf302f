"""Resend: one event each, signed by Standard Webhooks (Svix).

https://resend.com/docs/webhooks/introduction
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

from bot.config.setting_values import ProviderSetting, secrets
from bot.consent.model import Channel
from handlers.webhooks.provider import Parsed, Request, Route
from handlers.webhooks.provider_spec import ProviderContext, ProviderSpec
from handlers.webhooks.providers.resend import events, signature


class Resend:
    """Resend's webhook, by its signing secrets."""

    name: ClassVar[str] = events.NAME

    def __init__(self, *, signing_secrets: Sequence[str]) -> None:
        """Secrets as Resend shows them, `whsec_…`. Raises ValueError where one is none."""
        self._secrets = tuple(signature.read_secret(secret) for secret in signing_secrets)

    def verify(self, request: Request, now: datetime) -> str:
        """Over id, time and the raw body."""
        return signature.verify(request, self._secrets, now)

    def parse(self, request: Request, now: datetime) -> Parsed:
        """One event; its id is the one that was signed."""
        return events.read(request)


_SIGNING_SECRETS = ProviderSetting[tuple[str, ...]]("OPTIN_RESEND_SIGNING_SECRET", secrets, ())


def _make(context: ProviderContext) -> Resend | None:
    secrets_ = context.settings[_SIGNING_SECRETS]
    return Resend(signing_secrets=secrets_) if secrets_ else None


SPEC = ProviderSpec(
    name=Resend.name,
    label="Resend",
    channel=Channel.EMAIL,
    settings=(_SIGNING_SECRETS,),
    routes=(Route(path="/webhooks/resend"),),
    make=_make,
)

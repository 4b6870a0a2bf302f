"""What `optin doctor` says of the messaging providers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import datetime

from bot.cli.finding import Finding
from bot.config.settings import Settings
from bot.consent.errors import StorageFailed
from bot.runtime import clock
from handlers.webhooks.providers import SPECS
from handlers.webhooks.receiver.provider_health import ProviderStatus, provider_status
from handlers.webhooks.receiver.provider_words import findings_of
from handlers.webhooks.registry import make_providers
from storage import open_store


def provider_findings(settings: Settings) -> Iterator[Finding]:
    """A line for each provider: whether it is on, and what was heard of it."""
    try:
        made = make_providers(
            settings.providers,
            public_url=settings.public_url,
            mailboxes_of=lambda _: None,
        )
    except ValueError as error:
        yield Finding(what="A provider can't be switched on.", cure=str(error))
        return
    on = {provider.name for provider in made}
    try:
        with closing(open_store(settings.storage)) as store, store.reading() as records:
            known = {name: provider_status(records.key_value, name) for name in on}
    except StorageFailed:
        known = {}
    for spec in SPECS.values():
        if spec.name in on:
            heard = known.get(spec.name, ProviderStatus())
            for found in findings_of(spec, heard, clock.now(), _said):
                yield Finding(what=found.what, cure=found.cure, advice=found.cure is not None)
        else:
            yield Finding(what=f"{spec.heading} is off; {spec.switch} switches it on.", off=True)


def _said(at: datetime) -> str:
    return f"{at.day} {at:%b %Y, %H:%M} UTC"

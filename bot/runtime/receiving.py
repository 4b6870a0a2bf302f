"""The providers that are on, joined with the use cases: their routes, and what runs beside."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial

from starlette.routing import BaseRoute

from bot.config.settings import Settings, SettingsError
from bot.consent.replies import read_reply
from bot.consent.use_cases import Service
from bot.runtime.repeated import every
from handlers.webhooks.providers import SPECS
from handlers.webhooks.receiver import (
    Backfill,
    BackfillJob,
    BatchQueue,
    ConfirmationJob,
    EventCounter,
    ProviderHealth,
    WebhookReceiver,
    mailboxes_of,
    webhook_routes,
)
from handlers.webhooks.receiver.signed_times import SignedTimes
from handlers.webhooks.registry import backfill_sources, make_providers

#: Seconds between two looks whether to ask for what was missed, at what is to be confirmed, and at
#: what is noted of the providers.
_MISSED, _CONFIRM, _NOTE = 5.0, 5.0, 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiving:
    """For `handlers.web.web_app` and for `bot.runtime.server.Server`."""

    routes: Sequence[BaseRoute]
    beside: Sequence[Callable[[], Awaitable[None]]]
    #: Names of the providers that are on.
    on: Sequence[str]
    signed_times: SignedTimes


@contextmanager
def receiving(settings: Settings, service: Service, counted: EventCounter) -> Iterator[Receiving]:
    """Raises `SettingsError` where a provider's settings can't be."""
    try:
        on = make_providers(
            settings.providers,
            public_url=settings.public_url,
            mailboxes_of=partial(mailboxes_of, service),
        )
    except ValueError as error:
        raise SettingsError(str(error)) from None
    if on:
        # What reads replies is loaded by the first; not while a contact's transaction waits for it.
        read_reply("hello", None, settings.languages)
    health = ProviderHealth()
    intake = WebhookReceiver(service, counted=counted, health=health)
    with ExitStack() as stack:
        lines = {one.name: stack.enter_context(BatchQueue(intake, one)) for one in on}
        routes = webhook_routes(
            lines,
            {spec.name: spec.routes for spec in SPECS.values()},
            public_url=settings.public_url,
        )
        beside = [every(_NOTE, "noting", lambda _: health.keep(service))] if on else []
        confirms = [spec.confirm for one in on if (spec := SPECS[one.name]).confirm]
        beside += [every(_CONFIRM, "confirming", ConfirmationJob(service, c)) for c in confirms]
        if sources := backfill_sources(settings.providers):
            catching_up = BackfillJob(service, Backfill(service, intake, sources, health))
            beside.append(every(_MISSED, "missed", catching_up))
        yield Receiving(
            routes=routes,
            beside=beside,
            on=[one.name for one in on],
            signed_times=health.signed_times,
        )

"""What runs beside the server for the providers' suppression lists, where any is on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

from bot.config.settings import Settings, SettingsError
from bot.consent.use_cases import Service
from bot.runtime.jobs import Timer
from handlers.suppression_lists.list_reader import ListReader
from handlers.suppression_lists.lists_health import ListsHealth
from handlers.suppression_lists.provider_lists import ProviderLists
from handlers.suppression_lists.write_worker import WriteWorker
from handlers.webhooks.registry import list_clients

#: Between two looks at how the lists stand, for /metrics: all writes are counted.
_LOOK = timedelta(minutes=1)


def open_lists(settings: Settings) -> Mapping[str, ProviderLists]:
    """The lists that Optin has a key for, by provider. Raises `SettingsError` where a provider's
    settings can't be."""
    try:
        return list_clients(settings.providers)
    except ValueError as error:
        raise SettingsError(str(error)) from None


def list_jobs(
    service: Service, lists: Mapping[str, ProviderLists]
) -> list[Callable[[], Awaitable[None]]]:
    """For `bot.runtime.server.Server`: what writes to the lists, and what reads them."""
    return [WriteWorker(service, lists).run, ListReader(service, lists).run] if lists else []


def lists_timer(health: ListsHealth) -> Timer:
    """Keeps /metrics true."""
    return Timer(name="health of the lists", every=_LOOK, run=health.look)

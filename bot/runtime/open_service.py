"""The use cases over the storage that the settings name: for the bot and the command line alike."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager

from bot.config.settings import Settings, SettingsError
from bot.consent.use_cases import Service
from bot.consent.use_cases.copy_storage import is_half_a_copy
from bot.consent.use_cases.migrate import has_old_spellings, is_outdated
from bot.runtime import clock
from bot.runtime.business_days import review_deadline
from bot.runtime.read_email import read_email
from handlers.webhooks.registry import known_providers
from storage import open_store

OUTDATED = (
    "OPTIN_STORAGE was written by an earlier version of Optin. `optin migrate --dry-run` lists "
    "every answer that changes, with its reason; `optin migrate` brings the storage to this "
    "version."
)


@contextmanager
def open_service(
    settings: Settings, *, patience: float | None = None, outdated: bool = False
) -> Iterator[Service]:
    """`patience` as in `storage.open_store`; `outdated`: a storage of an earlier version may be
    opened, to be migrated. Raises `SettingsError`, and `StorageFailed` where the storage can't be
    opened."""
    with closing(open_store(settings.storage, patience=patience)) as store:
        if is_half_a_copy(store):
            raise SettingsError(
                "OPTIN_STORAGE is half a copy: run `optin copy` again, from where it came."
            )
        if is_outdated(store) and not outdated:
            raise SettingsError(OUTDATED)
        yield Service(
            store=store,
            old_spellings=has_old_spellings(store),
            now=clock.now,
            region=settings.region,
            read_email=read_email,
            hash_key=settings.hash_key(store),
            providers=known_providers(),
            senders=settings.senders,
            languages=settings.languages,
            alert_channel=settings.alert_channel,
            approval_channel=settings.approval_channel,
            self_approve=settings.self_approve,
            command=settings.command,
            deadline=review_deadline,
        )

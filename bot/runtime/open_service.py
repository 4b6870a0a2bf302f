"""The use cases over the storage that the settings name: for the bot and the command line alike."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace

from bot.config.settings import Settings, SettingsError
from bot.consent.use_cases import Service
from bot.consent.use_cases.copy_storage import is_half_a_copy
from bot.consent.use_cases.migrate import has_old_spellings, is_outdated
from bot.consent.use_cases.stated.program_names import ProgramNames
from bot.runtime import clock
from bot.runtime.business_days import honour_deadline, review_deadline
from bot.runtime.head_watch import HeadWatch
from bot.runtime.heads_of_witnesses import HeadsOfWitnesses
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
    settings: Settings,
    *,
    patience: float | None = None,
    outdated: bool = False,
    remember: bool = False,
    quiet: bool = False,
) -> Iterator[Service]:
    """`patience` as in `storage.open_store`; `outdated`: a storage of an earlier version may be
    opened, to be migrated; `remember`: the head file remembers the log's end at once, and not only
    after the next change; `quiet`: log nothing of what the storage lacks, since the caller says it.
    Raises `SettingsError`, and `StorageFailed` where the storage can't be opened."""
    with (
        closing(HeadWatch(settings.heads(), clock.now, quiet=quiet)) as heads,
        closing(open_store(settings.storage, patience=patience, heads=heads)) as store,
    ):
        if is_half_a_copy(store):
            raise SettingsError(
                "OPTIN_STORAGE is half a copy: run `optin copy` again, from where it came."
            )
        if is_outdated(store) and not outdated:
            raise SettingsError(OUTDATED)
        service = Service(
            store=store,
            old_spellings=has_old_spellings(store),
            now=clock.now,
            heads=heads,
            region=settings.region,
            read_email=read_email,
            hash_key=settings.hash_key(store),
            providers=known_providers(settings.providers, write_back=settings.write_back),
            senders=settings.senders,
            languages=settings.languages,
            alert_channel=settings.alert_channel,
            approval_channel=settings.approval_channel,
            self_approve=settings.self_approve,
            confirmed_opt_in=settings.confirmed_opt_in,
            command=settings.command,
            crm=settings.crm,
            webhook_allow=settings.webhook_allow,
            deadline=review_deadline,
            honour_by=honour_deadline,
        )
        providers = replace(service.providers, program_name=ProgramNames(service))
        service = replace(service, providers=providers)
        witnesses = HeadsOfWitnesses(settings, service)
        heads.witnessed_by(witnesses)
        heads.check(service, remember=remember)
        yield service
        if not heads.log:
            # It may have its first entry now, which says which log the head file remembers.
            heads.check(service)

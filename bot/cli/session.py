"""What a command works with: the use cases over the storage, and the person at the keyboard."""

from __future__ import annotations

import getpass
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from bot import clock
from bot.consent.model import Actor, Role
from bot.consent.service import Service
from bot.consent.service.copying import is_half_a_copy
from bot.mailbox import read_email
from bot.settings import Settings, SettingsError, environment
from storage import open_store


def read_settings(*, need_slack: bool = False) -> Settings:
    """The settings of this folder and this process. Raises `SettingsError`."""
    return Settings.read(environment(Path.cwd()), need_slack=need_slack)


@contextmanager
def open_service() -> Iterator[Service]:
    """The use cases over the storage that the settings name. Raises `SettingsError`, and
    `StorageFailed` where it can't be opened."""
    settings = read_settings()
    with closing(open_store(settings.storage)) as store:
        if is_half_a_copy(store):
            raise SettingsError(
                "OPTIN_STORAGE is half a copy: run `optin copy` again, from where it came."
            )
        yield Service(
            store=store,
            now=clock.now,
            region=settings.region,
            read_email=read_email,
            hash_key=settings.hash_key(store),
            senders=settings.senders,
            languages=settings.languages,
        )


def operator() -> Actor:
    """Whoever can read the storage may do everything with it; the log says who it was."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError):  # a process without a name, as in some containers
        user = f"uid-{os.getuid()}"
    return Actor(id=f"cli:{user}", role=Role.OPERATOR, source="cli")

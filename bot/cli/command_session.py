"""What a command works with: the use cases over the storage, and the person at the keyboard."""

from __future__ import annotations

import getpass
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bot.config.settings import Settings, environment
from bot.consent.model import Actor, Role
from bot.consent.use_cases import Service
from bot.runtime.open_service import open_service as open_with
from bot.runtime.read_settings import read_settings as read_with


def read_settings(*, need_slack: bool = False) -> Settings:
    """The settings of this folder and this process. Raises `SettingsError`."""
    folder = Path.cwd()
    return read_with(environment(folder), need_slack=need_slack).beside(folder)


@contextmanager
def open_service(settings: Settings | None = None, *, quiet: bool = False) -> Iterator[Service]:
    """The use cases over the storage that the settings name; those of this folder, where none are
    given. `quiet`: log nothing of what the storage lacks, since the command says it. Raises
    `SettingsError`, and `StorageFailed` where it can't be opened."""
    with open_with(settings or read_settings(), quiet=quiet) as service:
        yield service


def operator() -> Actor:
    """Whoever can read the storage may do everything with it; the log says who it was."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError):  # a process without a name, as in some containers
        user = f"uid-{os.getuid()}"
    return Actor(id=f"cli:{user}", role=Role.OPERATOR, source="cli")

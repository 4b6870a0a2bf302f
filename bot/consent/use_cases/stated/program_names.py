"""What the programs that use the API are called."""

from __future__ import annotations

from bot.consent.use_cases.api_keys import list_keys
from bot.consent.use_cases.context import Service


class ProgramNames:
    """The name of each key by its id, for `KnownProviders`. A key keeps its name, so each is read
    once; revoked ones, too, since the log goes on naming them."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._known: dict[str, str] = {}

    def __call__(self, key: str) -> str | None:
        if key not in self._known:
            self._known = {one.id: one.name for one in list_keys(self._service)}
        return self._known.get(key)

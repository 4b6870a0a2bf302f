"""What jobs keep for the next time: a cursor, a rate limit, the file that is under way.

Each is a short text under a name (`records.KeyValue`). All replicas share them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bot.consent.use_cases.context import Service

#: From the text that is kept under a name to the one to be kept; None is no text.
Update = Callable[[str | None], str | None]


def read_value(service: Service, name: str) -> str | None:
    with service.store.reading() as records:
        return records.key_value.get(name)


def read_values(service: Service, prefix: str) -> dict[str, str]:
    """The texts whose names begin with `prefix`, by the rest of their names."""
    with service.store.reading() as records:
        return {
            name.removeprefix(prefix): text
            for name, text in records.key_value.all()
            if name.startswith(prefix)
        }


def write_value(service: Service, name: str, text: str | None) -> None:
    """None removes it. Raises `StorageFailed`."""
    update_values(service, {name: lambda _: text})


def update_values(service: Service, updates: Mapping[str, Update]) -> None:
    """Reads and writes in one transaction, so that no replica's write is lost. Raises
    `StorageFailed`."""
    with service.store.transaction() as records:
        for name, update in updates.items():
            before = records.key_value.get(name)
            after = update(before)
            if after != before:
                records.key_value.put(name, after)

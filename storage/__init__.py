"""Storage remembers: one `Store` (bot/consent/store.py) for each kind of address."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from bot.consent.errors import OptinError
from bot.consent.store import Store


class UnknownStorage(OptinError, ValueError):
    """OPTIN_STORAGE can't be read. Write it as tinydb:///data/optin.json."""


def open_store(url: str) -> Store:
    """The storage at `tinydb:///relative.json` or `tinydb:////absolute.json`, made where there is
    none yet.

    Raises `UnknownStorage` for any other address, `Corrupt` for a damaged storage and
    `StorageFailed` for one that can't be opened.
    """
    parts = urlsplit(url)
    match parts.scheme:
        case "tinydb":
            from storage.tinydb.store import TinyDBStore

            return TinyDBStore(_path(url))
        case "":
            raise UnknownStorage(
                "OPTIN_STORAGE has no kind of storage. Write it as tinydb:///data/optin.json."
            )
    raise UnknownStorage(f"OPTIN_STORAGE names a storage that Optin doesn't know: {parts.scheme}.")


def _path(url: str) -> Path:
    """Three slashes begin a relative path, four an absolute one."""
    parts = urlsplit(url)
    path = unquote(parts.path)
    if parts.netloc or parts.query or parts.fragment or path[:1] != "/" or path[-1:] == "/":
        raise UnknownStorage(
            "OPTIN_STORAGE names no file. Write three slashes for a path from here "
            "(tinydb:///data/optin.json) and four from the root (tinydb:////var/lib/optin.json)."
        )
    if "\0" in path:
        raise UnknownStorage("OPTIN_STORAGE holds a character that no path can have.")
    return Path(path[1:])

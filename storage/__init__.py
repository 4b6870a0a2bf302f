"""Storage remembers: one `Store` (bot/consent/store.py) for each kind of address."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from bot.consent.errors import OptinError
from bot.consent.storage_behind import ForgetfulMemory, HeadMemory
from bot.consent.store import Store

if TYPE_CHECKING:
    from sqlalchemy import URL


class UnknownStorage(OptinError, ValueError):
    """OPTIN_STORAGE can't be read. Write it as tinydb:///data/optin.json."""


def open_store(
    url: str, *, patience: float | None = None, heads: HeadMemory | None = None
) -> Store:
    """The storage at `tinydb:///relative.json` or `tinydb:////absolute.json`, the same with
    `sqlite:` and a `.db`, or `postgresql://user:password@host/database`. Files and tables are made
    where there are none yet. With a database, `patience` is how many seconds are waited for others
    who write; a minute, where nobody says otherwise. `heads` remembers the log's end elsewhere.

    Raises `UnknownStorage` for any other address, `Corrupt` for a damaged storage and
    `StorageFailed` for one that can't be opened.
    """
    scheme, heads = kind(url), heads or ForgetfulMemory()
    match scheme:
        case "tinydb":
            from storage.tinydb.tinydb_store import TinyDBStore

            return TinyDBStore(_path(url), heads)
        case "sqlite":
            from storage.sql.engine.database import PATIENCE
            from storage.sql.engine.sqlite import SQLite
            from storage.sql.sql_store import SQLStore

            return SQLStore(SQLite(_path(url), patience=patience or PATIENCE), heads)
        case "postgresql":
            from storage.sql.engine.database import PATIENCE
            from storage.sql.engine.postgresql import PostgreSQL
            from storage.sql.sql_store import SQLStore

            return SQLStore(PostgreSQL(_server(url), patience=patience or PATIENCE), heads)
        case "":
            raise UnknownStorage(
                "OPTIN_STORAGE has no kind of storage. Write it as tinydb:///data/optin.json."
            )
    raise UnknownStorage(
        f"OPTIN_STORAGE names a storage that Optin doesn't know: {scheme}. It knows "
        "tinydb, sqlite and postgresql."
    )


def kind(url: str) -> str:
    """`tinydb`, `sqlite`, `postgresql`, or whatever else stands before the colon; "" for none."""
    try:
        return urlsplit(url).scheme
    except ValueError:
        raise UnknownStorage(_NO_SERVER) from None


def _server(url: str) -> URL:
    """Of a database. What is wrong with it is said without the address: it may hold a password."""
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise UnknownStorage(_NO_SERVER) from None
    # Any other @ is of a password, whose rest would be taken for the host, or whose beginning for a
    # port: either would be printed, and asked for in the DNS.
    server = re.split("[/?]", url.partition("://")[2])[0]
    others = url.count("@") > server.count("@") or server.count("@") > 1
    if not parsed.database or "\0" in unquote(url) or others:
        raise UnknownStorage(_NO_SERVER)
    return parsed


_NO_SERVER = (
    "OPTIN_STORAGE is no address of a database. Write it as "
    "postgresql://user:password@host:5432/optin, with %40 for an @ inside of the password, and %2F "
    "for a /."
)


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

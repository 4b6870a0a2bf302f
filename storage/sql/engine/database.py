"""What SQLite and PostgreSQL have in common: connections, the way statements go to them, and the
schema brought up to date."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, inspect
from sqlalchemy.exc import DBAPIError

from bot.consent.errors import StorageFailed, StorageRefused
from storage.sql.engine.database_session import Session
from storage.sql.schema import UNASKED, VERSION
from storage.sql.statements import Statements, statements

#: Seconds until whoever waits for others who write gives up, where nobody says otherwise: an import
#: beside a busy server has the time.
PATIENCE = 60.0

_MIGRATIONS = Path(__file__).parents[1] / "migrations"


class Database(ABC):
    """A database's connection pool and schema. `SQLite` and `PostgreSQL` add what differs."""

    #: What its driver raises.
    error: type[Exception]
    #: Where it is, for a person: without a password.
    name: str
    #: Once it is up to date.
    sql: Statements

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @contextmanager
    @abstractmethod
    def session(self) -> Iterator[Session]:
        """A connection of its own, until the block ends."""

    @abstractmethod
    def alone(self, connection: Connection) -> None:
        """Begins a transaction in which no other process changes the schema."""

    def statements(self, connection: Connection) -> Statements:
        """Made for what this database has."""
        return statements(self.engine.dialect)

    @abstractmethod
    def failed(self, error: Exception) -> StorageFailed:
        """The driver's error in a sentence, where it is certain that nothing was stored."""

    #: Its contents are of an earlier version: `upgrade` has to be called.
    outdated = False

    def migrate(self) -> None:
        """Brings the schema up to date, as far as nobody's answer can change by it. Raises
        `StorageFailed`, also where it is newer."""
        try:
            with self.engine.connect() as connection:
                version = _version(connection)
                if version is not None and version > VERSION:
                    raise StorageRefused(
                        f"{self.name} was made by a newer Optin (its tables are of version "
                        f"{version}, this program's of {VERSION}). Nothing was changed: start "
                        "the newer program."
                    )
                unasked = VERSION if version is None or version > UNASKED else UNASKED
                if version is None or version < unasked:
                    self.alone(connection)
                    _upgrade(connection, unasked)
                    connection.commit()
                self.outdated = unasked < VERSION
                self.sql = self.statements(connection)
        except DBAPIError as error:
            raise self.failed(_cause(error)) from error

    def upgrade(self) -> None:
        """Brings the schema to the newest version: an older program refuses it from now on. Raises
        `StorageFailed`."""
        try:
            with self.engine.connect() as connection:
                self.alone(connection)
                _upgrade(connection, VERSION)
                connection.commit()
                self.outdated = False
        except DBAPIError as error:
            raise self.failed(_cause(error)) from error

    def free_bytes(self) -> int | None:
        """As in `bot.consent.store.Store`."""
        return None

    def back_up(self, version: str) -> Path | None:
        """Copies the database into a file beside it; None where a copy is somebody else's."""
        return None

    @abstractmethod
    def tidy(self) -> None:
        """After personal parts were erased: the files forget them, too."""

    def close(self) -> None:
        self.engine.dispose()


def _version(connection: Connection) -> str | None:
    """None where there are no tables yet."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return None if found is None else str(found)


def _upgrade(connection: Connection, to: str) -> None:
    # Takes a third of a second to import, and is needed once in a storage's life.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    logger = logging.getLogger("alembic")
    was, logger.level = logger.level, logging.WARNING
    try:
        command.upgrade(config, to)
    finally:
        logger.level = was


def _cause(error: DBAPIError) -> Exception:
    return error.orig if isinstance(error.orig, Exception) else error

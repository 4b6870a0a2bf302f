"""A PostgreSQL server that can go back to an earlier moment: a base backup and all WAL since."""

from __future__ import annotations

import shutil
import time

import psycopg

from tests.support.postgres_fixtures import Server


class RecoverableServer(Server):
    """Archives its WAL. The base backup is older than the database `optin`, which a recovery
    therefore reads from the archive."""

    def __init__(self) -> None:
        super().__init__(
            options=[
                "-c fsync=off",
                # PostgreSQL runs the command in its data folder.
                "-c archive_mode=on -c archive_command='mkdir -p ../archive && cp %p ../archive/%f'",
            ]
        )
        self._base = self.folder / "base"
        here = ("-h", self.folder, "-U", "postgres")
        self.run("pg_basebackup", *here, "-D", self._base, "-X", "none", "-c", "fast", "--no-sync")
        self.renew()

    def ask(self, sql: str) -> str:
        """One value, as a text."""
        with psycopg.connect(self.admin_url, autocommit=True) as connection:
            row = connection.execute(f"SELECT ({sql})::text").fetchone()  # type: ignore[call-overload]
        assert row is not None
        return str(row[0])

    def recover(self, target: str) -> None:
        """Replaces the data with the base backup and replays the archive up to the target, such as
        `recovery_target_time=…`. The server then has the same address, on a new timeline."""
        self.stop("fast")  # which archives the last WAL, too
        shutil.rmtree(self.data)
        self._base.rename(self.data)
        (self.data / "recovery.signal").touch()
        with (self.data / "postgresql.auto.conf").open("a") as settings:
            name, _, value = target.partition("=")
            settings.write(f"{name} = '{value}'\n")
            settings.write("restore_command = 'cp ../archive/%f %p'\n")
            settings.write("recovery_target_action = promote\n")
        self.start()
        while self.ask("pg_is_in_recovery()") == "true":
            time.sleep(0.01)  # it accepts connections before it accepts writes

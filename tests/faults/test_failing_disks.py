"""Disks that are full or fail, under `optin serve`: what is answered 503 shows in /readyz."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path

import pytest

from bot.consent.log.entries import EntryKind
from bot.consent.use_cases import verify
from bot.runtime import clock
from sandbox.client import Workspace
from tests.support.consent_fixtures import open_service
from tests.support.injected_faults import failing_calls, needs_strace, small_file_system
from tests.support.serving import deliver, serving
from tests.support.storages import KINDS, path_in, url_of
from tests.support.tinydb_fixtures import fill

#: Those that keep their files themselves.
EMBEDDED = [kind for kind in KINDS if kind != "postgresql"]
Answer = tuple[int, str]
SYNC = "fsync,fdatasync"
#: Seconds that a sync takes.
SLOW = 2


@pytest.mark.parametrize("kind", EMBEDDED)
def test_a_full_disk_is_not_ready_until_an_opt_out_fits_again(tmp_path: Path, kind: str) -> None:
    storage = tmp_path / "disk" / path_in(Path(), kind)
    port = free_port()
    with (
        small_file_system(tmp_path / "disk", "8m"),
        Workspace.start(mode="http") as slack,
        serving(tmp_path, slack, port, url_of(storage)),
    ):
        assert deliver(port, "SM1", "+14155550101")
        assert readyz(port) == (200, "ready")
        fill(storage.with_name("filler"))
        refused = until_refused(port)
        full = readyz(port)
        still_full = readyz(port)
        storage.with_name("filler").unlink()
        roomy = eventually(lambda: readyz(port), (200, "ready"))
        again = deliver(port, refused, "+14155550102")

    assert full == still_full == (503, "not ready: storage")
    assert roomy == (200, "ready")
    assert again


@needs_strace
@pytest.mark.parametrize("kind", EMBEDDED)
def test_a_write_error_is_not_ready_while_it_lasts(tmp_path: Path, kind: str) -> None:
    port = free_port()
    storage = path_in(tmp_path / "storage", kind)
    with (
        Workspace.start(mode="http") as slack,
        serving(tmp_path, slack, port, url_of(storage)) as bot,
    ):
        with failing_calls(bot.pid, "pwrite64", "error=EIO"):
            taken = deliver(port, "SM1", "+14155550101")
            failing = readyz(port)
        healed = eventually(lambda: readyz(port), (200, "ready"))
        again = deliver(port, "SM1", "+14155550101")

    assert not taken
    assert failing == (503, "not ready: storage")
    assert healed == (200, "ready")
    assert again


@needs_strace
@pytest.mark.parametrize("fault", ["error=EIO:when=1", "error=EIO"], ids=["once", "always"])
@pytest.mark.parametrize("kind", EMBEDDED)
def test_a_failed_sync_ends_the_process_and_the_next_start_takes_the_opt_out(
    tmp_path: Path, kind: str, fault: str
) -> None:
    port = free_port()
    storage = path_in(tmp_path / "storage", kind)
    with Workspace.start(mode="http") as slack:
        with (
            serving(tmp_path, slack, port, url_of(storage)) as bot,
            failing_calls(bot.pid, SYNC, fault),
        ):
            began = time.monotonic()
            taken = deliver(port, "SM1", "+14155550101")
            status = bot.wait(20)
            took = time.monotonic() - began
        with serving(tmp_path, slack, port, url_of(storage)):
            again = deliver(port, "SM1", "+14155550101")
            ready = readyz(port)
    service = open_service(storage, clock.now)
    problem = verify(service).problem
    with service.store.reading() as records:
        opt_outs = [e.provider_id for e in records.log.all() if e.kind is EntryKind.CONSENT]
    service.store.close()

    assert not taken
    assert status == 74
    assert took < 10
    assert "storage_needs_restart" in (tmp_path / f"{port}.log").read_text()
    assert again
    assert ready == (200, "ready")
    assert problem is None
    assert opt_outs == ["twilio:in:SM1"]


@needs_strace
@pytest.mark.parametrize("kind", EMBEDDED)
def test_a_slow_disk_acknowledges_late_and_never_early(tmp_path: Path, kind: str) -> None:
    port = free_port()
    storage = path_in(tmp_path / "storage", kind)
    told = [(f"SM{n}", f"+1415555010{n}") for n in range(8)]

    def tell(one: tuple[str, str]) -> tuple[bool, float]:
        began = time.monotonic()
        return deliver(port, *one), time.monotonic() - began

    with (
        Workspace.start(mode="http") as slack,
        serving(tmp_path, slack, port, url_of(storage)) as bot,
        ThreadPoolExecutor(len(told)) as clients,
    ):
        with failing_calls(bot.pid, SYNC, f"delay_exit={SLOW * 1_000_000}"):
            answers = list(clients.map(tell, told))
        repeated = [deliver(port, *one) for one in told]
    acknowledged = [took for taken, took in answers if taken]
    service = open_service(storage, clock.now)
    problem = verify(service).problem
    with service.store.reading() as records:
        opt_outs = [e.provider_id for e in records.log.all() if e.kind is EntryKind.CONSENT]
    service.store.close()

    assert acknowledged, "the disk was too slow for every client"
    assert min(acknowledged) >= SLOW
    assert all(repeated)
    assert sorted(opt_outs, key=str) == [f"twilio:in:{sid}" for sid, _ in told]
    assert problem is None


def until_refused(port: int) -> str:
    """STOPs until one is refused: its id."""
    for number in range(10_000):
        if not deliver(port, f"SMx{number}", f"+1415556{number:04}"):
            return f"SMx{number}"
    raise AssertionError("the disk never became full")


def readyz(port: int) -> tuple[int, str]:
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/readyz")
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def eventually(ask: Callable[[], Answer], wanted: Answer, within: float = 15.0) -> Answer:
    """The wanted answer as soon as it comes, or what is answered instead."""
    end = time.monotonic() + within
    while (answer := ask()) != wanted and time.monotonic() < end:
        time.sleep(0.05)
    return answer


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])

"""The process is killed, or the call fails, at each system call with which a STOP is written. The
STOP is stored or not, and the provider's second try counts once."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import pytest

from bot.consent.log.entries import EntryKind
from bot.consent.use_cases import verify
from bot.consent.use_cases.contacts import Details, add
from bot.consent.use_cases.ingest import ingest
from bot.runtime import clock
from tests.support import one_stop
from tests.support.consent_fixtures import OPERATOR, open_service
from tests.support.forked_processes import ForkedProcess
from tests.support.injected_faults import needs_strace
from tests.support.storages import KINDS, path_in, with_tables

pytestmark = [pytest.mark.crash, needs_strace, pytest.mark.timeout(600)]

CALLS = "pwrite64,pwritev,fsync,fdatasync,ftruncate,rename,unlink"
FAULTS = ["signal=KILL", "error=ENOSPC", "error=EIO"]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "postgresql"])
def test_a_stop_is_stored_or_not_at_each_system_call(tmp_path: Path, kind: str, fault: str) -> None:
    calls = tmp_path / "calls"
    storage = prepared(tmp_path / "whole", kind)
    assert taken(storage, calls) == [b"stored\n"]
    assert stored(storage) == 1
    count = len(calls.read_text().splitlines())
    assert count > 1

    acknowledged = refused = 0
    for number in range(1, count + 1):
        storage = prepared(tmp_path / str(number), kind)
        told = taken(storage, calls, f"inject={CALLS}:{fault}:when={number}")
        before = stored(storage)

        assert told == [] or told[0].startswith((b"stored", b"refused"))
        assert before in ((1,) if told == [b"stored\n"] else (0, 1)), (number, told)
        acknowledged += told == [b"stored\n"]
        refused += before == 0
        service = open_service(storage, clock.now)
        ingest(service, [one_stop.stop()])
        assert verify(service).problem is None
        service.store.close()
        assert stored(storage) == 1, number

    assert refused, "no fault met the STOP"


def prepared(folder: Path, kind: str) -> Path:
    storage = with_tables(path_in(folder, kind))
    service = open_service(storage, clock.now)
    add(service, Details(name="Dana Fox", phone=one_stop.PHONE), OPERATOR)
    service.store.close()
    return storage


def taken(storage: Path, calls: Path, *inject: str) -> list[bytes]:
    """What the process says of its STOP; nothing where it was killed."""
    process = ForkedProcess(one_stop.main, str(storage))
    assert process.stdout.readline() == b"ready\n"
    options = [option for one in inject for option in ("-e", one)]
    with subprocess.Popen(
        [
            "strace",
            "-f",
            "-qq",
            "-o",
            calls,
            "-p",
            str(process.pid),
            "-e",
            f"trace={CALLS}",
            *options,
        ],
        stderr=subprocess.PIPE,
        text=True,
    ) as strace:
        until_traced(process.pid, strace)
        process.send_signal(signal.SIGUSR1)
        return process.finish()


def until_traced(pid: int, strace: subprocess.Popen[str]) -> None:
    """Strace says nothing with -qq: the system does."""
    while strace.poll() is None:
        if "TracerPid:\t0" not in Path(f"/proc/{pid}/status").read_text():
            return
    pytest.skip("strace may not trace here")


def stored(storage: Path) -> int:
    service = open_service(storage, clock.now)
    with service.store.reading() as records:
        found = [entry for entry in records.log.all() if entry.kind is EntryKind.CONSENT]
    service.store.close()
    return len(found)

"""A flood of requests without a signature, while people text STOP.

`OPTIN_FLOOD_SECONDS` says how long it lasts (10 by default; `make faults` takes 60).
"""

from __future__ import annotations

import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bot.consent.log.entries import EntryKind
from bot.consent.use_cases import verify
from bot.runtime import clock
from sandbox.client import Workspace
from tests.support.balancer import free_ports
from tests.support.consent_fixtures import open_service
from tests.support.forked_processes import ForkedProcess
from tests.support.junk_flood import main as send_junk
from tests.support.serving import deliver, serving
from tests.support.storages import KINDS, path_in, url_of

SECONDS = int(os.environ.get("OPTIN_FLOOD_SECONDS", "10"))
#: In a second.
JUNK, STOPS = 2_000, 10
MEGABYTE = 1024 * 1024


@pytest.mark.timeout(120 + 2 * SECONDS)
@pytest.mark.parametrize("kind", KINDS)
def test_every_stop_is_applied_in_a_flood_of_unsigned_requests(tmp_path: Path, kind: str) -> None:
    storage = path_in(tmp_path / "storage", kind)
    (port,) = free_ports(1)
    stops = [(f"SM{n}", f"+1212200{n:04}") for n in range(STOPS * SECONDS)]

    def tell(number: int) -> float:
        """One of ten in a second, which Twilio repeats until it is taken: the seconds it took."""
        due = began + number / STOPS
        time.sleep(max(0.0, due - time.monotonic()))
        while not deliver(port, *stops[number]):
            pass
        return time.monotonic() - due

    with (
        Workspace.start(mode="http") as slack,
        serving(tmp_path, slack, port, url_of(storage)) as bot,
    ):
        assert deliver(port, "SM-first", "+14155550199")
        before = memory(bot.pid)
        junk = ForkedProcess(send_junk, str(port), str(SECONDS), str(JUNK))
        began = time.monotonic()
        with ThreadPoolExecutor(STOPS) as clients:
            took = sorted(clients.map(tell, range(len(stops))))
        (said,) = junk.finish()
        after = memory(bot.pid)
        log = (tmp_path / f"{port}.log").stat().st_size
    counts = json.loads(said)
    service = open_service(storage, clock.now)
    problem = verify(service).problem
    with service.store.reading() as records:
        applied = {e.provider_id for e in records.log.all() if e.kind is EntryKind.CONSENT}
    service.store.close()

    assert applied == {f"twilio:in:{sid}" for sid, _ in stops} | {"twilio:in:SM-first"}
    assert set(counts) <= {"401", "429", "503", "closed"}
    assert sum(counts.values()) > 100 * SECONDS, "this was no flood"
    assert p99(took) < 2
    assert after - before < 32 * MEGABYTE
    assert log < MEGABYTE
    assert problem is None


def p99(took: list[float]) -> float:
    return took[len(took) * 99 // 100]


def memory(pid: int) -> int:
    """Bytes of it in use."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")

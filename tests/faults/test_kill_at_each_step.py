"""`optin serve` killed at each step of one STOP: before its transaction is committed nothing shows,
and the provider's next try counts once and is told once."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from bot.consent.log.entries import EntryKind
from bot.consent.use_cases import verify
from bot.consent.use_cases.contacts import Details, add
from bot.runtime import clock
from sandbox.client import Workspace
from tests.support.balancer import free_ports
from tests.support.consent_fixtures import OPERATOR, open_service
from tests.support.killed_at import KILLED_AT
from tests.support.serving import deliver, serving
from tests.support.storages import KINDS, path_in, url_of

pytestmark = pytest.mark.crash

PHONE = "+14155550101"
TWILIO = "providers/twilio/webhook.py:Twilio.verify"
INGESTED = "use_cases/ingest/__init__.py:ingest_requests:return"
#: Where a step is, by storage where they differ.
STEPS = {
    "received": f"{TWILIO}:call",
    "verified": f"{TWILIO}:return",
    "entry appended": {
        "tinydb": "tinydb_records.py:TinyDBLog.append:return",
        "": "sql_log.py:SQLLog.append:return",
    },
    "alert put": {
        "tinydb": "tinydb_records.py:TinyDBOutbox.put:return",
        "": "sql_outbox.py:SQLOutbox.put:return",
    },
    "all written": {
        "tinydb": "tinydb_records.py:TinyDBRecords.flush:return",
        "": "sql_records.py:SQLRecords.flush:return",
    },
    "committed": INGESTED,
}


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_kill_at_this_step_shows_nothing_early_and_counts_once(
    tmp_path: Path, kind: str, step: str
) -> None:
    storage = path_in(tmp_path / "storage", kind)
    service = open_service(storage, clock.now)
    add(service, Details(name="Dana Fox", phone=PHONE), OPERATOR)
    service.store.close()
    at = STEPS[step]
    where = at if isinstance(at, str) else at.get(kind, at[""])
    (port,) = free_ports(1)
    with Workspace.start(mode="http") as slack:
        with serving(tmp_path, slack, port, url_of(storage), **{KILLED_AT: where}) as bot:
            before = opt_outs(storage)
            answered = deliver(port, "SM1", PHONE)
            status = bot.wait(20)
        left = opt_outs(storage)
        with serving(tmp_path, slack, port, url_of(storage)):
            end = time.monotonic() + 30
            # A server may hold the lock of a dead client for a moment: the provider tries again.
            while not deliver(port, "SM1", PHONE):
                assert time.monotonic() < end
            again = deliver(port, "SM1", PHONE)
            lee = slack.person("Lee")
            slack.wait_until(lambda: lee.messages("#optin-alerts"))
        messages = lee.messages("#optin-alerts")
    service = open_service(storage, clock.now)
    problem = verify(service).problem
    with service.store.reading() as records:
        alerts = list(records.outbox.all())
    service.store.close()

    assert not answered
    assert status == -signal.SIGKILL
    assert before == []
    assert left == (["twilio:in:SM1"] if step == "committed" else [])
    assert again
    assert opt_outs(storage) == ["twilio:in:SM1"]
    assert len(alerts) == len(messages) == 1
    assert problem is None


def opt_outs(storage: Path) -> list[str | None]:
    service = open_service(storage, clock.now)
    with service.store.reading() as records:
        found = [e.provider_id for e in records.log.all() if e.kind is EntryKind.CONSENT]
    service.store.close()
    return found

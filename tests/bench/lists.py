"""SendGrid's suppression lists with 100,000 entries, in the sandbox's process, which answers at
once; and an alert while 10,000 opt-outs are written to them."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

from bot.config.provider_settings import ProviderSettings
from bot.consent.log.changes import ConsentChanged
from bot.consent.model import Actor, Channel, ConsentValue, Origin, Role
from bot.consent.use_cases import Service
from bot.consent.use_cases.lists.list_alerts import announce_problem
from bot.consent.use_cases.lists.list_state import confirm_writes
from bot.consent.use_cases.lists.look_at_lists import writes_to_make
from bot.consent.use_cases.record import Recorder
from bot.runtime.read_email import read_email
from handlers.slack.alerts.channel_health import Health
from handlers.slack.alerts.client import AlertClient, client
from handlers.slack.alerts.worker import Worker
from handlers.slack.roles import Roles
from handlers.suppression_lists.provider_lists import ProviderLists
from handlers.suppression_lists.read_lists import read_lists
from handlers.suppression_lists.write_worker import WriteWorker
from handlers.webhooks.registry import known_providers, list_clients
from sandbox.first_workspace import ALERTS
from storage import open_store
from tests.bench._servers import CONTACTS, fill, sandbox

Report = Callable[[str, float, str, bool, str], None]

_OPT_OUTS = 10_000
_ALERTS = 10
_OPERATOR = Actor(id="cli:bench", role=Role.OPERATOR, source="cli")


def run(report: Report) -> None:
    """Out of TinyDB and out of SQLite."""
    for storage in ("tinydb:///{}/optin.json", "sqlite:///{}/optin.db"):
        kind = storage.partition(":")[0]
        with tempfile.TemporaryDirectory() as folder, sandbox() as slack:
            url = storage.format(folder)
            fill(url)
            generate(slack, CONTACTS)
            first, again = reconciled(url, slack), reconciled(url, slack)
        report(
            f"processor for {CONTACTS:,} entries without drift, {kind}",
            again["processor"],
            "<= 60 s",
            again["processor"] <= 60,
            f"taking them in at first: {first['processor']:,.1f} s; {again['seconds']:,.1f} s by "
            "the clock, the lists' answers with them",
        )
        report(
            f"memory for {CONTACTS:,} entries without drift, MB, {kind}",
            again["grown"],
            "<= 200",
            again["grown"] <= 200,
            f"beside the storage's own {again['before']:,.0f}; at first {first['grown']:,.0f}",
        )
        with tempfile.TemporaryDirectory() as folder, sandbox() as slack:
            idle, busy = delays(storage.format(folder), slack)
        report(
            f"an alert beside {_OPT_OUTS:,} writes, x, {kind}",
            busy / idle,
            "<= 1.5",
            busy / idle <= 1.5,
            f"until it is posted {idle * 1e3:,.0f} ms, and {busy * 1e3:,.0f} ms beside them",
        )


def service_at(url: str, slack: str) -> tuple[Service, dict[str, ProviderLists]]:
    """The use cases, and the client of the lists."""
    settings = ProviderSettings(
        values={
            "OPTIN_SENDGRID_API_KEY": "SG.sandbox",
            "OPTIN_SENDGRID_API_URL": lists_url(slack),
        }
    )
    service = Service(
        store=open_store(url),
        now=lambda: datetime.now(UTC),
        region="US",
        read_email=read_email,
        hash_key=b"bench",
        providers=known_providers(settings, write_back=True),
    )
    return service, dict(list_clients(settings))


def lists_url(slack: str) -> str:
    return f"{slack.removesuffix('/api/')}/lists/sendgrid"


def generate(slack: str, count: int) -> None:
    """Puts so many addresses on the list of unsubscribes."""
    connection = HTTPConnection(urlsplit(slack).netloc, timeout=60)
    body = json.dumps({"generate": {"list": "unsubscribes", "count": count}})
    connection.request("POST", "/sandbox/lists/sendgrid", body)
    assert connection.getresponse().status == 200
    connection.close()


def reconciled(url: str, slack: str) -> dict[str, float]:
    """What a whole read took, in a process of its own."""
    command = [sys.executable, "-P", __file__, url, slack]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    done = subprocess.run(command, env=environment, check=True, capture_output=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def read_all(url: str, slack: str) -> dict[str, float]:
    service, lists = service_at(url, slack)
    with service.store.reading() as records:
        records.log.head()
    before, began, used = memory("VmRSS"), time.perf_counter(), time.process_time()
    end = read_lists(service, lists["sendgrid"], token="bench")
    assert end is not None
    used, lasted = time.process_time() - used, time.perf_counter() - began
    grown = memory("VmHWM") - before
    service.store.close()
    return {"processor": used, "seconds": lasted, "before": before, "grown": grown}


def memory(what: str) -> float:
    """Of this process, in MB."""
    line = Path("/proc/self/status").read_text().partition(f"{what}:")[2]
    return int(line.split()[0]) / 1024


def delays(url: str, slack: str) -> tuple[float, float]:
    """Seconds until an alert is posted, the median without and with waiting writes."""
    service, lists = service_at(url, slack)
    service = replace(service, alert_channel=ALERTS)
    read_lists(service, lists["sendgrid"], token="bench")
    confirm_writes(service, "sendgrid", _OPERATOR)
    talk = AlertClient(client=client("xoxb-sandbox-bot", slack), roles=Roles())
    alerts = Worker(service, talk, Health())
    threading.Thread(target=alerts.work, daemon=True).start()
    idle = [delay(service, number) for number in range(_ALERTS)]
    opt_out(service)
    with writing(WriteWorker(service, lists)):
        busy = []
        while writes_to_make(service, "sendgrid") and len(busy) < _ALERTS:
            busy.append(delay(service, _ALERTS + len(busy)))
    assert len(busy) >= 3, "the writes were made too soon to be compared with"
    alerts.stop()
    return statistics.median(idle), statistics.median(busy)


@contextmanager
def writing(worker: WriteWorker) -> Iterator[None]:
    thread = threading.Thread(target=worker.work, daemon=True)
    thread.start()
    yield
    worker.stop()
    thread.join()
    worker.wait_for_calls(60)


def opt_out(service: Service) -> None:
    """So many addresses, all at once."""
    no = ConsentChanged(
        by=Origin.CONTACT, before=ConsentValue.UNSET, after=ConsentValue.NO, reason="Unsubscribed"
    )
    with service.store.transaction() as records:
        recorder = Recorder(
            service=service, records=records, actor="contact", source="cli", now=service.now()
        )
        for number in range(_OPT_OUTS):
            address = f"contact{number}@example.com"
            recorder.record(None, no, address=address, channel=Channel.EMAIL)


def delay(service: Service, number: int) -> float:
    """Of one alert that is due at once."""
    name = f"provider{number}"
    time.sleep(1.2)  # Slack takes one message a second in a channel
    began = time.perf_counter()
    with service.store.transaction() as records:
        announce_problem(service, records, name, "does not answer", service.now())
    until(lambda: is_posted(service, name))
    return time.perf_counter() - began


def is_posted(service: Service, about: str) -> bool:
    with service.store.reading() as records:
        return any(one.delivery.ts for one in records.outbox.all() if one.about == about)


def until(reached: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not reached():
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(0.005)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(read_all(*sys.argv[1:])))

"""Somebody else holds the database's lock and does not let go: whoever would write is told so while
they still listen, whoever reads goes on, and afterwards nothing is lost or counted twice."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing, contextmanager
from dataclasses import replace
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import psycopg
import pytest

from bot.consent.log.entries import EntryKind
from bot.consent.model import ConsentValue
from bot.consent.use_cases import Details
from bot.consent.use_cases.imports import import_rows
from bot.consent.use_cases.imports.rows import Consequence, Row
from bot.runtime.open_service import open_service
from bot.runtime.read_settings import read_settings
from handlers.webhooks.provider import Request
from handlers.webhooks.receiver import BatchQueue, ProviderHealth, WebhookReceiver
from handlers.webhooks.registry import make_providers
from sandbox.first_workspace import ALERTS
from storage import open_store
from tests.support.consent_fixtures import OPERATOR
from tests.support.held_lock import counting, held
from tests.support.slack_fixtures import Slack, card, opened, started
from tests.support.storages import path_in, url_of
from tests.support.store_fixtures import contact, entry, put
from tests.support.twilio_requests import INBOUND, OURS, TOKEN, signed

PUBLIC = "https://optin.example.com"
ENV = {
    "OPTIN_ALERT_CHANNEL": ALERTS,
    "OPTIN_PUBLIC_URL": PUBLIC,
    "OPTIN_TWILIO_AUTH_TOKEN": TOKEN,
}
#: Seconds; in `optin serve` it is longer.
PATIENCE = 1.0
#: Of the pool, and of what else may be connected for a moment.
CONNECTIONS = 32


@contextmanager
def bot(folder: Path, kind: str) -> Iterator[Slack]:
    with started(folder, "http", kind=kind, patience=PATIENCE, **ENV) as slack:
        yield slack


def tell(url: str, sid: str, phone: str) -> int:
    """A STOP, as Twilio tells it: how it is answered."""
    form = {"MessageSid": sid, "From": phone, "To": OURS, "Body": "STOP"}
    connection = HTTPConnection(urlsplit(url).netloc, timeout=30)
    with closing(connection):
        connection.request("POST", INBOUND, urlencode(form), signed(INBOUND, form))
        return connection.getresponse().status


def asked(url: str, path: str) -> tuple[int, str]:
    connection = HTTPConnection(urlsplit(url).netloc, timeout=30)
    with closing(connection):
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


def until_ready(url: str) -> None:
    """/readyz answers from what it saw in the last 0.2 seconds."""
    end = time.monotonic() + 60
    while (answer := asked(url, "/readyz")) != (200, "ready"):
        assert time.monotonic() < end, answer
        time.sleep(0.05)


def connections(storage: Path) -> int:
    """Those that the database has, without the one that asks and the one that holds."""
    if storage.suffix == ".db":
        return 0
    with psycopg.connect(url_of(storage), autocommit=True) as server:
        (count,) = server.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        ).fetchone() or (0,)
    return int(count) - 2


def stops(slack: Slack) -> Counter[str | None]:
    """How often each of Twilio's was stored."""
    return Counter(
        entry.provider_id
        for entry in slack.log()
        if (entry.provider_id or "").startswith("twilio:") and entry.kind is EntryKind.CONSENT
    )


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_lock_that_is_held_is_503_and_a_sentence_and_passes(tmp_path: Path, kind: str) -> None:
    told = [(f"SM{n}", f"+1415200{n:04}") for n in range(32)]
    with bot(tmp_path, kind) as slack, ThreadPoolExecutor(16) as clients:
        ana = slack.person("Ana")
        card(ana, "ana@example.com")
        ana.press("Edit")
        ana.choose("SMS On", "NO")
        before = slack.head()
        threads = threading.active_count()
        with held(slack.storage):
            answers = list(clients.map(lambda one: tell(slack.url, *one), told))
            refused = ana.submit()
            most = threading.active_count()
            connected = connections(slack.storage)

            assert set(answers) == {503}
            assert "The storage is busy, so nothing was changed" in str(refused.errors)
            assert asked(slack.url, "/readyz") == (503, "not ready: storage")
            assert asked(slack.url, "/healthz") == (200, "ok")
            # Who only reads is not kept waiting.
            ben = slack.person("Ben")
            card(ben, "ana@example.com")
            assert opened(ben, ben.press("Edit")).title == "Edit"
            assert slack.head() == before

        assert [tell(slack.url, *one) for one in told] == [200] * len(told)
        assert opened(ana, ana.submit()).title == "Saved"
        until_ready(slack.url)
        # One thread takes all of a provider's requests, and Slack's are 32 at most.
        assert most - threads < 16 + 32
        assert connected <= CONNECTIONS
        assert stops(slack) == {f"twilio:in:{sid}": 1 for sid, _ in told}
        assert slack.on("ana@example.com")[0] is ConsentValue.NO
        assert slack.problems() is None


def test_a_contact_that_is_held_is_nobody_elses_trouble(tmp_path: Path) -> None:
    phone = "+14155550100"
    with bot(tmp_path, "postgresql") as slack:
        ana = slack.person("Ana")
        card(ana, "ana@example.com")
        ana.press("Edit")
        ana.choose("Email On", "NO")
        contact = slack.find("ana@example.com")
        assert contact.phone == phone
        with held(slack.storage, f"contacts WHERE id = '{contact.id}'"):
            others = [(f"SM{n}", f"+1415200{n:04}") for n in range(16)]
            assert tell(slack.url, "SM-held", phone) == 503
            assert "The storage is busy, so nothing was changed" in str(ana.submit().errors)
            card(slack.person("Ben"), "ana@example.com")
            assert [tell(slack.url, *one) for one in others] == [200] * len(others)

        assert tell(slack.url, "SM-held", phone) == 200
        assert opened(ana, ana.submit()).title == "Saved"
        assert set(stops(slack).values()) == {1}
        assert slack.on("ana@example.com") == (ConsentValue.NO, ConsentValue.NO)
        assert slack.problems() is None


def test_who_waited_too_long_is_told_so_without_another_try(tmp_path: Path) -> None:
    storage = path_in(tmp_path, "postgresql")
    settings = read_settings(ENV | {"OPTIN_STORAGE": url_of(storage)})
    told: Counter[str] = Counter()
    tries: Counter[str] = Counter()

    def counted(_: str, outcome: str, count: int) -> None:
        told[outcome] += count

    (twilio,) = (
        one
        for one in make_providers(
            settings.providers,
            public_url=PUBLIC,
            mailboxes_of=lambda _: None,
        )
        if one.name == "twilio"
    )
    with open_service(settings, patience=1.0) as service:
        service = replace(service, store=counting(service.store, tries))
        intake = WebhookReceiver(service, counted=counted, health=ProviderHealth())
        with BatchQueue(intake, twilio, within=0.2) as line:

            async def all_at_once(first: int, count: int) -> list[HTTPStatus]:
                return await asyncio.gather(
                    *(line.receive(stop(n)) for n in range(first, first + count))
                )

            with held(storage):
                refused = asyncio.run(all_at_once(0, 640))
            taken = asyncio.run(all_at_once(0, 8))
        with service.store.reading() as records:
            ids = {entry.provider_id for entry in records.log.all() if entry.provider_id}

    assert set(refused) == {503}
    assert told["not_stored"] == 640
    # Else twenty, one after the other.
    assert tries["transactions"] - 1 <= 4
    assert taken == [200] * 8
    assert ids == {f"twilio:in:SM{n}" for n in range(8)}


def stop(number: int) -> Request:
    form = {"MessageSid": f"SM{number}", "From": "+14155550100", "To": OURS, "Body": "STOP"}
    return Request.of(
        method="POST",
        path=INBOUND,
        query="",
        headers=signed(INBOUND, form).items(),
        body=urlencode(form).encode(),
        public_url=PUBLIC,
    )


def test_whoever_reads_while_somebody_is_erased_keeps_nobody_from_writing(tmp_path: Path) -> None:
    storage = path_in(tmp_path, "sqlite")
    journal = storage.with_name(storage.name + "-wal")

    def forget() -> None:
        with closing(open_store(url_of(storage))) as store, store.transaction() as records:
            records.log.redact("c1")

    with (
        ThreadPoolExecutor(1) as beside,
        closing(open_store(url_of(storage), patience=PATIENCE)) as store,
        closing(open_store(url_of(storage), patience=PATIENCE)) as other,
    ):
        put(store, contact(), entry("e1", reason="A secret"))
        with store.reading() as records:
            records.log.head()
            forgetting = beside.submit(forget)
            for number in range(2, 5):
                # Longer than the journal's turn lasts, so that it has come.
                assert wait([forgetting], timeout=0.3).not_done
                put(other, entry(f"e{number}"))
            assert records.log.head()[0] == 1
        forgetting.result()

        assert journal.stat().st_size == 0
        assert b"A secret" not in storage.read_bytes()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_an_import_at_the_command_line_waits_and_lets_others_in(tmp_path: Path, kind: str) -> None:
    """It has the patience that a webhook has not, and lets go of the lock after each batch."""
    rows = [
        Row(line=n, details=Details(name=f"Nia {n}", phone=f"+1212200{n:04}")) for n in range(700)
    ]
    with bot(tmp_path, kind) as slack, ThreadPoolExecutor(1) as beside:
        told: list[int] = []

        def after_a_batch(done: int) -> None:
            told.append(tell(slack.url, f"SM{done}", "+14155550100"))

        service = slack.service
        with closing(open_store(url_of(slack.storage))) as patient:
            mine = replace(service, store=patient)
            with held(slack.storage):
                importing = beside.submit(
                    import_rows,
                    mine,
                    rows,
                    file="new.csv",
                    actor=OPERATOR,
                    progress=after_a_batch,
                )
                # Longer than anybody else here waits.
                assert wait([importing], timeout=2 * PATIENCE).not_done
            report = importing.result()

        assert report.counts[Consequence.ADDED] == 700
        assert len(told) >= 3
        assert set(told) == {200}
        assert slack.problems() is None

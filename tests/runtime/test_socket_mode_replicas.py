"""Replicas of `optin serve` in Socket Mode on one PostgreSQL: Slack gives each request to one of
their connections, whichever that is, and one of them may stop or die at any moment."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from slack_sdk import WebClient
from websockets.sync.client import connect

from bot.consent.log.entries import EntryKind
from bot.consent.model import Channel, ConsentValue
from bot.consent.use_cases import Details, Service, StatusUpdate, add, change
from bot.runtime import clock
from sandbox.client import ClientOutcome, Modal, PersonClient, Workspace
from tests.support.balancer import Balancer, count, flood, free_ports, until_more
from tests.support.consent_fixtures import OPERATOR, open_service
from tests.support.forked_commands import ForkedCommand
from tests.support.serving import answers, deliver, serving
from tests.support.slack_fixtures import opened, opened_later, said
from tests.support.storages import path_in, url_of

pytestmark = pytest.mark.crash

APPROVALS = "#optin-approvals"
PHONE = "+12125550177"


@dataclass(frozen=True, slots=True, kw_only=True)
class Replicas:
    slack: Workspace
    storage: Path
    ports: Sequence[int]
    #: In the order of their connections, which Slack numbers from 1.
    running: Sequence[ForkedCommand]

    @property
    def url(self) -> str:
        return url_of(self.storage)

    def contact(self, *phones: str) -> None:
        """Who agreed to texts, at these numbers."""
        with closing_service(self.storage) as service:
            for phone in phones:
                added = add(service, Details(name=f"Nia {phone}", phone=phone), OPERATOR)
                change(
                    service,
                    added.id,
                    StatusUpdate(sms=ConsentValue.YES, evidence="their form"),
                    OPERATOR,
                )

    def on(self, phone: str) -> ConsentValue:
        with closing_service(self.storage) as service, service.store.reading() as records:
            (holder,) = records.contacts.at(phone)
            return holder.consent(Channel.SMS).on

    def flips(self) -> dict[str, list[str]]:
        """The numbers that each has set to NO, as often as the log has it."""
        found = defaultdict(list)
        with closing_service(self.storage) as service, service.store.reading() as records:
            for entry in records.log.all():
                if entry.kind is EntryKind.CONSENT and entry.after == ConsentValue.NO:
                    found[entry.actor].append(entry.address or "")
        return found

    def verify(self) -> None:
        """As an auditor does."""
        env = {"PATH": os.environ["PATH"], "OPTIN_STORAGE": self.url}
        with ForkedCommand(["verify"], folder=self.storage.parent, env=env) as auditor:
            out, err = auditor.communicate()
        assert auditor.returncode == 0, out + err

    def took(self) -> list[tuple[str, int]]:
        """What Slack has delivered so far, and to which connection."""
        lines = self.slack.journal()
        return [(one["method"], one["connection"]) for one in lines if one["direction"] == "out"]


@contextmanager
def closing_service(storage: Path) -> Iterator[Service]:
    service = open_service(storage, clock.now)
    with closing(service.store):
        yield service


def agrees(person: PersonClient) -> None:
    """In the form of the card that the person has before them."""
    form_of(person, "Edit")
    person.choose("SMS On", "YES")
    person.type("Evidence", "She called and wants them")
    assert opened(person, person.submit()).title == "Saved"
    person.close(whole=True)


def form_of(person: PersonClient, button: str) -> Modal:
    return opened_later(person, person.press(button))


@contextmanager
def replicas(folder: Path, number: int = 3, **more: object) -> Iterator[Replicas]:
    """So many, each connected before the next one begins."""
    storage = path_in(folder, "postgresql")
    ports = free_ports(number)
    with Workspace.start(mode="socket", **more) as slack, ExitStack() as stack:  # type: ignore[arg-type]
        running = []
        for port in ports:
            running.append(
                stack.enter_context(serving(folder, slack, port, url_of(storage), mode="socket"))
            )
            until(lambda port=port: answers(port, "/readyz"))
        yield Replicas(slack=slack, storage=storage, ports=ports, running=running)


def until(holds: Callable[[], object]) -> None:
    """For what nothing tells."""
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end, "it does not come to that"
        time.sleep(0.02)


def test_each_step_may_be_another_replicas(tmp_path: Path) -> None:
    with replicas(tmp_path) as bot:
        ana, lee = bot.slack.person("Ana"), bot.slack.person("Lee")
        ana.command(f"/optin {PHONE}")
        form = form_of(ana, "Add contact")
        assert form.fields["Phone"] == PHONE
        ana.type("Name", "Nia New")
        opened(ana, ana.submit())
        ana.close(whole=True)
        agrees(ana)
        assert deliver(bot.ports[0], "SM1", PHONE)
        ana.command(f"/optin {PHONE}")
        form_of(ana, "Request re-opt-in")
        ana.type("Evidence", "She called again and wants them back")
        assert opened(ana, ana.submit()).title == "Requested"
        until(lambda: lee.messages(APPROVALS))
        approved = lee.press("Approve", in_=lee.messages(APPROVALS)[0], confirm=True)
        assert "Still missing: Contact texts UNSTOP" in said(approved)
        assert deliver(bot.ports[1], "SM2", PHONE, "UNSTOP")
        until(lambda: "Done." in lee.messages(APPROVALS)[0].plain)

        steps = bot.took()
        # One more than the acts: a choice in Edit is a step, too.
        assert [connection for _, connection in steps] == [1, 2, 3] * 3 + [1]
        assert [what for what, _ in steps[1:3]] == [
            "block_actions add",
            "view_submission details_modal",
        ]
        assert [what for what, _ in steps[-2:]] == [
            "view_submission request_modal",
            "block_actions approve",
        ]
        assert bot.on(PHONE) is ConsentValue.YES
        assert "SMS ✅" in said(ana.command(f"/optin {PHONE}"))
        bot.verify()


def test_one_that_stops_answers_first_and_one_that_dies_is_not_missed(tmp_path: Path) -> None:
    with replicas(tmp_path, ack_timeout=10.0) as bot, ThreadPoolExecutor(1) as beside:
        ana = bot.slack.person("Ana")
        bot.contact(PHONE)
        for _ in bot.ports:  # so that the last of them gets the form
            ana.command(f"/optin {PHONE}")
        form_of(ana, "Edit")
        ana.choose("SMS On", "NO")
        # Who decides is read anew at Slack, which takes its time: meanwhile it is told to stop.
        bot.slack.fault("users.info", "timeout", seconds=0.3)
        asked = len(bot.slack.journal("users.info"))
        submitting = beside.submit(ana.submit)
        until(lambda: len(bot.slack.journal("users.info")) > asked)
        began = time.monotonic()
        bot.running[2].send_signal(signal.SIGTERM)
        outcome = submitting.result()

        assert opened(ana, outcome).title == "Saved"
        assert bot.took()[-1] == ("view_submission edit_modal", 3)
        assert bot.running[2].wait(15) == 0
        assert time.monotonic() - began < 10
        ana.close(whole=True)
        until(lambda: ana.command("/optin help").error is None)

        frozen = bot.running[bot.took()[-1][1] % 2]
        frozen.send_signal(signal.SIGSTOP)
        acting = beside.submit(ana.press, "Edit")
        until(lambda: bot.slack.journal("block_actions edit")[-1]["outcome"] == "…")
        frozen.send_signal(signal.SIGKILL)

        assert acting.result().timed_out
        assert form_of(ana, "Edit").fields["SMS On"].startswith("NO")
        assert bot.on(PHONE) is ConsentValue.NO
        bot.verify()


PEOPLE = ("Ana", "Ben", "Lee", "Mia")


class Desk:
    """Somebody who sets contact after contact to NO, and does not try twice."""

    def __init__(self, person: PersonClient, phones: Sequence[str]) -> None:
        self.person = person
        self.phones = phones
        #: Where the form said "Saved".
        self.saved: list[str] = []
        #: What Slack said instead of an answer.
        self.errors: list[str] = []

    def work(self, over: threading.Event) -> None:
        for phone in self.phones:
            if over.is_set():
                return
            if self._refuses(phone):
                self.saved.append(phone)
            if self.person.modal:
                self.person.close(whole=True)

    def _refuses(self, phone: str) -> bool:
        return (
            self._answered(self.person.command(f"/optin {phone}"))
            and self._answered(self.person.press("Edit"))
            and self._has_form()
            and self._answered(self.person.choose("SMS On", "NO"))
            and self._answered(outcome := self.person.submit())
            and outcome.modal is not None
            and outcome.modal.title == "Saved"
        )

    def _has_form(self) -> bool:
        """It opens after the answer, unless the bot dies in between."""
        end = time.monotonic() + 5
        while self.person.modal is None and time.monotonic() < end:
            time.sleep(0.01)
        return self.person.modal is not None

    def _answered(self, outcome: ClientOutcome) -> bool:
        if outcome.error:
            self.errors.append(outcome.error)
        return outcome.error is None


@pytest.mark.timeout(900)
def test_with_many_at_work_one_stops_and_one_dies(tmp_path: Path) -> None:
    with replicas(tmp_path, ack_timeout=10.0) as bot, ExitStack() as stack:
        desks = [
            Desk(bot.slack.person(name), [f"+1212{2 + number}{n:06}" for n in range(100)])
            for number, name in enumerate(PEOPLE)
        ]
        for desk in desks:
            bot.contact(*desk.phones)
        balancer = stack.enter_context(closing(Balancer(bot.ports)))
        over = threading.Event()
        working = [threading.Thread(target=desk.work, args=(over,)) for desk in desks]
        with flood(balancer.port) as told:
            for one in working:
                one.start()
            try:
                until_more(told, 60)
                bot.running[0].send_signal(signal.SIGTERM)
                began = time.monotonic()
                assert bot.running[0].wait(15) == 0
                stopped = time.monotonic() - began
                until_more(told, 60)
                bot.running[1].send_signal(signal.SIGKILL)
                until_more(told, 60)
                storage = url_of(bot.storage)
                again = serving(tmp_path, bot.slack, bot.ports[0], storage, mode="socket")
                stack.enter_context(again)
                until(lambda: answers(bot.ports[0], "/readyz"))
                before = [len(desk.saved) for desk in desks]
                until(
                    lambda: all(
                        len(desk.saved) > count or not one.is_alive()
                        for desk, count, one in zip(desks, before, working, strict=True)
                    )
                )
            finally:
                over.set()
                for one in working:
                    one.join()
        counted = count(bot.slack, bot.url)
        flips = bot.flips()

        assert stopped < 10
        assert {f"twilio:in:{sid}" for sid in told} <= set(counted.refused)
        counted.check()
        for desk in desks:
            mine = Counter(flips[f"slack:{desk.person.id}"])
            assert desk.saved
            assert set(desk.saved) <= set(mine)
            assert set(mine.values()) == {1}
            # The one that stops and the one that dies each leave a person at most one act.
            assert len(desk.errors) <= 2
        assert {connection for _, connection in bot.took()} >= {1, 2, 3, 4}
        bot.verify()


def test_an_eleventh_says_what_to_do_takes_webhooks_and_waits_for_its_turn(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    storage = url_of(path_in(tmp_path, "postgresql"))
    with Workspace.start(mode="socket") as slack, ExitStack() as others:
        client = WebClient(base_url=slack.api_url)
        for _ in range(10):
            address = client.apps_connections_open(app_token=slack.app_token)["url"]
            others.enter_context(connect(address))
        with serving(tmp_path, slack, port, storage, mode="socket") as eleventh:
            log = tmp_path / f"{port}.log"
            until(lambda: "Slack allows an app ten connections" in log.read_text())
            asked = len(slack.journal("apps.connections.open"))

            assert not answers(port, "/readyz")
            assert deliver(port, "SM1", PHONE)
            assert asked - 10 <= log.read_text().count("next attempt in") + 1
            assert eleventh.poll() is None

            others.close()
            until(lambda: answers(port, "/readyz"))

            assert slack.person("Ana").command("/optin help").error is None
            assert "has 1 of the ten connections" in log.read_text()

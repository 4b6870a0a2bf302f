"""The worker and the reader with every provider's own client, over HTTP to the sandbox's lists."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.consent.model import Channel, ConsentValue, Contact, Origin
from bot.consent.use_cases import Details, Service, StatusUpdate, add, change, undo
from bot.consent.use_cases.lists.list_state import confirm_writes, read_state
from bot.consent.use_cases.verify import verify
from bot.consent.write_backs import WriteState
from handlers.suppression_lists.list_reader import ListReader
from handlers.suppression_lists.provider_lists import ProviderLists
from handlers.suppression_lists.write_worker import WriteWorker
from sandbox.client import Workspace
from sandbox.client.lists_client import ListsClient
from sandbox.workspace_state import system_clock
from tests.support.consent_fixtures import AGENT, OPERATOR
from tests.support.list_clients_fixtures import client_of
from tests.support.list_jobs import Ahead, Seconds, address_of, opt_out, person, rows, writing

ADDING = pytest.mark.parametrize("provider", ["sendgrid", "mailgun", "postmark", "resend", "ses"])
ANA = address_of(0)
MINUTE = timedelta(minutes=1)


class Jobs:
    """Both jobs of one provider, its lists, and a clock for all."""

    def __init__(self, service: Service, provider: str, workspace: Workspace, clock: Ahead) -> None:
        self.provider = provider
        self.clock = clock
        self.there: ListsClient = workspace.lists(provider)
        self.service = writing(replace(service, now=clock), provider)
        self.lists: dict[str, ProviderLists] = {provider: client_of(provider, self.there.url)}
        seconds = Seconds()
        self.worker = WriteWorker(self.service, self.lists, monotonic=seconds)
        self.reader = ListReader(self.service, self.lists, monotonic=seconds)
        self.seconds = seconds

    def work(self) -> None:
        """What is due until all is done, with minutes between."""
        for _ in range(8):
            while self.worker.step():
                pass
            if all(write.state is WriteState.CONFIRMED for write in rows(self.service)):
                return
            self.clock.advance(2 * MINUTE)
            self.seconds.now += 120

    def read(self) -> None:
        self.clock.advance(timedelta(days=1, hours=1))
        self.reader.step()

    def blocks(self) -> set[str]:
        with self.service.store.reading() as records:
            return set(records.addresses.get(ANA).blocks)

    def is_there(self) -> bool:
        return bool(self.there.entries(ANA))


@pytest.fixture
def jobs(service: Service, ahead: Ahead, provider: str) -> Iterator[Jobs]:
    # A signature for Amazon holds for some minutes: there, time is as it is.
    clock = system_clock if provider == "ses" else ahead
    with Workspace.start(mode="socket", clock=clock) as workspace:
        found = Jobs(service, provider, workspace, ahead)
        found.there.settle(delay=0)
        found.reader.step()
        if found.service.providers.adding:
            confirm_writes(found.service, provider, OPERATOR)
        yield found


def clear_bounce(jobs: Jobs, contact: Contact) -> None:
    update = StatusUpdate(
        clear_bounce=frozenset({Channel.EMAIL}), reason="Correction", evidence="A call"
    )
    change(jobs.service, contact.id, update, OPERATOR)


@ADDING
def test_an_opt_out_goes_there_and_its_undo_takes_it_off_again(jobs: Jobs) -> None:
    ana = person(jobs.service)
    opt_out(jobs.service, ana)
    jobs.work()
    assert jobs.is_there()
    assert jobs.blocks() == {f"{jobs.provider}/ours"}

    jobs.clock.advance(-10 * MINUTE)
    undo(jobs.service, ana.id, Channel.EMAIL, AGENT)
    jobs.work()
    assert not jobs.is_there()
    assert jobs.blocks() == set()
    assert {write.state for write in rows(jobs.service)} == {WriteState.CONFIRMED}
    assert jobs.there.emptied == 0
    assert verify(jobs.service).problem is None


@ADDING
def test_what_optin_added_is_no_news_when_the_list_is_read(jobs: Jobs) -> None:
    ana = person(jobs.service)
    opt_out(jobs.service, ana)
    jobs.work()
    with jobs.service.store.reading() as records:
        before = records.log.head()
    jobs.read()

    report = read_state(jobs.service, jobs.provider).last_report
    assert report is not None
    assert not report.differs
    with jobs.service.store.reading() as records:
        assert records.log.head() == before
        contact = records.contacts.get(ana.id)
        assert contact is not None
        assert contact.consents[ANA].by is Origin.CONTACT
        assert contact.consents[ANA].on is ConsentValue.NO


BOUNCED = {
    "sendgrid": ("bounces", {}),
    "mailgun": ("mg.example.com/bounces", {}),
    "postmark": ("outbound", {"SuppressionReason": "HardBounce"}),
    "resend": ("suppressions", {"origin": "bounce"}),
    "ses": ("suppression", {"Reason": "BOUNCE"}),
}


@ADDING
def test_a_cleared_bounce_is_taken_off_and_only_a_look_lifts_it(jobs: Jobs) -> None:
    ana = person(jobs.service)
    place, words = BOUNCED[jobs.provider]
    jobs.there.add(place, ANA, **words)
    jobs.read()
    clear_bounce(jobs, ana)
    jobs.worker.step()
    assert not jobs.is_there()
    assert jobs.blocks() == {f"{jobs.provider}/bounce"}

    jobs.work()
    assert jobs.blocks() == set()
    assert jobs.there.calls("remove", ANA) == 1


@ADDING
def test_a_bounce_that_is_newer_than_the_clearing_stays(jobs: Jobs) -> None:
    ana = person(jobs.service)
    place, words = BOUNCED[jobs.provider]
    jobs.there.add(place, ANA, **words)
    jobs.read()
    clear_bounce(jobs, ana)
    jobs.clock.advance(MINUTE)
    jobs.there.add(place, ANA, at=jobs.clock().timestamp(), **words)
    jobs.work()

    assert jobs.is_there()
    assert jobs.there.calls("remove") == 0
    assert jobs.blocks() == {f"{jobs.provider}/bounce"}
    assert {write.state for write in rows(jobs.service)} == {WriteState.DROPPED}


@pytest.mark.parametrize("provider", ["sendgrid", "mailgun", "postmark", "resend"])
def test_a_removal_that_shows_late_is_looked_up_until_it_does(jobs: Jobs) -> None:
    ana = person(jobs.service)
    place, words = BOUNCED[jobs.provider]
    jobs.there.add(place, ANA, **words)
    jobs.read()
    clear_bounce(jobs, ana)
    jobs.there.settle(delay=50)
    jobs.worker.step()
    for _ in range(2):
        jobs.clock.advance(timedelta(seconds=20))
        jobs.worker.step()
        assert jobs.blocks() == {f"{jobs.provider}/bounce"}

    jobs.work()
    assert jobs.blocks() == set()
    assert jobs.there.calls("remove", ANA) == 1


@pytest.mark.parametrize("provider", ["telnyx"])
def test_an_opt_out_that_a_webhook_lost_is_read_from_the_providers_list(jobs: Jobs) -> None:
    phone, sender = "+14155550100", "+18885550199"
    add(jobs.service, Details(name="Ana", phone=phone), AGENT)
    jobs.there.add(sender, phone, at=(jobs.clock() - MINUTE).timestamp())
    jobs.read()

    with jobs.service.store.reading() as records:
        assert sender in records.addresses.get(phone).blocks


@pytest.mark.parametrize("provider", ["twilio"])
def test_a_list_that_cannot_be_read_gets_an_opt_out_once(jobs: Jobs) -> None:
    phone = "+14155550100"
    ana = add(jobs.service, Details(name="Ana", phone=phone), AGENT)
    update = StatusUpdate(sms=ConsentValue.NO, reason="Asked by phone")
    change(jobs.service, ana.id, update, AGENT)
    jobs.work()
    jobs.read()
    jobs.work()

    assert {write.state for write in rows(jobs.service)} == {WriteState.CONFIRMED}
    assert jobs.there.calls("add", phone) == 1
    with jobs.service.store.reading() as records:
        assert not records.addresses.get(phone).blocks


@pytest.mark.parametrize("provider", ["resend", "ses"])
@pytest.mark.parametrize("known", [True, False])
def test_a_list_with_one_entry_for_an_address_gets_the_opt_out_after_the_bounce(
    jobs: Jobs, known: bool
) -> None:
    ana = person(jobs.service)
    place, words = BOUNCED[jobs.provider]
    if known:
        jobs.there.add(place, ANA, **words)
        jobs.read()
        opt_out(jobs.service, ana)
    else:
        opt_out(jobs.service, ana)
        jobs.there.add(place, ANA, **words)
    jobs.work()
    jobs.read()
    before = entries(jobs)
    for _ in range(2):
        jobs.read()
        jobs.work()

    # Nothing is added and lifted each day, and no difference is told.
    assert entries(jobs) == before
    report = read_state(jobs.service, jobs.provider).last_report
    assert report is not None
    assert not report.differs
    clear_bounce(jobs, ana)
    jobs.work()
    assert jobs.blocks() == {f"{jobs.provider}/ours"}
    (entry,) = jobs.there.entries(ANA)
    assert (entry.get("origin"), entry.get("Reason")) in (("manual", None), (None, "COMPLAINT"))
    assert verify(jobs.service).problem is None


def entries(jobs: Jobs) -> int:
    with jobs.service.store.reading() as records:
        return records.log.head()[0]

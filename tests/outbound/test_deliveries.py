"""Events of the Activity Log reach an endpoint: signed, in order, thin, and none is lost."""

from __future__ import annotations

from datetime import datetime

import pytest
from standardwebhooks import Webhook as Verifier

from bot.consent.model import ConsentValue
from bot.consent.use_cases import Details, Service, edit, erase
from bot.consent.use_cases.webhooks import add_webhook, pause_webhook, resume_webhook
from bot.consent.use_cases.webhooks.settle_lane import look_at_lanes, look_at_webhooks
from bot.runtime.clock import Stopped
from tests.support.consent_fixtures import AGENT, NOW, OPERATOR, bounce, stop
from tests.support.endpoints import deliver, receiver, worker_of
from tests.support.outbound_fixtures import flip, person, rename

YES, NO = ConsentValue.YES, ConsentValue.NO


def test_a_change_reaches_the_endpoint_with_its_answers(outbound: Service):
    ana = person(outbound)
    with receiver() as endpoint, worker_of(outbound) as worker:
        add_webhook(outbound, "cli:root", url=endpoint.url)
        changed = flip(outbound, ana.id, YES)
        deliver(worker)

    (one,) = endpoint.received
    assert one.path == "/optin"
    assert one.json["type"] == "consent.changed"
    assert datetime.fromisoformat(one.json["timestamp"]) == NOW
    assert one.data["contact"] == ana.id
    assert one.data["version"] == changed.version
    assert one.data["channel"] == "sms"
    assert one.data["before"] == {"answer": "no", "sms": "no", "email": None}
    assert one.data["after"] == {"answer": "yes", "sms": "yes", "email": None}


def test_what_happened_before_the_webhook_was_added_is_not_delivered(outbound: Service):
    ana = person(outbound)
    with receiver() as endpoint, worker_of(outbound) as worker:
        add_webhook(outbound, "cli:root", url=endpoint.url)
        deliver(worker)
        before = len(endpoint.received)
        flip(outbound, ana.id, YES)
        deliver(worker)

    assert before == 0
    assert len(endpoint.received) == 1


def test_a_webhook_gets_the_types_of_events_that_it_asks_for(outbound: Service):
    with receiver() as endpoint, worker_of(outbound) as worker:
        add_webhook(outbound, "cli:root", url=endpoint.url, events=["block.changed"])
        person(outbound)
        stop(outbound, "+14155550000", sender="+18885550199")
        bounce(outbound, "+14155550000")
        deliver(worker)

    (one,) = endpoint.received
    assert one.json["type"] == "block.changed"
    assert one.data["sender"] == "+18885550199"


def test_no_body_holds_an_address_unless_the_webhook_asks_for_it(outbound: Service):
    with receiver() as thin, receiver() as full, worker_of(outbound) as worker:
        add_webhook(outbound, "cli:root", url=thin.url)
        add_webhook(outbound, "cli:root", url=full.url, include_address=True)
        ana = person(outbound, name="Canary Name")
        edit(
            outbound,
            ana.id,
            Details(name="Canary Name", phone=ana.phone, email="canary@example.com"),
            AGENT,
        )
        stop(outbound, "+14155550000", sender="+18885550199")
        deliver(worker)

    assert len(thin.received) == len(full.received) == 4
    for one in thin.received:
        text = one.body.decode() + str(dict(one.headers))
        assert "5550000" not in text
        assert "canary" not in text.lower()
        assert not {"address", "phone", "email"} & set(one.data)
    assert full.received[-1].data["address"] == "+14155550000"
    assert full.received[-1].data["email"] == "canary@example.com"
    assert all(len(one.body) < 20_000 for one in full.received)


def test_an_erased_contact_is_told_of_without_an_address(outbound: Service):
    ana = person(outbound)
    with receiver() as endpoint, worker_of(outbound) as worker:
        add_webhook(outbound, "cli:root", url=endpoint.url, include_address=True)
        flip(outbound, ana.id, YES)
        erase(outbound, ana.id, OPERATOR)
        deliver(worker)

    assert endpoint.received[-1].data["erased"] is True
    assert all(one.data["address"] is None for one in endpoint.received)
    assert all(one.data["phone"] is None for one in endpoint.received)


def test_the_reference_library_verifies_each_delivery(outbound: Service, clock: Stopped):
    ana = person(outbound, name="Åsa 漢字")
    with receiver() as endpoint, worker_of(outbound) as worker:
        webhook = add_webhook(outbound, "cli:root", url=endpoint.url)
        clock.advance(datetime.now(NOW.tzinfo) - NOW)  # the library goes by its own clock
        flip(outbound, ana.id, YES)
        flip(outbound, ana.id, NO)
        deliver(worker)

    assert len(endpoint.received) == 2
    for one in endpoint.received:
        verified = Verifier(webhook.secrets[0].text).verify(one.body, dict(one.headers))
        assert verified["data"]["contact"] == ana.id


def test_a_contacts_events_arrive_in_the_order_of_the_log(outbound: Service):
    people = [person(outbound, number) for number in range(12)]
    with receiver() as endpoint, worker_of(outbound) as worker:
        add_webhook(outbound, "cli:root", url=endpoint.url)
        for turn in range(6):
            for one in people:
                rename(outbound, one, turn)
        deliver(worker)

    assert len(endpoint.received) == 72
    for one in people:
        versions = [r.data["version"] for r in endpoint.received if r.data["contact"] == one.id]
        assert versions == sorted(versions)
        assert len(set(versions)) == 6


def test_an_idle_worker_writes_nothing(outbound: Service):
    person(outbound)
    with receiver() as endpoint, worker_of(outbound) as worker:
        add_webhook(outbound, "cli:root", url=endpoint.url, events=["case.changed"])
        before = [*values(outbound)]
        for number in range(1, 30):
            person(outbound, number)
            assert not worker.step()

    assert [*values(outbound)] == before
    assert endpoint.received == []


def test_connections_are_used_again(outbound: Service):
    with receiver() as endpoint, worker_of(outbound) as worker:
        add_webhook(outbound, "cli:root", url=endpoint.url)
        for number in range(20):
            person(outbound, number)
        deliver(worker)

    assert len(endpoint.received) == 20
    assert endpoint.connections == 1


def test_a_paused_webhook_goes_on_where_it_stopped(outbound: Service):
    with receiver() as endpoint, worker_of(outbound) as worker:
        webhook = add_webhook(outbound, "cli:root", url=endpoint.url)
        person(outbound, 1)
        deliver(worker)
        pause_webhook(outbound, webhook.id)
        person(outbound, 2)
        deliver(worker)
        before = len(endpoint.received)
        resume_webhook(outbound, webhook.id)
        deliver(worker)

    assert before == 1
    assert len(endpoint.received) == 2


@pytest.mark.parametrize("path", ["", "/a%20b?token=x&y=1", "/?q"])
def test_the_path_of_the_url_is_kept(outbound: Service, path: str):
    with receiver() as endpoint, worker_of(outbound) as worker:
        add_webhook(outbound, "cli:root", url=endpoint.url.removesuffix("/optin") + path)
        person(outbound)
        deliver(worker)

    assert [one.path for one in endpoint.received] == [path or "/"]


def values(service: Service) -> list[object]:
    _, text = look_at_webhooks(service)
    return [text, *look_at_lanes(service, text)]

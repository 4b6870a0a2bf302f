"""Endpoints that answer late, wrongly or not at all: what is retried, held, announced, paused."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler

import pytest

from bot.consent.alerts import Alert, AlertKind
from bot.consent.use_cases import Service
from bot.consent.use_cases.webhooks import (
    add_webhook,
    find_webhook,
    replay_webhook,
    resume_webhook,
    webhook_status,
)
from bot.consent.use_cases.webhooks.webhook_alerts import EndpointState, trouble_of
from bot.consent.webhooks import Webhook, WebhookState
from bot.runtime.clock import Stopped
from handlers.outbound.delivery_worker import DeliveryWorker
from handlers.slack.alerts.render.alert_blocks import drawn
from tests.support.endpoints import Received, Receiver, deliver, receiver, worker_of
from tests.support.outbound_fixtures import people_of_two_lanes, person, rename

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


@contextmanager
def delivering(
    service: Service, answer: object = 500, **options: float
) -> Iterator[tuple[Receiver, DeliveryWorker, Webhook]]:
    with receiver(answer) as endpoint, worker_of(service, **options) as worker:
        yield endpoint, worker, add_webhook(service, "cli:root", url=endpoint.url)


def test_a_failed_delivery_is_retried_by_the_schedule_with_the_same_id(
    outbound: Service, clock: Stopped
):
    waits = [5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR]
    attempts = []
    with delivering(outbound) as (endpoint, worker, _):
        person(outbound)
        for wait in waits:
            deliver(worker)
            clock.advance(wait - SECOND)
            deliver(worker)
            attempts.append(len(endpoint.received))
            clock.advance(SECOND)
        endpoint.answer = lambda handler, received: 204
        deliver(worker)
        deliver(worker)

    assert attempts == [1, 2, 3, 4, 5, 6]
    assert len(endpoint.received) == 7
    assert len({one.id for one in endpoint.received}) == 1
    assert len({one.body for one in endpoint.received}) == 1
    times = [int(one.headers["webhook-timestamp"]) for one in endpoint.received]
    assert times == sorted(set(times))


def test_later_events_of_the_contact_wait_for_the_one_that_fails(outbound: Service, clock: Stopped):
    ana = person(outbound)
    with delivering(outbound) as (endpoint, worker, _):
        for number in range(3):
            rename(outbound, ana, number)
        deliver(worker)
        first = endpoint.seqs()
        endpoint.answer = lambda handler, received: 200
        clock.advance(5 * SECOND)
        deliver(worker)

    assert len(first) == 1
    assert endpoint.seqs() == [first[0], first[0], first[0] + 1, first[0] + 2]


def poison(seq: int) -> object:
    """Refuses one event."""
    return lambda handler, received: 500 if received.data["seq"] == seq else 204


def test_an_event_that_fails_alone_holds_its_contact_for_five_minutes(
    outbound: Service, clock: Stopped
):
    ana, bob = people_of_two_lanes(outbound)
    with delivering(outbound, 204) as (endpoint, worker, _):
        rename(outbound, ana, 1)
        deliver(worker)
        bad = endpoint.seqs()[-1] + 1
        endpoint.answer = poison(bad)
        rename(outbound, ana, 2)
        rename(outbound, ana, 3)
        deliver(worker)
        clock.advance(SECOND)
        rename(outbound, bob, 1)
        deliver(worker)
        held = endpoint.seqs()
        clock.advance(5 * MINUTE - 2 * SECOND)
        deliver(worker)
        still_held = endpoint.seqs()
        clock.advance(2 * SECOND)
        deliver(worker)
        after = endpoint.seqs()
        (status,) = webhook_status(outbound)
        endpoint.answer = lambda handler, received: 204
        clock.advance(HOUR)
        deliver(worker)

    assert held[-2:] == [bad, bad + 2]
    assert bad + 1 not in still_held
    assert after[-1] == bad + 1
    assert (status.retrying, status.given_up) == (1, 0)
    assert endpoint.seqs()[-1] == bad


def test_an_event_that_fails_alone_is_given_up_after_ten_attempts_and_can_be_replayed(
    outbound: Service, clock: Stopped
):
    ana, bob = people_of_two_lanes(outbound)
    with delivering(outbound, 204) as (endpoint, worker, webhook):
        rename(outbound, ana, 1)
        deliver(worker)
        bad = endpoint.seqs()[-1] + 1
        endpoint.answer = poison(bad)
        rename(outbound, ana, 2)
        for number in range(120):
            deliver(worker)
            clock.advance(HOUR)
            rename(outbound, bob, number)
        deliver(worker)
        (status,) = webhook_status(outbound)
        attempts = endpoint.seqs().count(bad)
        endpoint.answer = lambda handler, received: 204
        replay_webhook(outbound, webhook.id, after=bad - 1)
        deliver(worker)

    (alert,) = alerts(outbound)
    assert trouble_of(alert).state is EndpointState.GIVEN_UP
    assert f"optin webhook replay {webhook.id} --after {bad - 1}" in drawn(alert).text
    assert attempts == 10
    assert (status.retrying, status.given_up, status.first_given_up) == (0, 1, bad)
    assert status.webhook.state is WebhookState.ACTIVE
    assert endpoint.seqs().count(bad) == 11
    assert webhook_status(outbound)[0].given_up == 0


def test_an_endpoint_that_fails_as_a_whole_keeps_the_order_however_long(
    outbound: Service, clock: Stopped
):
    ana, bob = people_of_two_lanes(outbound)
    with delivering(outbound) as (endpoint, worker, _):
        for number in range(3):
            rename(outbound, ana, number)
            rename(outbound, bob, number)
        for _ in range(30):
            deliver(worker)
            clock.advance(HOUR)
        tried = {one.data["seq"] for one in endpoint.received}
        endpoint.received.clear()
        endpoint.answer = lambda handler, received: 204
        clock.advance(24 * HOUR)
        deliver(worker)

    assert len(tried) == 2
    for one in (ana, bob):
        seqs = [r.data["seq"] for r in endpoint.received if r.data["contact"] == one.id]
        assert seqs == sorted(seqs)
        assert len(seqs) == 3


def test_when_one_lane_gets_through_the_others_are_tried_at_once(outbound: Service, clock: Stopped):
    ana, bob = people_of_two_lanes(outbound)
    with delivering(outbound) as (endpoint, worker, _):
        rename(outbound, ana, 1)
        deliver(worker)
        for _ in range(12):
            clock.advance(HOUR)
            deliver(worker)
        rename(outbound, bob, 1)
        endpoint.received.clear()
        endpoint.answer = lambda handler, received: 204
        deliver(worker)

    assert {one.data["contact"] for one in endpoint.received} == {ana.id, bob.id}


def test_the_alert_channel_is_told_at_the_third_failure_in_a_row(outbound: Service, clock: Stopped):
    told = []
    with delivering(outbound) as (_, worker, webhook):
        person(outbound)
        for wait in (5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR):
            deliver(worker)
            told.append(len(alerts(outbound)))
            clock.advance(wait)

    assert told == [0, 0, 1, 1]
    (alert,) = alerts(outbound)
    assert alert.slack_channel == "C0ALERTS"
    text = drawn(alert).text
    assert "127.0.0.1" in text
    assert "answered 500" in text
    assert f"optin webhook test {webhook.id}" in text
    assert "/optin" not in text
    assert "5550000" not in text


def test_events_of_many_contacts_at_once_count_as_one_failure(outbound: Service):
    with delivering(outbound) as (endpoint, worker, _):
        for number in range(20):
            person(outbound, number)
        deliver(worker)

    assert len(endpoint.received) > 3
    assert webhook_status(outbound)[0].health.failures == 1
    assert alerts(outbound) == []


def test_the_alert_says_when_it_works_again(outbound: Service, clock: Stopped):
    with delivering(outbound) as (endpoint, worker, _):
        person(outbound)
        for wait in (5 * SECOND, 5 * MINUTE, 30 * MINUTE):
            deliver(worker)
            clock.advance(wait)
        endpoint.answer = lambda handler, received: 204
        deliver(worker)

    (alert,) = alerts(outbound)
    assert trouble_of(alert).state is EndpointState.RECOVERED
    assert alert.delivery.due
    assert "works again" in drawn(alert).text


def test_it_is_paused_after_three_days_and_announced_before(outbound: Service, clock: Stopped):
    with delivering(outbound) as (endpoint, worker, webhook):
        person(outbound)
        while find_webhook(outbound, webhook.id).state is WebhookState.ACTIVE:
            deliver(worker)
            clock.advance(HOUR)
        attempts = len(endpoint.received)
        clock.advance(100 * HOUR)
        deliver(worker)
        still = len(endpoint.received)
        endpoint.answer = lambda handler, received: 204
        resume_webhook(outbound, webhook.id)
        deliver(worker)

    first, second = alerts(outbound)
    assert trouble_of(first).state is EndpointState.FAILING
    assert trouble_of(second).state is EndpointState.PAUSED
    assert second.first_at - first.first_at > 70 * HOUR
    assert f"optin webhook resume {webhook.id}" in drawn(second).text
    assert attempts == still == 10
    assert len(endpoint.received) == 11


def test_410_pauses_at_once(outbound: Service):
    with delivering(outbound, 410) as (endpoint, worker, webhook):
        person(outbound, 1)
        person(outbound, 2)
        deliver(worker)

    paused = find_webhook(outbound, webhook.id)
    assert paused.state is WebhookState.PAUSED
    assert paused.problem == "answered 410 (Gone)"
    assert len(endpoint.received) == 1
    (alert,) = alerts(outbound)
    assert trouble_of(alert).state is EndpointState.PAUSED


def test_a_redirect_is_a_failure_and_is_not_followed(outbound: Service):
    with receiver() as other:

        def redirect(handler: BaseHTTPRequestHandler, received: Received) -> None:
            handler.send_response(301)
            handler.send_header("Location", other.url)
            handler.send_header("Content-Length", "0")
            handler.end_headers()

        with delivering(outbound, redirect) as (endpoint, worker, _):
            person(outbound)
            deliver(worker)

    assert len(endpoint.received) == 1
    assert other.received == []
    assert "redirect" in webhook_status(outbound)[0].health.problem


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_throttling_endpoint_gets_a_pause_in_every_lane(
    outbound: Service, clock: Stopped, status: int
):
    ana, bob = people_of_two_lanes(outbound)

    def busy(handler: BaseHTTPRequestHandler, received: Received) -> None:
        handler.send_response(status)
        handler.send_header("Retry-After", "999999999")
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    with delivering(outbound, busy) as (endpoint, worker, _):
        rename(outbound, ana, 1)
        deliver(worker)
        rename(outbound, bob, 1)
        deliver(worker)
        clock.advance(9 * SECOND)
        deliver(worker)
        before = len(endpoint.received)
        endpoint.answer = lambda handler, received: 204
        clock.advance(SECOND)  # twice the 5 seconds of the schedule, whatever it asked for
        deliver(worker)

    assert before == 1
    assert len(endpoint.received) == 3


def test_an_endpoint_that_answers_late_is_left_alone_for_a_minute(
    outbound: Service, clock: Stopped
):
    ended = threading.Event()

    def late(handler: BaseHTTPRequestHandler, received: Received) -> int:
        ended.wait(20)
        return 204

    with delivering(outbound, late, answer_within=0.2) as (endpoint, worker, _):
        person(outbound)
        deliver(worker)
        clock.advance(59 * SECOND)
        deliver(worker)
        before = len(endpoint.received)
        problem = webhook_status(outbound)[0].health.problem
        ended.set()
        clock.advance(SECOND)
        deliver(worker)

    assert before == 1
    assert problem == "did not answer within 0.2 seconds"
    assert len(endpoint.received) == 2


def test_an_endless_answer_is_cut(outbound: Service):
    cut = threading.Event()

    def endless(handler: BaseHTTPRequestHandler, received: Received) -> None:
        handler.send_response(200)
        handler.end_headers()
        try:
            while True:
                handler.wfile.write(b"x" * 65_536)
        except OSError:
            cut.set()
            handler.close_connection = True

    with delivering(outbound, endless) as (endpoint, worker, _):
        person(outbound)
        deliver(worker)
        assert cut.wait(30)

    assert len(endpoint.received) == 1
    assert webhook_status(outbound)[0].retrying == 0


def test_headers_that_come_byte_by_byte_end_with_the_deadline(outbound: Service):
    ended = threading.Event()

    def drip(handler: BaseHTTPRequestHandler, received: Received) -> None:
        handler.close_connection = True
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
        while not ended.wait(0.05):
            try:
                handler.wfile.write(b"X-A: b\r\n")
            except OSError:
                return

    with delivering(outbound, drip, answer_within=0.4) as (endpoint, worker, _):
        person(outbound)
        deliver(worker)
        ended.set()

    assert len(endpoint.received) == 1
    assert "did not answer" in webhook_status(outbound)[0].health.problem


def test_a_connection_that_is_closed_after_2xx_counts_as_delivered(outbound: Service):
    def close(handler: BaseHTTPRequestHandler, received: Received) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        handler.close_connection = True

    with delivering(outbound, close) as (endpoint, worker, _):
        person(outbound, 1)
        person(outbound, 2)
        deliver(worker)

    assert len(endpoint.received) == 2
    assert webhook_status(outbound)[0].retrying == 0


def test_a_kept_connection_that_the_endpoint_closes_is_opened_again(outbound: Service):
    def answer(handler: BaseHTTPRequestHandler, received: Received) -> int:
        handler.close_connection = True  # without saying so
        return 204

    with delivering(outbound, answer) as (endpoint, worker, _):
        for number in range(5):
            person(outbound, number)
        deliver(worker)

    assert len({one.id for one in endpoint.received}) == 5
    assert webhook_status(outbound)[0].retrying == 0


def test_an_endpoint_that_is_down_is_retried(outbound: Service, clock: Stopped):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with worker_of(outbound) as worker:
        add_webhook(outbound, "cli:root", url=f"http://127.0.0.1:{port}/")
        person(outbound)
        deliver(worker)

    (status,) = webhook_status(outbound)
    assert status.health.problem == "refused the connection"
    assert status.retrying == 1


def test_a_slow_endpoint_holds_up_no_other(outbound: Service):
    ended = threading.Event()

    def slow(handler: BaseHTTPRequestHandler, received: Received) -> int:
        ended.wait(30)
        return 204

    with receiver(slow) as one, receiver() as other, worker_of(outbound) as worker:
        add_webhook(outbound, "cli:root", url=one.url)
        add_webhook(outbound, "cli:root", url=other.url)
        for number in range(30):
            person(outbound, number)
        thread = threading.Thread(target=worker.work, daemon=True)
        thread.start()
        other.until(lambda: len(other.received) == 30)
        at_once = len(one.received)
        ended.set()
        one.until(lambda: len(one.received) == 30)
        worker.stop()
        thread.join()
        worker.wait_for_turns()

    assert at_once <= 2


def alerts(service: Service) -> list[Alert]:
    with service.store.reading() as records:
        return [one for one in records.outbox.all() if one.kind is AlertKind.WEBHOOK]

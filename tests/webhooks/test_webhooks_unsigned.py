"""What anybody can send without a secret: it costs little, and keeps no genuine request waiting."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Iterator
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import ClassVar

import pytest

from bot.consent.model import ConsentValue
from bot.runtime.server import Server
from handlers.web import LARGEST_BODY, web_app
from handlers.webhooks.provider import Parsed, Request, Route
from handlers.webhooks.receiver import BatchQueue, ProviderHealth, WebhookReceiver, webhook_routes
from tests.support.one_click_requests import KEYS, click, email_on, link
from tests.support.receiving_fixtures import PUBLIC, Receiver, receiver
from tests.support.twilio_requests import FORM, on, text

JSON = "application/json"
PARTS = "multipart/form-data; boundary=x"
TOKEN = "a-token-for-tests"
ENV = {
    "OPTIN_TWILIO_AUTH_TOKEN": TOKEN,
    "OPTIN_TELNYX_PUBLIC_KEY": base64.b64encode(bytes(range(32))).decode(),
    "OPTIN_MAILGUN_SIGNING_KEY": "another-key",
    "OPTIN_VONAGE_SIGNATURE_SECRET": "a-secret",
    "OPTIN_POSTMARK_USER": "user",
    "OPTIN_POSTMARK_PASSWORD": "password",
    "OPTIN_SES_TOPIC_ARNS": "arn:aws:sns:us-east-1:123456789012:optin",
    "OPTIN_RESEND_SIGNING_SECRET": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "OPTIN_UNSUBSCRIBE_KEY": KEYS[0],
}
ROUTES = [
    "/webhooks/twilio/inbound",
    "/webhooks/twilio/status",
    "/webhooks/twilio/events",
    "/webhooks/telnyx",
    "/webhooks/mailgun",
    "/webhooks/postmark",
    "/webhooks/ses",
    "/webhooks/resend",
    "/webhooks/vonage/inbound",
    "/webhooks/vonage/sms/inbound",
    "/webhooks/vonage/sms/dlr",
    "/u/one-click?c=7&l=news&t=" + "A" * 43,
]
_N = LARGEST_BODY
_HEAD = b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n"
BODIES = {
    "parts": (PARTS, b"--x\r\n" * (_N // 5)),
    "headers of a part": (PARTS, b"--x\r\n" + b"A: b\r\n" * (_N // 6 - 1)),
    "one long header": (PARTS, b"--x\r\n" + b"A: " + b"b; c=d" * (_N // 6 - 2)),
    "continued header": (PARTS, b"--x\r\nA: b\r\n" + b" b\r\n" * (_N // 4 - 4)),
    "nested parts": (PARTS, b"--x\r\n" + _HEAD * (_N // len(_HEAD) - 1)),
    "line ends": (PARTS, b"\r\n" * (_N // 2)),
    "escapes": (FORM, b"%41" * (_N // 3)),
    "half escapes": (FORM, b"%" * _N),
    "borders": (FORM, b"&" * _N),
    "fields": (FORM, b"a=&" * (_N // 3)),
    "lists": (JSON, b"[" + b"[]," * (_N // 3 - 1) + b"1]"),
    "depth": (JSON, b"[" * _N),
    "objects": (JSON, b'{"signature":[' + b"{}," * (_N // 3 - 8) + b"1]}"),
    "names": (JSON, json.dumps({f"k{n:06}": "" for n in range(60_000)}).encode()),
    "digits": (JSON, b"1" * _N),
    "whole numbers": (JSON, b"[" + (b"9" * 4_299 + b",") * (_N // 4_300 - 1) + b"1]"),
    "fractions": (JSON, b"0." + b"1" * (_N - 2)),
    "signatures": (
        JSON,
        json.dumps(
            {
                "Type": "Notification",
                "TopicArn": ENV["OPTIN_SES_TOPIC_ARNS"],
                "Timestamp": "1." + "1" * 300_000,
                "Signature": "A" * 300_000,
                "signature": {"timestamp": "1" * 300_000, "token": "a" * 50, "signature": ""},
                "event-data": {},
                "sig": "b" * 10_000,
            }
        ).encode(),
    ),
}
HEADERS = {
    "X-Twilio-Signature": "AAAA",
    "Authorization": "Bearer " + base64.urlsafe_b64encode(b"[" * 30_000).decode() + ".e30.AAAA",
    "X-Amz-Sns-Message-Type": "Notification",
}


@pytest.fixture(scope="module")
def bot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    with receiver(tmp_path_factory.mktemp("unsigned"), ENV) as bot:
        yield bot


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("route", ROUTES)
def test_a_megabyte_without_a_signature_is_refused_at_once(
    bot: Receiver, route: str, body: str
) -> None:
    kind, content = BODIES[body]
    before = bot.bytes()
    began = time.process_time()
    answer = bot.send("POST", route, content, {"Content-Type": kind, **HEADERS})
    took = time.process_time() - began

    assert answer.status in (400, 401)
    assert answer.body == b""
    # Linear work takes some hundredths; the quadratic kind took minutes.
    assert took < 0.75
    assert bot.bytes() == before


def test_unsubscribes_and_stops_are_taken_while_junk_comes_in(tmp_path: Path) -> None:
    with receiver(tmp_path, ENV) as bot:
        ana = bot.willing("Ana", external_id="7", email="ana@example.com", phone="+14155550100")
        ended = threading.Event()

        def send_junk() -> None:
            kind, content = BODIES["one long header"]
            while not ended.is_set():
                bot.send("POST", ROUTES[-1], content, {"Content-Type": kind})
                bot.send("POST", ROUTES[0], BODIES["half escapes"][1], {"Content-Type": FORM})

        junk = [threading.Thread(target=send_junk) for _ in range(2)]
        for thread in junk:
            thread.start()
        try:
            began = time.monotonic()
            clicked = click(bot, link("7", "ana@example.com"))
            stopped = text(bot, "STOP")
            took = time.monotonic() - began
        finally:
            ended.set()
            for thread in junk:
                thread.join()

        assert (clicked.status, stopped.status) == (200, 200)
        assert (email_on(bot, ana), on(bot)) == (ConsentValue.NO, ConsentValue.NO)
        assert took < 5


class _Slow:
    """A provider whose check takes as long as somebody wants."""

    name: ClassVar[str] = "slow"

    def __init__(self) -> None:
        self.began, self.may_end = threading.Event(), threading.Event()

    def verify(self, request: Request, now: datetime) -> str:
        self.began.set()
        self.may_end.wait(60)
        return "nothing"

    def parse(self, request: Request, now: datetime) -> Parsed:
        return Parsed(ignored=("nothing",))


def test_a_check_that_does_not_end_keeps_the_process_from_nothing(bot: Receiver) -> None:
    slow = _Slow()
    intake = WebhookReceiver(bot.service, counted=lambda *_: None, health=ProviderHealth())
    with BatchQueue(intake, slow) as line:
        paths = {slow.name: [Route(path="/webhooks/slow")]}
        routes = webhook_routes({slow.name: line}, paths, public_url=PUBLIC)
        with Server(web_app(routes=routes, checks={})) as server:
            other = Receiver(
                service=bot.service,
                metrics=bot.metrics,
                host=server.host,
                port=server.port,
                storage=bot.storage,
            )
            answers: list[int] = []
            asking = threading.Thread(
                target=lambda: answers.append(other.send("POST", "/webhooks/slow").status)
            )
            asking.start()
            assert slow.began.wait(10)
            began = time.monotonic()
    took = time.monotonic() - began
    slow.may_end.set()
    asking.join(10)

    # Four seconds for requests under way, and two for the work.
    assert took < 9
    assert HTTPStatus.OK not in answers


def test_large_events_that_are_signed_are_still_read(tmp_path: Path) -> None:
    with receiver(tmp_path, ENV) as bot:
        bot.willing("Ana", phone="+14155550100")
        answer = text(bot, "STOP " + "é" * 30_000)

        assert answer.status == 200
        assert len(bot.log()[-1].reason or "") < 2_000

"""What no provider would send: refused over HTTP without a trace, and never a failure of ours."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
import shutil
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import urlencode, urlsplit

import pytest

from bot.consent.log.entries import EntryKind
from bot.consent.model import BlockState, ConsentValue
from bot.runtime import clock
from handlers.webhooks.payload_parsing import raw_form
from tests.support.receiving_fixtures import PUBLIC, Answer, Receiver, receiver
from tests.support.storages import KIND
from tests.support.twilio_requests import (
    ANA,
    FORM,
    INBOUND,
    OURS,
    TOKEN,
    on,
    signed,
    text,
)
from tests.support.webhooks_fixtures import FIXTURES, Sample, read_samples, sample

ENV = {
    "OPTIN_TWILIO_AUTH_TOKEN": TOKEN,
    "OPTIN_UNSUBSCRIBE_KEY": "a-key-that-is-long-enough",
    "OPTIN_MAILGUN_SIGNING_KEY": "another-key",
}


@pytest.fixture
def bot(tmp_path: Path) -> Iterator[Receiver]:
    with receiver(tmp_path, ENV) as bot:
        bot.willing("Ana", phone=ANA, email="ana@example.com")
        yield bot


def test_a_stop_is_answered_with_nothing_to_be_texted_back(bot: Receiver) -> None:
    answer = text(bot, "STOP")

    assert (answer.status, answer.body) == (200, b"<Response/>")
    assert answer.headers["content-type"].startswith("text/xml")
    assert on(bot) is ConsentValue.NO


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Twilio-Signature": ""},
        {"X-Twilio-Signature": "AAAA"},
        {"X-Twilio-Signature": "ä" * 4000},
        signed(INBOUND, {"Body": "STOP"}, "another token"),
        signed("/webhooks/twilio/status", {"Body": "STOP"}),
    ],
    ids=["none", "empty", "malformed", "long", "another secret", "another address"],
)
def test_what_is_not_signed_by_the_provider_leaves_no_trace(
    bot: Receiver, headers: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    before = bot.bytes()
    form = {"MessageSid": "SM1", "From": ANA, "To": OURS, "Body": "STOP canary"}
    answer = bot.send("POST", INBOUND, urlencode(form).encode(), {"Content-Type": FORM} | headers)

    assert (answer.status, answer.body) == (401, b"")
    assert bot.bytes() == before
    assert bot.counted("twilio", "forged") == 1
    assert "canary" not in caplog.text
    assert ANA not in caplog.text


def test_a_provider_that_is_off_is_not_there(bot: Receiver) -> None:
    for path in ("/webhooks/telnyx", "/webhooks/ses", "/webhooks/sendgrid/events", "/webhooks/x"):
        assert bot.send("POST", path, b"{}").status == 404


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"[" * 100_000, "application/json"),
        (b"{}", "application/json"),
        (b"&" * 10_000, FORM),
    ],
    ids=["deep", "JSON", "many fields"],
)
def test_what_can_not_be_read_is_refused_and_never_a_failure_of_ours(
    bot: Receiver, body: bytes, kind: str
) -> None:
    before = bot.bytes()
    # Signed over what a lenient reader makes of it, so that a signature is not what stops it.
    from urllib.parse import parse_qsl

    pairs = sorted(set(parse_qsl(body.decode("utf-8", "replace"), True, errors="replace")))
    over = PUBLIC + INBOUND + "".join(name + value for name, value in pairs)
    digest = hmac.digest(TOKEN.encode(), over.encode("utf-8", "replace"), hashlib.sha1)
    signature = base64.b64encode(digest).decode()
    answer = bot.send(
        "POST", INBOUND, body, {"Content-Type": kind, "X-Twilio-Signature": signature}
    )

    assert answer.status in (400, 401)
    assert answer.body == b""
    assert bot.bytes() == before


@pytest.mark.parametrize(
    "body",
    [
        b"MessageSid=SM1&From=%2B14155550100&From=%2B14155550101&To=1&Body=STOP",
        b"MessageSid=SM1&From=%2B14155550100&To=1&Body=STOP&Body=START",
        b"\xff\xfe\x00garbage",
        b"",
    ],
    ids=["two senders", "two texts", "garbage", "nothing"],
)
def test_what_is_signed_and_not_understood_is_answered_well_and_counted(
    bot: Receiver, body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    pairs = sorted(raw_form(body))
    over = (PUBLIC + INBOUND).encode() + b"".join(name + value for name, value in pairs)
    digest = hmac.digest(TOKEN.encode(), over, hashlib.sha1)
    signature = base64.b64encode(digest).decode()
    before = len(bot.log())
    answer = bot.send(
        "POST", INBOUND, body, {"Content-Type": FORM, "X-Twilio-Signature": signature}
    )

    assert answer.status == 200
    assert bot.counted("twilio", "unreadable") == 1
    assert len(bot.log()) == before
    assert on(bot) is ConsentValue.YES
    assert "not understood" in caplog.text
    assert ANA not in caplog.text


def test_a_body_over_the_cap_is_not_read(bot: Receiver) -> None:
    before = bot.bytes()
    answer = bot.send("POST", INBOUND, b"x" * (1024 * 1024 + 1), {"Content-Type": FORM})

    assert answer.status == 413
    assert bot.bytes() == before


@pytest.mark.parametrize(
    ("body", "sender"),
    [
        ("<!channel> " * 20, ANA),
        ("x" * 10_000, ANA),
        ("🛑🛑🛑", ANA),
        ("", ANA),
        ("STOP", "VERIFY"),
        ("STOP", "72345"),
        ("STOP", "whatsapp:+14155550100"),
    ],
)
def test_odd_texts_and_senders_are_taken(bot: Receiver, body: str, sender: str) -> None:
    assert text(bot, body, sender=sender).status == 200
    assert on(bot) is ConsentValue.YES


def test_the_same_event_a_hundred_times_at_once_has_one_effect(bot: Receiver) -> None:
    with ThreadPoolExecutor(max_workers=50) as pool:
        answers = list(pool.map(lambda _: text(bot, "STOP").status, range(100)))

    assert answers == [200] * 100
    refusals = [
        one for one in bot.log() if one.kind is EntryKind.CONSENT and one.after == ConsentValue.NO
    ]
    assert len(refusals) == 1
    assert bot.counted("twilio", "applied") == 1
    assert bot.counted("twilio", "duplicate") == 99


def test_an_old_start_that_is_replayed_after_a_stop_changes_nothing(bot: Receiver) -> None:
    text(bot, "START", sid="SM0")
    text(bot, "STOP", sid="SM1")
    answer = text(bot, "START", sid="SM0")

    assert answer.status == 200
    with bot.service.store.reading() as records:
        assert records.addresses.get(ANA).block(OURS)[0] is not BlockState.NONE


def test_a_stop_while_the_disk_is_full_is_taken_when_it_comes_again(
    tmp_path: Path,
) -> None:
    if KIND == "postgresql":
        pytest.skip("PostgreSQL's disk is its own (test_sql_faults.py)")
    disk = tmp_path / "storage"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("only root can mount a small disk")
    try:
        with receiver(tmp_path, ENV) as bot:
            bot.willing("Ana", phone=ANA)
            (disk / "filler").write_bytes(bytes(shutil.disk_usage(disk).free))
            # What is left of the last blocks is filled by others.
            for number in range(1_000):
                if (
                    text(bot, "STOP", sid=f"SM{number}x", sender=f"+1415555{number:04}").status
                    == 503
                ):
                    break
            refused = text(bot, "STOP")
            (disk / "filler").unlink()
            taken = text(bot, "STOP")

            assert (refused.status, refused.body) == (503, b"")
            assert taken.status == 200
            assert on(bot) is ConsentValue.NO
            assert bot.counted("twilio", "not_stored") == 2
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


def test_a_token_of_mailguns_stands_for_one_content_even_after_a_restart(tmp_path: Path) -> None:
    replayed = sample("mailgun/reject_token_replayed_with_other_body")
    (original,) = replayed.before()
    certificates = tmp_path / "certificates"
    certificates.mkdir()
    env = replayed.environment(certificates)
    with clock.stopped(original.received_at), receiver(tmp_path, env) as bot:
        first = posted(bot, original).status
    with clock.stopped(replayed.received_at), receiver(tmp_path, env) as bot:
        again, other = posted(bot, original).status, posted(bot, replayed).status

    assert (first, again, other) == (200, 200, 401)


class _Sink(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.server.called.append(self.path)  # type: ignore[attr-defined]
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def sink() -> Iterator[tuple[str, list[str]]]:
    """A server that nobody should call: its address, and who did."""
    server = HTTPServer(("127.0.0.1", 0), _Sink)
    called: list[str] = []
    server.called = called  # type: ignore[attr-defined]
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", called
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("field", ["SubscribeURL", "SigningCertURL"])
def test_no_address_out_of_a_message_is_called_but_amazons(
    tmp_path: Path, sink: tuple[str, list[str]], field: str
) -> None:
    url, called = sink
    confirmation = sample("ses/subscription_confirmation_v1")
    certificates = tmp_path / "certificates"
    certificates.mkdir()
    body = json.loads(confirmation.told["body"]) | {field: f"{url}/confirm"}
    with (
        clock.stopped(confirmation.received_at),
        receiver(tmp_path, confirmation.environment(certificates), jobs=True) as bot,
    ):
        parts = urlsplit(confirmation.told["url"])
        headers = confirmation.told["headers"]
        answer = bot.send("POST", parts.path, json.dumps(body).encode(), headers)

    assert answer.status == 401
    assert called == []


def every(words: Callable[[Sample], bool]) -> list[Sample]:
    return [
        one
        for folder in sorted(FIXTURES.glob("*/"))
        for one in read_samples(folder, folder.name)
        if words(one)
    ]


@pytest.mark.parametrize(
    "one",
    every(lambda one: one.accepted and one.told["method"] == "POST" and len(one.told["body"]) > 60)[
        ::7
    ],
    ids=str,
)
def test_a_body_cut_in_the_middle_is_refused(one: Sample, tmp_path: Path) -> None:
    certificates = tmp_path / "certificates"
    certificates.mkdir()
    parts = urlsplit(one.told["url"])
    if not parts.path.startswith("/webhooks/"):
        pytest.skip("a published signature over another address")
    body = one.told["body"].encode()
    env = one.environment(certificates) | {"OPTIN_PUBLIC_URL": one.public_url}
    with clock.stopped(one.received_at), receiver(tmp_path, env) as bot:
        before = bot.bytes()
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        answer = bot.send("POST", target, body[: len(body) // 2], one.told["headers"])

        # Of Postmark nothing but the password is checked, and that holds.
        assert answer.status in ((200,) if one.provider == "postmark" else (400, 401))
        assert answer.body == b""
        assert bot.bytes() == before


def posted(bot: Receiver, one: Sample) -> Answer:
    parts = urlsplit(one.told["url"])
    return bot.send("POST", parts.path, one.told["body"].encode(), one.told["headers"])


@pytest.fixture(autouse=True)
def _all_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

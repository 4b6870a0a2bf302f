"""What a provider signed and Optin can't read or place: answered well, counted, and said by doctor."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import pytest

from bot.consent.log.entries import EntryKind
from bot.consent.model import Channel, ConsentValue
from bot.runtime import clock
from handlers.webhooks.payload_parsing import read_multipart
from handlers.webhooks.provider import InvalidPayload
from handlers.webhooks.receiver import ProviderHealth, provider_status
from handlers.webhooks.receiver.receive import FORWARDED
from tests.support.cli_fixtures import Cli
from tests.support.receiving_fixtures import Answer, Receiver, receiver
from tests.support.storages import url_of
from tests.support.webhooks_fixtures import Sample, posted, sample

NOW = datetime(2026, 11, 3, 14, 2, tzinfo=UTC)
SECRET = base64.b64encode(b"s" * 24).decode()
ENV = {"OPTIN_RESEND_SIGNING_SECRET": f"whsec_{SECRET}"}
DANA = "dana.fields@example.net"


def counted(bot: Receiver, provider: str, kind: str) -> int:
    """What /metrics says of one kind."""
    page = bot.send("GET", "/metrics").body.decode()
    wanted = {f'provider="{provider}"', f'kind="{kind}"'}
    for line in page.splitlines():
        name, _, rest = line.partition("{")
        if name == "optin_not_understood_total":
            labels, _, value = rest.partition("} ")
            if all(label in labels for label in wanted):
                return int(float(value))
    return 0


def sent(bot: Receiver, one: Sample) -> Answer:
    return bot.send(
        "POST", urlsplit(one.told["url"]).path, one.told["body"].encode(), one.told["headers"]
    )


def environment(one: Sample, folder: Path) -> dict[str, str]:
    certificates = folder / "certificates"
    certificates.mkdir()
    return one.environment(certificates)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("postmark/bounce_without_email", "an event has no mailbox"),
        ("telnyx/finalized_40300_without_recipient", "a message has no number"),
        ("ses/bounce_without_recipients", "a bounce or complaint without a mailbox"),
        ("ses/bounce_without_recipients_of_several", "a bounce or complaint without a mailbox"),
    ],
)
def test_it_is_answered_well_and_counted_by_kind(
    name: str, kind: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    one = sample(name)
    with clock.stopped(one.received_at), receiver(tmp_path, environment(one, tmp_path)) as bot:
        bot.willing("Dana", email=DANA, phone="+12025550143")
        answer = sent(bot, one)

        assert (answer.status, answer.body) == (200, b"")
        assert counted(bot, one.provider, kind) == 1
        assert kind in caplog.text
        assert DANA not in caplog.text
        (dana,) = holders(bot, DANA)
        assert dana.consent(Channel.EMAIL).on is ConsentValue.YES


def test_a_bounce_of_nobody_is_noted_on_the_only_recipient(tmp_path: Path) -> None:
    one = sample("ses/bounce_without_recipients")
    with clock.stopped(one.received_at), receiver(tmp_path, environment(one, tmp_path)) as bot:
        bot.willing("Dana", email=DANA)
        sent(bot, one)
        sent(bot, one)

        notes = [entry for entry in bot.log() if entry.kind is EntryKind.NOTE]
        assert len(notes) == 1
        assert "does not say at which mailbox" in notes[0].reason


def test_a_bounce_of_where_mail_is_forwarded_is_noted_and_told_to_the_operator(
    tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    one = sample("ses/bounce_forwarded_mailbox")
    env = environment(one, tmp_path)
    with clock.stopped(one.received_at), receiver(tmp_path, env, jobs=False) as bot:
        bot.willing("Dana", email=DANA)
        assert sent(bot, one).status == 200

        assert counted(bot, "ses", FORWARDED) == 1
        assert FORWARDED in caplog.text
        for private in (DANA, "gone@other.example"):
            assert private not in caplog.text
            assert private not in bot.send("GET", "/metrics").body.decode()
        notes = [entry for entry in bot.log() if entry.kind is EntryKind.NOTE]
        assert [(note.address, "no such mailbox" in note.reason) for note in notes] == [
            (DANA, True)
        ]
        monkeypatch.setenv("OPTIN_STORAGE", url_of(bot.storage))
        status = json.loads(cli("status", DANA, "--json").out)["email"]
        assert (status["on"], status["bounce"]) == ("YES", "NO")


def standard(body: bytes, *, id_: str = "msg_1", prefix: str = "webhook") -> dict[str, str]:
    """Resend's headers over any bytes."""
    stated = str(int(NOW.timestamp()))
    digest = hmac.digest(base64.b64decode(SECRET), f"{id_}.{stated}.".encode() + body, "sha256")
    return {
        "Content-Type": "application/json",
        f"{prefix}-id": id_,
        f"{prefix}-timestamp": stated,
        f"{prefix}-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


@pytest.mark.parametrize("prefix", ["svix", "webhook", "Webhook"])
@pytest.mark.parametrize(
    "body",
    [
        b'{"type": "email.complained", "data": {"to": ["dana.fields@example.net"]}}',
        b'{"type": "email.complained", "data": {"to": "dana.fields@example.net", "x": NaN}}',
        b'{"type": "email.complained", "data": {"to": ["dana.fields@example.net"], "x": "\\u0000"}}',
        b'{"type": "email.complained", "data": {"to": ["dana.fields@example.net"], "x": "\\ud83d"}}',
        b'{"type": "email.complained", "data": {"to": ["dana.fields@example.net"], "x": "\xed\xa0"}}',
        b'{"type": "email.complained", "data": {"to": ["dana.fields@example.net"], "x": '
        + b"[" * 60
        + b"]" * 60
        + b"}}",
        b'{"type": "email.complained", "data": {"to": ["dana.fields@example.net"], "x": '
        + b"9" * 5000
        + b"}}",
    ],
    ids=["plain", "not a number", "NUL", "half a character", "bytes", "deep", "endless"],
)
def test_one_odd_field_spoils_nothing(tmp_path: Path, prefix: str, body: bytes) -> None:
    with clock.stopped(NOW), receiver(tmp_path, ENV) as bot:
        bot.willing("Dana", email=DANA)
        answer = bot.send("POST", "/webhooks/resend", body, standard(body, prefix=prefix))

        assert answer.status == 200
        (dana,) = holders(bot, DANA)
        assert dana.consent(Channel.EMAIL).on is ConsentValue.NO


@pytest.mark.parametrize("body", [b"{", b"[]", b"7", b"\xff", b'{"type": "new"}'])
def test_a_body_without_any_meaning_is_answered_well_where_it_is_signed(
    tmp_path: Path, body: bytes
) -> None:
    with clock.stopped(NOW), receiver(tmp_path, ENV) as bot:
        answer = bot.send("POST", "/webhooks/resend", body, standard(body))
        forged = bot.send("POST", "/webhooks/resend", body, standard(body + b" "))

        assert (answer.status, answer.body) == (200, b"")
        assert forged.status == 401
        assert bot.counted("resend", "forged") == 1
        assert bot.log() == []


def test_doctor_names_each_kind_and_forgets_what_is_old(
    tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    with clock.stopped(NOW) as time, receiver(tmp_path, ENV) as bot:
        health = ProviderHealth()
        health.odd("resend", NOW - timedelta(days=31), "an event has no id", 1)
        health.odd("resend", NOW, "an event has no mailbox", 2)
        health.odd("resend", NOW, FORWARDED, 1)
        health.keep(bot.service)
        time.advance(timedelta(minutes=2))
        health.odd("resend", time(), "an event has no mailbox", 1)
        health.odd("resend", time(), "a kind of event that is in no table", 1)
        health.keep(bot.service)
        monkeypatch.setenv("OPTIN_STORAGE", url_of(bot.storage))
        monkeypatch.setenv("OPTIN_PUBLIC_URL", "https://optin.example.com")
        monkeypatch.setenv("OPTIN_RESEND_SIGNING_SECRET", ENV["OPTIN_RESEND_SIGNING_SECRET"])
        said = cli("doctor").out

    assert (
        "🟡 Resend sent something that Optin did not understand: an event has no mailbox. "
        "3 times, last on 3 Nov 2026, 14:04 UTC.\n"
    ) in said
    assert (
        "🟡 Resend sent something that Optin did not understand: a kind of event that is in no "
        "table. Once, on 3 Nov 2026, 14:04 UTC.\n"
    ) in said
    assert (
        "🟡 Resend reported a bounce or complaint of a mailbox that a contact's mail is forwarded "
        "to. Once, on 3 Nov 2026, 14:02 UTC.\n"
    ) in said
    assert "no id" not in said


def test_what_comes_while_it_is_written_down_is_not_lost(tmp_path: Path) -> None:
    with clock.stopped(NOW) as time, receiver(tmp_path, ENV) as bot:
        health = ProviderHealth()
        health.odd("resend", NOW, "an event has no mailbox", 2)
        keeping = Thread(target=health.keep, args=[bot.service])
        with bot.service.store.transaction():
            keeping.start()
            for _ in range(3):
                health.odd("resend", NOW, "an event has no mailbox", 1)
        keeping.join()
        time.advance(timedelta(minutes=2))
        health.keep(bot.service)
        with bot.service.store.reading() as records:
            kept = provider_status(records.key_value, "resend").odd

    assert kept["an event has no mailbox"].count == 5


def test_the_same_token_of_mailgun_stands_for_all_that_a_form_says(tmp_path: Path) -> None:
    """Also for the fields that come twice."""
    one = sample("mailgun/legacy_multipart_bounced")
    changed = one.told["body"].replace("\r\nmarch\r\n", "\r\nApril\r\n")
    assert changed != one.told["body"]
    with clock.stopped(one.received_at), receiver(tmp_path, environment(one, tmp_path)) as bot:
        first = sent(bot, one).status
        again = sent(bot, one).status
        headers: Mapping[str, str] = one.told["headers"]
        other = bot.send("POST", "/webhooks/mailgun", changed.encode(), headers).status

    assert (first, again, other) == (200, 200, 401)


def holders(bot: Receiver, address: str) -> Any:
    with bot.service.store.reading() as records:
        return records.contacts.at(address)


def test_a_part_of_a_form_is_read_whole_whatever_is_in_it() -> None:
    content = b"--y\r\n\r\n--" + b"-" * 900_000
    part = b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\n" + content + b"\r\n--x--"
    request = posted("/webhooks/mailgun", part, kind="multipart/form-data; boundary=x")

    assert read_multipart(request) == (("a", content.decode()),)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", "multipart/form-data"),
        (b"", "multipart/form-data; boundary=x"),
        (b"--x", "multipart/form-data; boundary=x"),
        (b"--x--" * 3, "multipart/form-data; boundary=x"),
        (b"--x\r\n" * 2_000, "multipart/form-data; boundary=x"),
    ],
    ids=["no boundary", "nothing", "one line", "no line ends", "many parts"],
)
def test_what_is_no_form_of_several_parts_is_said_to_be_so(body: bytes, kind: str) -> None:
    with pytest.raises(InvalidPayload):
        read_multipart(posted("/webhooks/mailgun", body, kind=kind))

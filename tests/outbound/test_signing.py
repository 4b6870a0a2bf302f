"""Signatures hold with the reference libraries, with either secret of a rotation."""

from __future__ import annotations

import base64
import json
import secrets
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from standardwebhooks import Webhook as Verifier
from standardwebhooks import WebhookVerificationError

from bot.consent.errors import NotFound
from bot.consent.use_cases import Service
from bot.consent.use_cases.webhooks import add_webhook, find_webhook, rotate_secret
from bot.runtime.clock import Stopped
from handlers.outbound.signing import signed_headers

ROOT = Path(__file__).resolve().parents[2]
BODY = json.dumps({"text": "Åsa 漢字 ✍"}, ensure_ascii=False).encode()
#: Reads the secrets, the headers and the body from the standard input; prints which secrets hold.
VERIFY = """
const { Webhook } = require("standardwebhooks");
const given = JSON.parse(require("fs").readFileSync(0, "utf8"));
const holds = (secret) => {
  try {
    new Webhook(secret).verify(given.body, given.headers);
    return true;
  } catch (error) {
    return false;
  }
};
console.log(JSON.stringify(given.secrets.map(holds)));
"""


def new_secret(length: int = 32) -> str:
    return f"whsec_{base64.b64encode(secrets.token_bytes(length)).decode()}"


@pytest.mark.parametrize("length", [24, 32, 64])
def test_the_python_library_verifies(length: int):
    secret = new_secret(length)
    headers = signed_headers("msg_1_2", datetime.now(UTC), BODY, [secret])

    assert Verifier(secret).verify(BODY, dict(headers)) == json.loads(BODY)
    with pytest.raises(WebhookVerificationError):
        Verifier(secret).verify(BODY + b" ", dict(headers))


def test_either_secret_holds_during_a_rotation_and_no_third_one():
    old, new, other = new_secret(), new_secret(), new_secret()
    headers = dict(signed_headers("msg_1_2", datetime.now(UTC), BODY, [new, old]))

    for secret in (old, new):
        Verifier(secret).verify(BODY, headers)
    with pytest.raises(WebhookVerificationError):
        Verifier(other).verify(BODY, headers)


def test_the_javascript_library_verifies():
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node.js is not installed, so only the Python library verified")
    at_hand = [node, "-e", "require('standardwebhooks')"]
    if subprocess.run(at_hand, cwd=ROOT, capture_output=True, check=False).returncode:
        pytest.skip("`npm install standardwebhooks` was not run, so only Python verified")
    old, new, other = new_secret(), new_secret(), new_secret()
    headers = signed_headers("msg_1_2", datetime.now(UTC), BODY, [new, old])
    given = {"secrets": [old, new, other], "headers": dict(headers), "body": BODY.decode()}
    done = subprocess.run(
        [node, "-e", VERIFY],
        cwd=ROOT,
        input=json.dumps(given),
        encoding="utf-8",
        capture_output=True,
        check=True,
    )

    assert json.loads(done.stdout) == [True, True, False]


def test_the_old_secret_signs_for_a_day_beside_the_new_one(service: Service, clock: Stopped):
    webhook = add_webhook(service, "cli:root", url="https://crm.example.com/")
    old = webhook.secrets[0].text
    new = rotate_secret(service, webhook.id).secrets[0].text
    at_once = find_webhook(service, webhook.id).signs_with(clock())
    clock.advance(timedelta(hours=23, minutes=59))
    before = find_webhook(service, webhook.id).signs_with(clock())
    clock.advance(timedelta(minutes=1))
    after = find_webhook(service, webhook.id).signs_with(clock())

    assert at_once == before == (new, old)
    assert after == (new,)


def test_a_second_rotation_drops_the_oldest_secret(service: Service, clock: Stopped):
    webhook = add_webhook(service, "cli:root", url="https://crm.example.com/")
    second = rotate_secret(service, webhook.id)
    third = rotate_secret(service, webhook.id)

    assert third.signs_with(clock()) == (third.secrets[0].text, second.secrets[0].text)


def test_a_secret_is_in_no_repr(service: Service):
    webhook = add_webhook(service, "cli:root", url="https://crm.example.com/hidden")

    assert "whsec_" not in repr(webhook)
    assert "hidden" not in repr(webhook)
    with pytest.raises(NotFound):
        find_webhook(service, "")

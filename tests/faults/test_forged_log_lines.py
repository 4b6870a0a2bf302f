"""Text from outside that would forge lines of the log, or move the cursor of whoever reads it."""

from __future__ import annotations

import logging
import re
import socket
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest

from bot.runtime.log_lines import LogLines
from sandbox.client import Workspace
from tests.support.balancer import free_ports
from tests.support.serving import deliver, serving
from tests.support.slack_requests import signed_form
from tests.support.twilio_requests import INBOUND, OURS, signed

STATUS = "/webhooks/twilio/status"
FORGED = "2026-11-03 14:02:00,000 ERROR forged"
TEXTS = {
    "line end": f"x\n{FORGED}",
    "carriage return": f"x\r\n{FORGED}",
    "lone carriage return": f"x\r{FORGED}",
    "separators": f"x\u2028{FORGED}\u2029\x85{FORGED}",
    "escape": f"x\x1b[2J\x1b[1;1H{FORGED}",
    "eight bits": f"x\x9b2J{FORGED}",
    "format": "%s %d %(message)s %n",
    "braces": "{} {0} {record.__class__} ${jndi:ldap://x}",
    "bidi": f"x\u202e{FORGED}",
}
A_LINE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} (DEBUG|INFO|WARNING|ERROR|CRITICAL) .*")
UNSEEN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e]")


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_record_is_one_line_whatever_is_in_it(text: str) -> None:
    lines = LogLines("%(asctime)s %(levelname)s %(message)s")
    record = logging.LogRecord("bot", logging.WARNING, "", 1, "said: %s", (text,), None)

    told = lines.format(record)

    assert A_LINE.fullmatch(told)
    assert not UNSEEN.search(told)
    assert (
        lines.format(logging.LogRecord("bot", logging.INFO, "", 1, text, (), None)).count("\n") == 0
    )


def test_no_line_of_a_traceback_looks_like_a_record() -> None:
    lines = LogLines("%(asctime)s %(levelname)s %(message)s")
    try:
        raise ValueError(f"x\n{FORGED}\x1b[2J")
    except ValueError as error:
        info = (type(error), error, error.__traceback__)
    first, *rest = lines.format(
        logging.LogRecord("bot", logging.ERROR, "", 1, "broke", (), info)
    ).split("\n")

    assert A_LINE.fullmatch(first)
    assert all(line.startswith("  ") for line in rest)
    assert not any(UNSEEN.search(line) for line in rest)


def test_nothing_from_outside_forges_a_line_of_the_log(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    with Workspace.start(mode="http") as slack, serving(tmp_path, slack, port):
        for number, text in enumerate(TEXTS.values()):
            raw(port, f"GET /{quote(text)}?{quote(text)} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            raw(port, f"GET /x{text} HTTP/1.1\r\nHost: {text}\r\nX: {text}\r\n\r\n".encode())
            raw(port, text.encode())
            form = {"MessageSid": f"SM{number}{text}", "From": text, "To": OURS, "Body": text}
            assert sent(port, INBOUND, form) in (200, 400)
            form = {"MessageSid": text, "MessageStatus": text, "ErrorCode": text, "To": text}
            assert sent(port, STATUS, form) in (200, 400)
            for payload in (
                {"command": text, "text": text, "user_id": text, "team_id": text},
                {"type": text, "user": {"id": text}, "team": {"id": text}},
                {"type": "block_actions", "actions": [{"action_id": text, "value": text}]}
                | {"user": {"id": text}, "trigger_id": text, "response_url": text},
                {"type": "view_submission", "view": {"callback_id": text}, "user": {"id": text}},
            ):
                body, headers = signed_form(payload)
                assert post(port, "/slack/events", body, headers) < 500
        taken = deliver(port, "SM-last", "+14155550101")
    log = (tmp_path / f"{port}.log").read_text()

    assert taken
    assert log
    assert not [line for line in log.splitlines() if not A_LINE.fullmatch(line)]
    assert not UNSEEN.search(log)


def sent(port: int, path: str, form: dict[str, str]) -> int:
    return post(port, path, urlencode(form).encode(), signed(path, form))


def post(port: int, path: str, body: bytes, headers: dict[str, str]) -> int:
    connection = HTTPConnection("127.0.0.1", port, timeout=20)
    with closing(connection):
        connection.request("POST", path, body, headers)
        return connection.getresponse().status


def raw(port: int, request: bytes) -> None:
    """Bytes that no client library would send."""
    with closing(socket.create_connection(("127.0.0.1", port), timeout=20)) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65_536):
            pass

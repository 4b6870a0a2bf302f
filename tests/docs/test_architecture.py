"""docs/architecture.md follows one `/optin` and one STOP: each file that it names takes part."""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from types import FrameType

from bot.runtime import clock
from tests.support.receiving_fixtures import receiver
from tests.support.slack_fixtures import said, started
from tests.support.webhooks_fixtures import sample

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("bot/", "handlers/", "storage/")
#: `bot/app.py` puts the first around the store, and the receiver of these tests has none. The gates
#: are asked if something is known of the address, and of the address of these tests nothing is.
NOT_HERE = {"bot/consent/use_cases/wrapped_store.py", "bot/consent/gates.py"}


def named(heading: str) -> set[str]:
    """The product's files in the numbered steps under this heading."""
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    section = page.partition(f"## {heading}")[2].partition("\n## ")[0]
    steps = "\n".join(re.findall(r"^\d+\. .*(?:\n {3}.*)*", section, re.M))
    return {path for path in re.findall(r"`([\w/]+\.py)`", steps) if path.startswith(ROOMS)}


@contextmanager
def traced() -> Iterator[set[str]]:
    """The files of which a function is called, in threads that begin in the block, too. Clear the
    set where the interesting part begins."""
    files: set[str] = set()

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            files.add(frame.f_code.co_filename)

    before = sys.getprofile()
    threading.setprofile(note)
    sys.setprofile(note)
    try:
        yield files
    finally:
        sys.setprofile(before)
        threading.setprofile(None)


def of_the_product(files: set[str]) -> set[str]:
    inside = {file.removeprefix(f"{ROOT}/") for file in files if file.startswith(f"{ROOT}/")}
    return {file for file in inside if file.startswith(ROOMS)}


def test_every_file_that_the_page_names_for_a_look_up_takes_part(tmp_path: Path) -> None:
    with traced() as files, started(tmp_path, "http") as slack:
        ana = slack.person("Ana")
        files.clear()
        answer = said(ana.command("/optin +14155550106"))
        ran = of_the_product(files.copy())

    assert "Grace Lee" in answer
    assert len(named("One `/optin")) > 15
    assert named("One `/optin") <= ran


def test_every_file_that_the_page_names_for_a_stop_takes_part(tmp_path: Path) -> None:
    stop = sample("twilio/inbound_stop_default_handling")
    (contact,) = {event["contact"] for event in stop.expected}
    env = {
        **stop.environment(tmp_path),
        "OPTIN_PUBLIC_URL": stop.public_url,
        "OPTIN_ALERT_CHANNEL": "C0123",
    }
    path, headers, body = stop.told["path"], stop.told["headers"], stop.told["body"]
    with (
        clock.stopped(stop.received_at - timedelta(days=1)) as time,
        traced() as files,
        receiver(tmp_path, env) as bot,
    ):
        bot.willing("Ana", phone=contact)
        time.advance(stop.received_at - time())
        files.clear()
        answer = bot.send(stop.told["method"], path, body.encode(), headers)
        ran = of_the_product(files.copy())

    assert answer.status == 200
    assert len(named("One STOP")) > 20
    assert named("One STOP") - ran == NOT_HERE

"""`/optin stats`: numbers, which take a moment where there are many contacts, and their file."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from typing import Any

from slack_bolt import Ack
from slack_sdk import WebClient

from bot.consent.errors import OptinError
from bot.consent.model import Actor
from bot.consent.use_cases import Service
from bot.consent.use_cases.stats import Stats, stats
from handlers.slack.alerts.slack_errors import CALL_FAILED, ErrorKind, slack_failure
from handlers.slack.blocks.formatting import Block, escape, section, spoken
from handlers.slack.blocks.stats_page import DAYS, stats_page
from handlers.slack.direct_file import direct_messages, patient, share, uploaded
from handlers.slack.response_url import reply
from handlers.slack.slack_faults import lasting
from handlers.stats_words import stats_file

logger = logging.getLogger(__name__)

#: Seconds that the command waits for the numbers. Slack hangs up after three.
_MOSTLY_WITHIN = 1.5
_COUNTING = "Counting every contact. The numbers come here in a moment."
_BROKEN = "Something broke on our side, and nothing was counted. Try again."
_SENDING = "The file is on its way to your direct messages with Optin."
_SENT = "The file is in your direct messages with Optin."
_UNKNOWN = (
    "Slack's answer was lost, so Optin can't tell whether the file arrived. Look in your direct "
    "messages with Optin. If it is not there, press the button again."
)
#: Days of the file.
_FILE_DAYS = 90


def asked(
    ack: Ack, body: dict[str, Any], client: WebClient, consent: Service, actor: Actor
) -> None:
    """Answers with the numbers, at once or when they are there."""
    _Answer(client, str(body.get("response_url") or "")).to(
        ack, _COUNTING, lambda: page(consent, actor)
    )


def as_file(
    ack: Ack, body: dict[str, Any], client: WebClient, consent: Service, actor: Actor
) -> None:
    """Sends the opt-outs of each day as a file by direct message."""
    ack()
    answer = _Answer(client, str(body.get("response_url") or ""))
    answer.to(None, _SENDING, lambda: [section(_sent(client, consent, actor))])


class _Answer:
    """One answer that only this person sees."""

    def __init__(self, client: WebClient, response_url: str) -> None:
        self._client = client
        self._url = response_url
        self._blocks: list[Block] | None = None
        self._is_late = False
        self._lock = threading.Lock()

    def to(self, ack: Ack | None, meanwhile: str, make: Callable[[], list[Block]]) -> None:
        """Shows what `make` makes, and `meanwhile` where that takes more than a moment."""
        thread = threading.Thread(target=self._run, args=(make,), name="stats", daemon=True)
        thread.start()
        thread.join(_MOSTLY_WITHIN)
        with self._lock:
            self._is_late = self._blocks is None
            blocks = self._blocks or [section(meanwhile)]
        if ack is None:
            reply(self._client, self._url, spoken(blocks), blocks)
        else:
            ack(text=spoken(blocks), blocks=blocks, response_type="ephemeral")

    def _run(self, make: Callable[[], list[Block]]) -> None:
        try:
            blocks = make()
        except OptinError as error:
            blocks = [section(escape(error.public_sentence))]
        except Exception as error:  # noqa: BLE001 - a thread has nobody above it
            logger.error("the numbers could not be counted: %s", type(error).__name__)
            blocks = [section(_BROKEN)]
        with self._lock:
            self._blocks = blocks
            if not self._is_late:
                return
        reply(self._client, self._url, spoken(blocks), blocks)


def page(consent: Service, actor: Actor) -> list[Block]:
    """The numbers of the last days."""
    return stats_page(_counted(consent, actor, DAYS))


def _counted(consent: Service, actor: Actor, days: int) -> Stats:
    zone = consent.times.zone or UTC
    first = consent.now().astimezone(zone).date() - timedelta(days=days - 1)
    return stats(consent, actor, since=datetime.combine(first, time(), zone), zone=zone)


def _sent(client: WebClient, consent: Service, actor: Actor) -> str:
    """What to say of the file."""
    content = stats_file(_counted(consent, actor, _FILE_DAYS)).encode()
    client = patient(client)
    try:
        channel = direct_messages(client, actor.id.removeprefix("slack:"))
        file = uploaded(client, "opt-outs.csv", content)
        comment = f"Opt-outs of the last {_FILE_DAYS} days, by day, channel and source"
        share(client, file, channel, title="Opt-outs", comment=comment)
    except CALL_FAILED as error:
        failure = slack_failure(error)
        logger.warning("the numbers could not be sent: %s", failure.word)
        if failure.trouble is ErrorKind.UNKNOWN:
            return _UNKNOWN
        fault = lasting(error) or "Press the button again in a minute."
        return f"Slack did not take the file. {fault}"
    return _SENT

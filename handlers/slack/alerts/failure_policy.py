"""What becomes of an alert after a call that Slack refused, or whose result is unknown."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from bot.consent.alerts import Alert
from bot.consent.use_cases.alerts.notices import notify_installer
from bot.consent.use_cases.alerts.outbox import post_again
from bot.consent.use_cases.alerts.settle import Posting, Result
from bot.consent.use_cases.context import Service
from handlers.slack.alerts.channel_health import Health
from handlers.slack.alerts.client import LOOKING, is_file, is_private
from handlers.slack.alerts.rate_limits import RateLimiter
from handlers.slack.alerts.slack_errors import ErrorKind, SlackFailure

logger = logging.getLogger(__name__)

#: How long Optin tries to look for a message before it posts it once more.
_PATIENCE = timedelta(hours=1)
_LOOK_AGAIN = timedelta(minutes=5)
_FULL = timedelta(hours=1)


class FailurePolicy:
    """Decides how to go on, and informs the rate limits, the health and the installer."""

    def __init__(self, service: Service, limits: RateLimiter, health: Health) -> None:
        self._service = service
        self._limits = limits
        self._health = health

    def worked(self, alert: Alert, called: str) -> None:
        """Slack took it."""
        self._health.count(called, "ok")
        if self._health.token_problem is not None:
            logger.warning("Slack takes our token again")
        self._health.token_problem = None
        self._limits.works(None if called in LOOKING else alert.slack_channel)
        self._health.paused = self._limits.paused()

    def refused(  # noqa: C901, PLR0911 - a table of kinds of errors
        self, alert: Alert, called: str, failed: SlackFailure
    ) -> Posting:
        """Slack refused a post or an update, or may have done it."""
        self._health.count(called, failed.word)
        word = failed.word
        match failed.trouble:
            case ErrorKind.LIMITED:
                self._limits.limit(called, failed.wait)
                return Posting(result=Result.LATER, wait=failed.wait, problem=word)
            case ErrorKind.FULL:
                self._limits.limit(called, _FULL)
                self._notify(alert, word)
                return Posting(result=Result.LATER, wait=_FULL, problem=word)
            case ErrorKind.DRAWING:
                return Posting(result=Result.PLAINER, problem=word)
            case ErrorKind.CHANNEL if is_private(alert):
                return Posting(result=Result.DEAD, problem=word)
            case ErrorKind.CHANNEL:
                self._pause(alert, word)
                return Posting(result=Result.LATER, wait=timedelta(0), problem=word)
            case ErrorKind.TOKEN if is_file(alert) and word == "missing_scope":
                # The list can be had elsewhere; that it is over is said without it.
                return Posting(result=Result.PLAINER, problem=word)
            case ErrorKind.TOKEN:
                self._refused_token(word)
                return Posting(result=Result.LATER, wait=timedelta(0), problem=word)
            case ErrorKind.GONE if alert.delivery.ts is not None:
                return Posting(result=Result.ANEW, problem=word)
            case ErrorKind.GONE if alert.thread is not None:
                post_again(self._service, alert.thread)
                return Posting(result=Result.LATER, wait=timedelta(0), problem=word)
            case ErrorKind.GONE:
                return Posting(result=Result.GONE, problem=word)
            case ErrorKind.UNREACHED:
                return Posting(result=Result.LATER, problem=word)
            case ErrorKind.UNKNOWN:
                return Posting(result=Result.UNKNOWN, problem=word)
        return Posting(result=Result.REFUSED, problem=word)

    def blind(self, alert: Alert, called: str, since: datetime, failed: SlackFailure) -> Posting:
        """Optin could not look for a message: wait. Where Slack forbids it, not for ever."""
        self._health.count(called, failed.word)
        word = failed.word
        match failed.trouble:
            case ErrorKind.LIMITED:
                self._limits.limit(called, failed.wait)
                return Posting(result=Result.LATER, wait=failed.wait, problem=word)
            case ErrorKind.UNKNOWN | ErrorKind.UNREACHED:
                return Posting(result=Result.LATER, problem=word)
            case ErrorKind.GONE:
                return Posting(result=Result.GONE, problem=word)
            case ErrorKind.TOKEN if word != "missing_scope":
                self._refused_token(word)
                return Posting(result=Result.LATER, wait=timedelta(0), problem=word)
        if abs(self._service.now() - since) >= _PATIENCE:
            return Posting(result=Result.REPEAT, problem=word)
        return Posting(result=Result.LATER, wait=_LOOK_AGAIN, problem=word)

    def _pause(self, alert: Alert, word: str) -> None:
        self._limits.pause(alert.slack_channel, word)
        self._health.paused = self._limits.paused()
        self._notify(alert, word)

    def _notify(self, alert: Alert, word: str) -> None:
        if is_private(alert):
            return
        if notify_installer(self._service, alert.slack_channel, word):
            logger.warning("alerts are kept: Slack says %s of their channel", word)

    def _refused_token(self, word: str) -> None:
        if self._health.token_problem is None:
            logger.error("alerts are kept: Slack refuses our token (%s)", word)
        self._health.token_problem = word
        self._limits.stop()

"""One attempt to deliver an alert: post it, update it, add a file, or look for a lost message."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from slack_sdk.errors import SlackApiError

from bot.consent.alerts import INSTALLER, Alert, AlertKind, Delivery, DeliveryState
from bot.consent.use_cases import (
    find_case_details,
    present_state,
    unsubscribe_from_requests,
)
from bot.consent.use_cases.alerts.outbox import find_alert
from bot.consent.use_cases.alerts.settle import Posting, Result
from bot.consent.use_cases.alerts.storm_list import Listed, storm_list
from bot.consent.use_cases.context import Service
from handlers.slack.alerts.channel_health import Health
from handlers.slack.alerts.client import (
    LOOKING,
    AlertClient,
    is_direct,
    is_file,
    is_private,
    method,
)
from handlers.slack.alerts.failure_policy import FailurePolicy
from handlers.slack.alerts.rate_limits import RateLimiter
from handlers.slack.alerts.render.alert_blocks import Drawn, drawn, drawn_list
from handlers.slack.alerts.render.case_text import CASES
from handlers.slack.alerts.shared import INFO, SharedChannels
from handlers.slack.alerts.slack_errors import CALL_FAILED, ErrorKind, slack_failure

NOBODY_TO_NOTIFY = "nobody whom OPTIN_MANAGERS names can be reached"
#: A line in a thread waits this long for its card.
_CARD_FIRST = timedelta(seconds=2)

#: What a call may take (`client`), and what the message needs to be in the history.
_CALL = timedelta(seconds=20)


class _ClaimExpired(Exception):
    """The call must not be made: nobody would know whether the message is there twice."""


class Poster:
    """Makes the calls that a claimed alert needs, and says what came of them."""

    def __init__(
        self,
        service: Service,
        slack: AlertClient,
        health: Health,
        limits: RateLimiter,
        shared: SharedChannels,
    ) -> None:
        self._service = service
        self._slack = slack
        self._health = health
        self._limits = limits
        self._shared = shared
        self._policy = FailurePolicy(service, limits, health)

    def attempt(self, alert: Alert) -> Posting:
        """What came of the call, for `settle`. Raises `StorageFailed`."""
        parent, missing = self._parent(alert)
        if missing:
            return missing
        called = method(alert)
        if called in LOOKING:
            return self._look(alert, called, parent)
        if not is_direct(alert) and (failed := self._shared.refusal(alert.slack_channel)):
            return self._policy.refused(alert, INFO, failed)
        self._limits.used(alert.slack_channel)
        try:
            posting = self._call(alert, parent)
        except _ClaimExpired:
            return Posting(result=Result.LATER, wait=timedelta(), problem="its claim had expired")
        except CALL_FAILED as error:
            return self._policy.refused(alert, called, slack_failure(error))
        self._policy.worked(alert, called)
        return posting

    def _call(self, alert: Alert, parent: str | None) -> Posting:
        look = self._drawn(alert)
        if look is None:
            return Posting(result=Result.GONE, problem="its request is not kept any more")
        if alert.delivery.ts is not None:
            self._slack.update(alert, alert.delivery.ts, look)
            return Posting(result=Result.SENT)
        if is_file(alert):
            self._check_claim(alert)
            self._slack.upload(alert, parent, self._listed(alert))
            return Posting(result=Result.SENT)
        if not self._slack.may_have(alert):
            unsubscribe_from_requests(self._service, alert.slack_channel)
            return Posting(result=Result.GONE, problem="whom it is for is no manager any more")
        for channel in self._slack.channels(alert):
            self._check_claim(alert)
            try:
                ts, posted_in = self._slack.post(alert, channel, parent, look)
            except SlackApiError as error:
                if (
                    alert.slack_channel == INSTALLER
                    and slack_failure(error).trouble is ErrorKind.CHANNEL
                ):
                    continue  # the next one
                raise
            if alert.slack_channel == INSTALLER:
                self._health.nobody_to_notify = False
            return Posting(
                result=Result.SENT, ts=ts, posted_in=posted_in if posted_in != channel else None
            )
        self._health.nobody_to_notify = True
        return Posting(result=Result.DEAD, problem=NOBODY_TO_NOTIFY)

    def _check_claim(self, alert: Alert) -> None:
        """Raises `_ClaimExpired` unless the claim stands, and the call ends before it expires. A
        process may have been frozen since it claimed: then another one has posted the message, or
        looks for it."""
        stored = find_alert(self._service, alert.id)
        ours, ends = alert.delivery, alert.delivery.not_before
        stands = (
            stored is not None
            and stored.delivery.attempts == ours.attempts
            and stored.delivery.not_before == ends
        )
        if not stands or ends is None or self._service.now() >= ends - _CALL:
            raise _ClaimExpired

    def _drawn(self, alert: Alert) -> Drawn | None:
        """The message as it has to look now; None where what it is about is gone."""
        if alert.kind is AlertKind.CASE_LIST:
            found = (find_case_details(self._service, id) for id in (alert.about or "").split())
            matters = [one for one in found if one is not None]
            return drawn_list(alert, matters, self._service.command) if matters else None
        if alert.kind not in CASES:
            state = present_state(self._service, alert)
            return drawn(alert, now=state, command=self._service.command)
        about = find_case_details(self._service, alert.about or "")
        if about is None:
            return None
        named = alert.kind is not AlertKind.CASE and self._slack.may_see_contact(alert)
        return drawn(alert, about, named=named, command=self._service.command)

    def _parent(self, alert: Alert) -> tuple[str | None, Posting | None]:
        """The card whose thread it goes to, or why it can't go there yet."""
        if alert.thread is None:
            return None, None
        card = find_alert(self._service, alert.thread)
        posting = card.delivery if card else Delivery(state=DeliveryState.DEAD)
        if posting.ts is not None:
            return posting.ts, None
        if posting.state in (DeliveryState.DEAD, DeliveryState.SENT):
            return None, Posting(result=Result.GONE, problem="its card was not posted")
        return None, Posting(result=Result.LATER, wait=_CARD_FIRST)

    def _listed(self, alert: Alert) -> Sequence[Listed]:
        storm = find_alert(self._service, alert.thread or "")
        return storm_list(self._service, storm) if storm else ()

    def _look(self, alert: Alert, called: str, parent: str | None) -> Posting:
        """Looks for a message whose posting had an unknown result."""
        since = alert.delivery.started_at or alert.first_at
        if is_private(alert):
            return Posting(result=Result.REPEAT)
        try:
            ts = self._slack.find(alert, since, parent)
        except CALL_FAILED as error:
            return self._policy.blind(alert, called, since, slack_failure(error))
        self._policy.worked(alert, called)
        if ts is None:
            return Posting(result=Result.MISSING)
        return Posting(result=Result.FOUND, ts=ts)

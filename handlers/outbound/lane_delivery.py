"""One turn at a lane: claim it, deliver its events one by one, settle it."""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable

from bot.consent.errors import StorageFailed, without_text
from bot.consent.use_cases import Service
from bot.consent.use_cases.feed import FeedRow
from bot.consent.use_cases.webhooks.lane_turn import LaneTurn
from bot.consent.use_cases.webhooks.retry_schedule import AttemptOutcome, AttemptResult
from bot.consent.use_cases.webhooks.settle_lane import (
    Claim,
    LaneState,
    claim_lane,
    look_at_webhooks,
    settle_lane,
)
from bot.consent.webhooks import Webhook, delivery_id
from handlers.outbound.attempt import attempt
from handlers.outbound.body import body_of
from handlers.outbound.delivery_client import DeliveryClient
from handlers.outbound.delivery_health import OutboundHealth
from handlers.outbound.feed_window import FeedWindow

logger = logging.getLogger(__name__)

#: Events of one turn, and seconds in which a turn begins new ones. Together with the longest call
#: it is shorter than a lease.
_MOST, _TURN = 100, 5.0
#: Seconds in which a result has to be stored, and between two attempts to.
_SETTLE_WITHIN, _PAUSE = 20.0, 0.25


class LaneDelivery:
    """Takes turns. Safe across threads."""

    def __init__(
        self,
        service: Service,
        window: FeedWindow,
        client: DeliveryClient,
        health: OutboundHealth,
        stopping: threading.Event,
        *,
        chance: Callable[[], float],
        monotonic: Callable[[], float],
    ) -> None:
        """Begins no more deliveries once it is `stopping`."""
        self._service = service
        self._window = window
        self._client = client
        self._health = health
        self._stopping = stopping
        self._chance = chance
        self._monotonic = monotonic

    def turn(self, state: LaneState, place: int) -> None:
        """Delivers what is due in the lane, unless another worker has it. Up to `place`, nothing
        behind the lane's cursor is for it. Raises `StorageFailed`."""
        claim = claim_lane(self._service, state.webhook.id, state.number, secrets.token_hex(8))
        if claim is None:
            return
        turn = LaneTurn(claim.lane, claim.health, self._chance)
        end = self._monotonic() + _TURN
        try:
            self._retry_parked(claim, turn, end)
            if not turn.stopped and self._retry_failing(claim, turn, end):
                if turn.lane.cursor == state.lane.cursor:
                    turn.passed(place)
                self._deliver_new(claim, turn, end)
        finally:
            self._settle(claim, turn)

    def _retry_parked(self, claim: Claim, turn: LaneTurn, end: float) -> None:
        for event in turn.parked_due(self._service.now()):
            if turn.stopped or self._is_over(end):
                return
            result = self._send(claim.webhook, event.seq, self._window.row(event.seq))
            turn.retried(event, result, self._service.now())

    def _retry_failing(self, claim: Claim, turn: LaneTurn, end: float) -> bool:
        """Tries the event that holds the lane, if there is one. Whether the lane goes on."""
        if self._is_over(end) or not turn.may_go_on(self._service.now()):
            return False
        event = turn.lane.failing
        if event is None:
            return True
        result = self._send(claim.webhook, event.seq, self._window.row(event.seq))
        return turn.delivered(event.seq, result, self._service.now())

    def _deliver_new(self, claim: Claim, turn: LaneTurn, end: float) -> None:
        events, after = claim.webhook.events, turn.lane.cursor
        head, _ = look_at_webhooks(self._service)
        found = self._window.next_rows(claim.number, events, after, head, limit=_MOST)
        for row in found.rows:
            if self._is_over(end):
                return
            result = self._send(claim.webhook, row.seq, self._as_now(claim.webhook, row))
            if not turn.delivered(row.seq, result, self._service.now()):
                return
        turn.passed(found.place)

    def _as_now(self, webhook: Webhook, row: FeedRow) -> FeedRow | None:
        """The row with its contact as stored now, where an address goes out: the contact may have
        been erased since the row was read."""
        return self._window.row(row.seq) if webhook.include_address else row

    def _send(self, webhook: Webhook, seq: int, row: FeedRow | None) -> AttemptResult:
        if row is None:  # the log has no such event any more
            return AttemptResult(outcome=AttemptOutcome.DELIVERED)
        try:
            body = body_of(row, include_address=webhook.include_address)
            id = delivery_id(webhook.id, seq)
            result = attempt(self._client, webhook, id, body, self._service.now())
        except Exception as error:
            # One event that can't be sent waits by itself, and holds up no other one.
            bare = without_text(error)
            logger.error("event %s can't be sent to %s: %s", seq, webhook.id, bare, exc_info=bare)
            problem = "could not be called, and Optin's log says why"
            result = AttemptResult(outcome=AttemptOutcome.REFUSED, problem=problem)
        self._health.count(webhook.id, result.outcome)
        return result

    def _is_over(self, end: float) -> bool:
        return self._stopping.is_set() or self._monotonic() > end

    def _settle(self, claim: Claim, turn: LaneTurn) -> None:
        """Retries while the storage is busy: if the result were lost, the endpoint would get the
        events twice."""
        end = time.monotonic() + _SETTLE_WITHIN
        while True:
            try:
                settle_lane(self._service, claim, turn)
                return
            except StorageFailed as error:
                if time.monotonic() > end or self._stopping.wait(_PAUSE):
                    raise
                logger.warning("a webhook can't be settled yet: %s", error.sentence)

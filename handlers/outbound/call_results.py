"""What an answer, or none, means for a delivery. Nothing of the answer goes into the words."""

from __future__ import annotations

import http.client
import ssl
from datetime import datetime

from bot.consent.use_cases.webhooks.retry_schedule import AttemptOutcome, AttemptResult
from handlers.outbound.address_guard import ForbiddenAddress, UnknownHost
from handlers.retry_after import retry_after as delay_of

_THROTTLING = frozenset({429, 502, 503, 504})


def result_of(status: int, retry_after: str | None, now: datetime) -> AttemptResult:
    """An answer with this status. `now` is for a `Retry-After` that is a date."""
    problem = f"answered {status}"
    if 200 <= status < 300:
        return AttemptResult(outcome=AttemptOutcome.DELIVERED)
    if status == 410:
        return AttemptResult(outcome=AttemptOutcome.GONE, problem=f"{problem} (Gone)")
    if status in _THROTTLING:
        asked = delay_of(retry_after, now)
        outcome = AttemptOutcome.THROTTLED
        return AttemptResult(outcome=outcome, problem=problem, retry_after=asked)
    if 300 <= status < 400:
        problem = f"{problem}, a redirect, which Optin does not follow"
    return AttemptResult(outcome=AttemptOutcome.REFUSED, problem=problem)


def timed_out(within: float) -> AttemptResult:
    """No answer within so many seconds."""
    return AttemptResult(
        outcome=AttemptOutcome.TIMED_OUT, problem=f"did not answer within {within:g} seconds"
    )


def failure_of(error: Exception, within: float) -> AttemptResult:
    """A call that raised this. `within` is the time that it had."""
    if isinstance(error, ForbiddenAddress):
        return AttemptResult(
            outcome=AttemptOutcome.FORBIDDEN,
            problem="leads to a private or reserved address that OPTIN_WEBHOOK_ALLOW does not list",
        )
    if isinstance(error, TimeoutError):
        return timed_out(within)
    return AttemptResult(outcome=AttemptOutcome.UNREACHABLE, problem=_words(error))


def _words(error: Exception) -> str:
    """What went wrong, without addresses or anything out of the answer."""
    if isinstance(error, UnknownHost):
        return "has a name that can't be resolved"
    if isinstance(error, ssl.SSLCertVerificationError):
        return "has no valid TLS certificate"
    if isinstance(error, ssl.SSLError):
        return "can't agree on TLS"
    if isinstance(error, ConnectionRefusedError):
        return "refused the connection"
    if isinstance(error, http.client.HTTPException | ConnectionError):
        return "closed the connection without an answer"
    return "can't be reached"

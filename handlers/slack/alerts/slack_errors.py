"""What a failed call to Slack means, by a table.

Slack's words: https://docs.slack.dev/reference/methods/chat.postMessage#errors
"""

from __future__ import annotations

import math
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from ssl import SSLCertVerificationError
from typing import Any
from urllib.error import URLError

from slack_sdk.errors import SlackApiError
from slack_sdk.web import SlackResponse

from handlers.slack.response_url import SLACK_FAILED


class ErrorKind(StrEnum):
    """Kinds of failure, by what has to be done."""

    #: Nothing was posted; not before `wait`.
    LIMITED = "limited"
    #: Nothing was posted: the workspace is full.
    FULL = "full"
    #: Nothing was posted: a plainer drawing may go.
    DRAWING = "drawing"
    #: Nothing was posted: this channel takes nothing of ours.
    CHANNEL = "channel"
    #: Nothing was posted: the token is not good, or may not do this.
    TOKEN = "token"  # noqa: S105 - a kind of error
    #: There is no message to be edited, or no thread to be answered in.
    GONE = "gone"
    #: Slack was not reached at all.
    UNREACHED = "unreached"
    #: It may have been done.
    UNKNOWN = "unknown"
    #: Nothing was posted, for a reason that this table does not have.
    OTHER = "other"


#: When Slack does not say how long.
_USUAL_WAIT = timedelta(seconds=30)
_LONGEST_WAIT = timedelta(days=1)

_WORDS: Mapping[str, ErrorKind] = {
    "ratelimited": ErrorKind.LIMITED,
    "rate_limited": ErrorKind.LIMITED,
    "message_limit_exceeded": ErrorKind.FULL,
    "invalid_blocks": ErrorKind.DRAWING,
    "invalid_blocks_format": ErrorKind.DRAWING,
    "invalid_attachments": ErrorKind.DRAWING,
    "msg_too_long": ErrorKind.DRAWING,
    "msg_blocks_too_long": ErrorKind.DRAWING,
    "no_text": ErrorKind.DRAWING,
    "channel_not_found": ErrorKind.CHANNEL,
    "is_archived": ErrorKind.CHANNEL,
    "not_in_channel": ErrorKind.CHANNEL,
    "is_inactive": ErrorKind.CHANNEL,
    "restricted_action": ErrorKind.CHANNEL,
    # Of a person's direct messages.
    "user_not_found": ErrorKind.CHANNEL,
    "user_not_visible": ErrorKind.CHANNEL,
    "user_disabled": ErrorKind.CHANNEL,
    "cannot_dm_bot": ErrorKind.CHANNEL,
    "messages_tab_disabled": ErrorKind.CHANNEL,
    "invalid_auth": ErrorKind.TOKEN,
    "not_authed": ErrorKind.TOKEN,
    "token_revoked": ErrorKind.TOKEN,
    "token_expired": ErrorKind.TOKEN,
    "account_inactive": ErrorKind.TOKEN,
    "missing_scope": ErrorKind.TOKEN,
    "no_permission": ErrorKind.TOKEN,
    "not_allowed_token_type": ErrorKind.TOKEN,
    "org_login_required": ErrorKind.TOKEN,
    "team_access_not_granted": ErrorKind.TOKEN,
    "access_denied": ErrorKind.TOKEN,
    "ekm_access_denied": ErrorKind.TOKEN,
    "message_not_found": ErrorKind.GONE,
    "thread_not_found": ErrorKind.GONE,
    "cant_update_message": ErrorKind.GONE,
    "edit_window_closed": ErrorKind.GONE,
    "cannot_reply_to_message": ErrorKind.GONE,
    # These may have succeeded in part.
    "internal_error": ErrorKind.UNKNOWN,
    "fatal_error": ErrorKind.UNKNOWN,
    "service_unavailable": ErrorKind.UNKNOWN,
    "request_timeout": ErrorKind.UNKNOWN,
    "team_added_to_org": ErrorKind.UNKNOWN,
}
_WORD = re.compile("[a-z_]+")
#: All that a call to Slack raises when it fails. The SDK trips over answers that are JSON and no
#: object, or no text.
CALL_FAILED = (*SLACK_FAILED, AttributeError, TypeError, ValueError)
#: The call never left: there was no connection, or no trust in it.
_UNREACHED = (ConnectionRefusedError, socket.gaierror, SSLCertVerificationError)


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackFailure:
    """A failed call."""

    trouble: ErrorKind
    #: Slack's word for it, or the kind of error; never what we sent.
    word: str
    wait: timedelta = timedelta(0)


def slack_failure(error: Exception) -> SlackFailure:
    """What went wrong, and what is known of it. `error` is one of `CALL_FAILED`."""
    if isinstance(error, SlackApiError):
        return _answered(error.response)
    cause = error.reason if isinstance(error, URLError) else error
    trouble = ErrorKind.UNREACHED if isinstance(cause, _UNREACHED) else ErrorKind.UNKNOWN
    return SlackFailure(trouble=trouble, word=type(cause).__name__)


def _answered(response: SlackResponse) -> SlackFailure:
    data, status = response.data, response.status_code
    said = data.get("error") if isinstance(data, dict) else None
    # Where the answer was no JSON, the SDK puts a sentence here.
    word = said if isinstance(said, str) and _WORD.fullmatch(said) else ""
    if status == 429 or _WORDS.get(word) is ErrorKind.LIMITED:
        return SlackFailure(
            trouble=ErrorKind.LIMITED, word="ratelimited", wait=_wait(response.headers)
        )
    if not word or status >= 500:
        return SlackFailure(trouble=ErrorKind.UNKNOWN, word=word or f"status {status}")
    if word.startswith("restricted_action"):
        return SlackFailure(trouble=ErrorKind.CHANNEL, word=word)
    return SlackFailure(trouble=_WORDS.get(word, ErrorKind.OTHER), word=word)


def _wait(headers: Mapping[str, Any]) -> timedelta:
    said = next((v for k, v in headers.items() if k.lower() == "retry-after"), None)
    try:
        seconds = float(said[0] if isinstance(said, list) else str(said))
    except (ValueError, IndexError):
        return _USUAL_WAIT
    if not math.isfinite(seconds) or seconds < 0:
        return _USUAL_WAIT
    # Cut before it is a timedelta, which takes no more than some billions of days.
    return timedelta(seconds=min(max(1.0, seconds), _LONGEST_WAIT.total_seconds()))

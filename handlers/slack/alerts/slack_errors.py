"""What a failed call to Slack means, by a table (reliability.md §5.3).

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


class Trouble(StrEnum):
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
    TOKEN = "token"
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

_WORDS: Mapping[str, Trouble] = {
    "ratelimited": Trouble.LIMITED,
    "rate_limited": Trouble.LIMITED,
    "message_limit_exceeded": Trouble.FULL,
    "invalid_blocks": Trouble.DRAWING,
    "invalid_blocks_format": Trouble.DRAWING,
    "invalid_attachments": Trouble.DRAWING,
    "msg_too_long": Trouble.DRAWING,
    "msg_blocks_too_long": Trouble.DRAWING,
    "no_text": Trouble.DRAWING,
    "channel_not_found": Trouble.CHANNEL,
    "is_archived": Trouble.CHANNEL,
    "not_in_channel": Trouble.CHANNEL,
    "is_inactive": Trouble.CHANNEL,
    "restricted_action": Trouble.CHANNEL,
    # Of a person's direct messages.
    "user_not_found": Trouble.CHANNEL,
    "user_not_visible": Trouble.CHANNEL,
    "user_disabled": Trouble.CHANNEL,
    "cannot_dm_bot": Trouble.CHANNEL,
    "messages_tab_disabled": Trouble.CHANNEL,
    "invalid_auth": Trouble.TOKEN,
    "not_authed": Trouble.TOKEN,
    "token_revoked": Trouble.TOKEN,
    "token_expired": Trouble.TOKEN,
    "account_inactive": Trouble.TOKEN,
    "missing_scope": Trouble.TOKEN,
    "no_permission": Trouble.TOKEN,
    "not_allowed_token_type": Trouble.TOKEN,
    "org_login_required": Trouble.TOKEN,
    "team_access_not_granted": Trouble.TOKEN,
    "access_denied": Trouble.TOKEN,
    "ekm_access_denied": Trouble.TOKEN,
    "message_not_found": Trouble.GONE,
    "thread_not_found": Trouble.GONE,
    "cant_update_message": Trouble.GONE,
    "edit_window_closed": Trouble.GONE,
    "cannot_reply_to_message": Trouble.GONE,
    # These may have succeeded in part.
    "internal_error": Trouble.UNKNOWN,
    "fatal_error": Trouble.UNKNOWN,
    "service_unavailable": Trouble.UNKNOWN,
    "request_timeout": Trouble.UNKNOWN,
    "team_added_to_org": Trouble.UNKNOWN,
}
_WORD = re.compile("[a-z_]+")
#: All that a call to Slack raises when it fails. The SDK trips over answers that are JSON and no
#: object, or no text.
CALL_FAILED = (*SLACK_FAILED, AttributeError, TypeError, ValueError)
#: The call never left: there was no connection, or no trust in it.
_UNREACHED = (ConnectionRefusedError, socket.gaierror, SSLCertVerificationError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A failed call."""

    trouble: Trouble
    #: Slack's word for it, or the kind of error; never what we sent.
    word: str
    wait: timedelta = timedelta(0)


def failure(error: Exception) -> Failure:
    """What went wrong, and what is known of it. `error` is one of `CALL_FAILED`."""
    if isinstance(error, SlackApiError):
        return _answered(error.response)
    cause = error.reason if isinstance(error, URLError) else error
    trouble = Trouble.UNREACHED if isinstance(cause, _UNREACHED) else Trouble.UNKNOWN
    return Failure(trouble=trouble, word=type(cause).__name__)


def _answered(response: SlackResponse) -> Failure:
    data, status = response.data, response.status_code
    said = data.get("error") if isinstance(data, dict) else None
    # Where the answer was no JSON, the SDK puts a sentence here.
    word = said if isinstance(said, str) and _WORD.fullmatch(said) else ""
    if status == 429 or _WORDS.get(word) is Trouble.LIMITED:
        return Failure(trouble=Trouble.LIMITED, word="ratelimited", wait=_wait(response.headers))
    if not word or status >= 500:
        return Failure(trouble=Trouble.UNKNOWN, word=word or f"status {status}")
    if word.startswith("restricted_action"):
        return Failure(trouble=Trouble.CHANNEL, word=word)
    return Failure(trouble=_WORDS.get(word, Trouble.OTHER), word=word)


def _wait(headers: Mapping[str, Any]) -> timedelta:
    said = next((v for k, v in headers.items() if k.lower() == "retry-after"), None)
    try:
        seconds = float(said[0] if isinstance(said, list) else str(said))
    except (ValueError, IndexError):
        return _USUAL_WAIT
    if not math.isfinite(seconds) or seconds < 0:
        return _USUAL_WAIT
    return min(timedelta(seconds=max(1.0, seconds)), _LONGEST_WAIT)

"""Answering through the `response_url` of a click, for what the acknowledgement can't carry.

https://docs.slack.dev/interactivity/handling-user-interaction/#message_responses
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from http.client import HTTPException
from ssl import SSLError
from urllib.error import URLError
from urllib.parse import urlsplit

from slack_sdk import WebClient
from slack_sdk.errors import SlackClientError
from slack_sdk.webhook import WebhookClient

from handlers.slack.blocks.formatting import Block

#: Seconds. What was asked for is done by then.
PATIENCE = 1

#: All that a call to Slack raises when it fails. No plain OSError: that would be our disk.
SLACK_FAILED = (
    SlackClientError,
    URLError,
    ConnectionError,
    TimeoutError,
    SSLError,
    HTTPException,
)

#: Slack's own, and GovSlack's (https://docs.slack.dev/govslack).
_HOOKS = frozenset({("https", "hooks.slack.com"), ("https", "hooks.slack-gov.com")})

logger = logging.getLogger(__name__)


def reply(
    client: WebClient,
    url: str,
    text: str,
    blocks: Sequence[Block] = (),
    *,
    replace: bool = False,
    thread: str | None = None,
) -> bool:
    """Shows a message that only this person sees, in the thread with that `ts` or in the channel;
    with `replace` in place of the one that was clicked, for whoever saw that. False where Slack
    took nothing: there was no address, or its 30 minutes are over."""
    if not _is_slacks(url, client):
        return False
    hook = WebhookClient(url, timeout=PATIENCE, retry_handlers=[])
    try:
        said: dict[str, object] = {"text": text, "replace_original": replace}
        if blocks:
            said["blocks"] = list(blocks)
        if not replace:
            said["response_type"] = "ephemeral"
        if thread and not replace:
            said["thread_ts"] = thread
        answer = hook.send_dict(said)
    except SLACK_FAILED as failed:
        logger.warning("an answer could not be shown: %s", type(failed).__name__)
        return False
    if answer.status_code != 200:
        logger.warning("an answer could not be shown: Slack says %d", answer.status_code)
        return False
    return True


def _is_slacks(url: str, client: WebClient) -> bool:
    """Whether this is Slack's own address: whatever a modal brought back, no other is asked."""
    try:
        parts, api = urlsplit(url), urlsplit(client.base_url)
    except ValueError:
        return False
    return (parts.scheme, parts.netloc) in {*_HOOKS, (api.scheme, api.netloc)}

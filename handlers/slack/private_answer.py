"""An answer to an event, for nobody but whoever caused it.

In a channel or a thread that is a message which only they see. Where Optin is not in the channel,
it goes to their direct messages.
https://docs.slack.dev/reference/methods/chat.postEphemeral
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from slack_sdk import WebClient

from handlers.slack.alerts.slack_errors import CALL_FAILED, ErrorKind, slack_failure
from handlers.slack.blocks.formatting import Block

logger = logging.getLogger(__name__)

#: Where Slack shows nothing in the channel. `user_not_in_channel`: they have left it meanwhile.
_ELSEWHERE = frozenset({"user_not_in_channel"})


def answer_privately(
    client: WebClient, event: object, text: str, blocks: Sequence[Block] = ()
) -> None:
    """`text` is mrkdwn, and says all that the blocks do. Raises what a call to Slack raises."""
    if not isinstance(event, dict):
        return
    user, channel, thread = (event.get(name) for name in ("user", "channel", "thread_ts"))
    if not isinstance(user, str) or not user:
        return
    shown = list(blocks) or None
    if not isinstance(channel, str) or not channel:
        client.chat_postMessage(channel=user, text=text, blocks=shown)
        return
    if channel.startswith("D"):  # nobody else is in it
        client.chat_postMessage(channel=channel, thread_ts=thread, text=text, blocks=shown)
        return
    try:
        client.chat_postEphemeral(
            channel=channel, user=user, thread_ts=thread, text=text, blocks=shown
        )
    except CALL_FAILED as error:
        failure = slack_failure(error)
        if failure.trouble is not ErrorKind.CHANNEL and failure.word not in _ELSEWHERE:
            raise
        logger.info("an answer goes to direct messages instead: %s", failure.word)
        client.chat_postMessage(channel=user, text=text, blocks=shown)

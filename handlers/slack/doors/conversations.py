"""Where people talk: a mention of the app in a channel or a thread, and direct messages to it.

The answer is the command's. In a channel only the person who asked sees it, and a channel that
another organisation reads gets none.
https://docs.slack.dev/reference/events/app_mention
https://docs.slack.dev/reference/events/message.im
"""

from __future__ import annotations

import logging

from bot.consent.use_cases import who_has
from handlers.slack.after_ack import PersonRequest
from handlers.slack.alerts.shared import is_shared
from handlers.slack.alerts.slack_errors import CALL_FAILED, slack_failure
from handlers.slack.blocks.formatting import escape, section
from handlers.slack.blocks.found_addresses import FoundListing, found_message
from handlers.slack.blocks.search_results import PAGE
from handlers.slack.commands import Answer, look_up, subcommand, unwrapped, with_text
from handlers.slack.doors.message_addresses import MessageAddresses, addresses_in, plain_words
from handlers.slack.doors.shortcuts import nothing_found
from handlers.slack.interaction import Body
from handlers.slack.private_answer import answer_privately
from handlers.slack.slack_faults import passes
from handlers.slack.stats_answer import page as stats_page

logger = logging.getLogger(__name__)

_SHARED = (
    "People of another organisation are in this channel, so nothing about a contact is shown here. "
    "Write to Optin in a direct message, or ask in a channel of your own."
)
_HOW = (
    "Type a phone number, an e-mail address or a name, and Optin says whether texts and e-mails "
    "may be sent. In a thread that begins with a number, a mention alone is enough. `help` lists "
    "the rest."
)
_UNREAD = (
    "Optin may not read this thread. Type the phone number, the e-mail address or the name behind "
    "the mention."
)


def is_direct(event: Body) -> bool:
    """Whether a message stands in somebody's direct messages with the app."""
    return event.get("channel_type") == "im"


def written(request: PersonRequest) -> None:
    """A direct message to the app."""
    answer_privately(request.client, request.event, *_answer(request))


def mentioned(request: PersonRequest) -> None:
    """`@Optin …` in a channel or a thread."""
    event = dict(request.event)
    shared = _is_shared(request)
    if shared:
        answer_privately(request.client, event, escape(_SHARED))
        return
    if shared is None:
        event.pop("channel", None)
    answer_privately(request.client, event, *_answer(request))


def _is_shared(request: PersonRequest) -> bool | None:
    """Whether another organisation reads the channel; None where Slack does not say, for good."""
    if request.body.get("is_ext_shared_channel"):
        return True
    try:
        answer = request.client.conversations_info(channel=str(request.event.get("channel")))
        return is_shared(answer["channel"])
    except CALL_FAILED as error:
        if passes(error):
            raise
        logger.info("whether a channel is shared is unknown: %s", slack_failure(error).word)
        return None


def _answer(request: PersonRequest) -> Answer:
    """To what is written; to a mention with nothing else, of whom the thread begins with."""
    event = request.event
    text = unwrapped(plain_words(str(event.get("text") or "")).replace(";", " "))
    named = _named(request, event)
    if not any(map(str.isalnum, text)) and not named.addresses and text != "?":
        return _of_the_thread(request)
    sub = subcommand(text)
    if sub is not None and sub.answer is not None:
        return sub.answer(request.consent, request.actor)
    if sub is not None and sub.name == "stats":
        return with_text(stats_page(request.consent, request.actor))
    if sub is not None:
        command = f"{request.consent.command} {sub.name}"
        return _sentence(f"This opens a window. Type `{command}` for it, outside of threads.")
    if named.addresses:
        return _who_has(request, named)
    return look_up(request.consent, request.actor, text, request.drafts)


def _of_the_thread(request: PersonRequest) -> Answer:
    thread = request.event.get("thread_ts")
    if not isinstance(thread, str):
        return _sentence(_HOW)
    try:
        answer = request.client.conversations_replies(
            channel=str(request.event.get("channel")), ts=thread, limit=1
        )
    except CALL_FAILED as error:
        if passes(error):
            raise
        logger.info("a thread could not be read: %s", slack_failure(error).word)
        return _sentence(_UNREAD)
    messages = answer.get("messages")
    named = _named(request, messages[0] if isinstance(messages, list) and messages else None)
    if not named.addresses:
        return _sentence(nothing_found(request.consent.region, "in the thread's first message"))
    return _who_has(request, named)


def _who_has(request: PersonRequest, named: MessageAddresses) -> Answer:
    if len(named.addresses) == 1:
        return look_up(request.consent, request.actor, named.addresses[0], request.drafts)
    found = who_has(request.consent, named.addresses, request.actor, limit=PAGE)
    if found.count == 1:
        return look_up(request.consent, request.actor, named.addresses[0], request.drafts)
    sealed, _ = request.drafts.seal_list(named.addresses)
    listing = FoundListing(sealed=sealed, left_out=named.left_out)
    return with_text(found_message(found, request.drafts.seal_address, listing))


def _named(request: PersonRequest, message: object) -> MessageAddresses:
    return addresses_in(message, request.consent.region, request.consent.read_email)


def _sentence(text: str) -> Answer:
    return with_text([section(text)])

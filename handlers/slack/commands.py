"""`/optin`: one registry of sub-commands, from which the help is made."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from slack_bolt import Ack, BoltRequest, BoltResponse
from slack_bolt.middleware import Middleware
from slack_sdk import WebClient

from bot.consent.errors import Invalid
from bot.consent.model import Actor
from bot.consent.parsing import visible
from bot.consent.use_cases import Service, find, recent_log
from handlers.slack import check_list, stats_answer
from handlers.slack.blocks import activity_page
from handlers.slack.blocks.card import card, card_text
from handlers.slack.blocks.details_modal import legend
from handlers.slack.blocks.formatting import Block, escape, fit, section, spoken
from handlers.slack.blocks.modal_frame import Metadata, View
from handlers.slack.blocks.search_results import hits, nothing
from handlers.slack.blocks.small_modals import search_modal
from handlers.slack.case_actions import pending_page
from handlers.slack.imports import import_listeners
from handlers.slack.interaction import show
from handlers.slack.sealed_values import Drafts

Answer = tuple[str, list[Block]]

#: Characters. Slack cuts a text that is longer than 40,000, and nobody listens to so many.
_LONGEST_TEXT = 4_000

#: `<tel:+14155550100|+1 415 555 0100>`, `<mailto:a@b.c|a@b.c>`: what Slack makes of what it knows.
_WRAPPED = re.compile(r"<(?:tel|mailto):([^|>]*)(?:\|[^>]*)?>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Subcommand:
    """A word after the command. One of the last three says what it does."""

    name: str
    hint: str
    does: str
    #: Answers in a message, or opens a modal.
    answer: Callable[[Service, Actor], Answer] | None = None
    opens: Callable[[Service, Actor], View] | None = None
    #: Answers by itself, since that may take longer than Slack waits.
    starts: Callable[[Ack, dict[str, Any], WebClient, Service, Actor], None] | None = None


class CommandMiddleware(Middleware):
    """Answers the command. Choosing a listener for it, and putting together what the listener
    names, takes Bolt a fifth of the time of an answer."""

    def __init__(self, command: str) -> None:
        """Behind `AuthorizeMiddleware`, which says who asks."""
        self._command = command

    def process(
        self, *, req: BoltRequest, resp: BoltResponse, next: Callable[[], BoltResponse]
    ) -> BoltResponse:
        if req.body.get("command") != self._command:
            return next()
        context = req.context
        return optin(
            context.ack,
            req.body,
            context.client,
            context["consent"],
            context["actor"],
            context["drafts"],
        )


def optin(
    ack: Ack,
    command: dict[str, Any],
    client: WebClient,
    consent: Service,
    actor: Actor,
    drafts: Drafts,
) -> BoltResponse:
    """Looks up what was typed, or runs a sub-command; alone it opens the search."""
    text = unwrapped(str(command.get("text") or ""))
    if not text:
        show(client, command, search_modal(Metadata()))
        return ack()
    sub = subcommand(text)
    if sub is not None and sub.opens is not None:
        show(client, command, sub.opens(consent, actor))
        return ack()
    if sub is not None and sub.starts is not None:
        sub.starts(ack, command, client, consent, actor)
        return ack.response or ack()
    if sub is not None and sub.answer is not None:
        said, blocks = sub.answer(consent, actor)
    else:
        said, blocks = look_up(consent, actor, text, drafts)
    answer = {"response_type": "ephemeral", "text": said, "blocks": blocks}
    return BoltResponse(status=200, body=msgspec.json.encode(answer).decode())


def subcommand(text: str) -> Subcommand | None:
    """As people type it: "Help", "help?", or a question mark alone."""
    word = text.casefold().rstrip("?! .") or "help"
    return next((s for s in SUBCOMMANDS if s.name == word), None)


def unknown(ack: Ack) -> None:
    """A command of the app that the settings don't name."""
    raise Invalid(
        "Optin listens to another command. Whoever runs it: OPTIN_COMMAND and the command in the "
        "app's settings differ."
    )


def look_up(consent: Service, actor: Actor, text: str, drafts: Drafts) -> Answer:
    """The card for one contact, lines for several, near misses for none."""
    found = find(consent, text, actor)
    if len(found.contacts) == 1 and not found.more:
        one = found.contacts[0]
        blocks = card(one)
        return card_text(one, blocks), blocks
    if found.contacts:
        return with_text(hits(found, drafts.seal_query(text)))
    draft = drafts.seal(phone=found.phone, email=found.email)
    return with_text(nothing(found, text, draft, consent.providers))


def with_text(blocks: list[Block]) -> Answer:
    """An answer whose text says all that its blocks do."""
    return fit(spoken(blocks), _LONGEST_TEXT), blocks


def unwrapped(text: str) -> str:
    """What the person typed, out of what Slack made of it."""
    text = _WRAPPED.sub(lambda match: match.group(1), text)
    return " ".join(visible(html.unescape(text)).split())


def _help(consent: Service, actor: Actor) -> Answer:
    return with_text(help_blocks(consent.command))


def help_blocks(command: str) -> list[Block]:
    """What can be typed, and what the icons mean."""
    name = escape(command)
    typed: Sequence[tuple[str, str]] = (
        ("+1 415 555 0100", "by phone number, in any format"),
        ("ana@example.com", "by e-mail address"),
        ("ana gom", "by name, or the start of first and last name"),
        ("", "on its own, opens the search"),
        *((f"{s.name} {s.hint}".strip(), s.does) for s in SUBCOMMANDS),
    )
    return [
        section(
            "*Why does this customer get no messages, and can we fix it?*",
            *(f"`{f'{name} {text}'.strip()}`  {does}" for text, does in typed),
        ),
        section(
            "Slack has no commands in threads. There, press *Check opt-in* in a message's … menu, "
            "or mention Optin with a number, an address or a name. Direct messages to Optin are "
            "answered, too, and *Find a contact* is among the shortcuts. Optin's *Home* in the "
            "sidebar shows your look-ups and what waits for you; managers have the alert settings "
            "and digests there. Workflow Builder has four steps of Optin's: *Check status*, "
            "*Record opt-out*, *Request re-opt-in* and *Wait for the outcome*."
        ),
        section(
            "*SMS On* and *Email On* say what the contact wants; press *Edit* on a card to change "
            "them. A contact who texted STOP gets texts again only when two things happen, in any "
            "order: they text UNSTOP to the same number, and a person sets SMS On back to YES. "
            "Press *Request re-opt-in* on the card to ask for that; a manager approves it."
        ),
        legend(),
    ]


def _recent(consent: Service, actor: Actor) -> Answer:
    return recent_page(consent, actor)


def recent_page(
    consent: Service, actor: Actor, *, kind: str = "", before: int | None = None
) -> Answer:
    """A page of `recent`; no kind means all that matter."""
    page = recent_log(
        consent,
        actor,
        kinds=activity_page.kinds(kind),
        before=before,
        limit=activity_page.PAGE,
        every=activity_page.wants_every(kind),
    )
    blocks = activity_page.recent(page, consent.providers, kind, first=before is None)
    return activity_page.recent_text(page, consent.providers, kind), blocks


def _pending(consent: Service, actor: Actor) -> Answer:
    return with_text(pending_page(consent, actor))


SUBCOMMANDS: tuple[Subcommand, ...] = (
    Subcommand(name="recent", hint="", does="recent changes to all contacts", answer=_recent),
    Subcommand(
        name="pending",
        hint="",
        does="re-opt-in requests that wait for a manager or a contact",
        answer=_pending,
    ),
    Subcommand(
        name="stats",
        hint="",
        does="who opted out and how, how soon it was honoured, and bounces",
        starts=stats_answer.asked,
    ),
    Subcommand(
        name="check",
        hint="",
        does="checks a list: who gets no messages, and why",
        opens=check_list.opened,
    ),
    Subcommand(
        name="import",
        hint="",
        does="imports contacts or a suppression list from a file (managers only)",
        opens=import_listeners.opened,
    ),
    Subcommand(name="help", hint="", does="this page", answer=_help),
)

"""`optin review`: replies that wait for a person's reading, in a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated

import typer

from bot.cli.command_session import open_service, operator
from bot.cli.find_contact import find_one
from bot.cli.status_command import Json
from bot.cli.terminal import say, when
from bot.consent.errors import NotFound, Refused
from bot.consent.model import Channel
from bot.consent.use_cases import Profile, Service
from bot.consent.use_cases.alerts.held_replies import (
    HeldReply,
    answer_hold,
    held_replies,
    held_replies_that_begin,
    held_reply,
    held_reply_of,
)
from bot.consent.use_cases.alerts.reviews import answer_review
from handlers.json_shapes import dumped, held
from handlers.slack.blocks.formatting import shown
from handlers.vocabulary import actor, things

app = typer.Typer(
    help="Replies that may be opt-outs, such as “Stop. Thank you”. Optin sends nothing to the "
    "address until somebody reads the reply. A reply that nobody answers by its deadline counts as "
    "an opt-out.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

#: Fewer letters could be a name, such as "Ada".
_SHORTEST_ID = 6

ReplyId = Annotated[
    str,
    typer.Argument(
        metavar="ID",
        help="The id of the reply, or at least the first six letters of it. Or the contact who "
        "wrote: a phone number, an e-mail address, an id or a name.",
        show_default=False,
    ),
]
Why = Annotated[
    str | None,
    typer.Option(
        "--reason",
        help="Why you read it so. The Activity Log keeps it.",
        metavar="TEXT",
        show_default=False,
    ),
]


@app.command("list")
def list_(
    json: Json = False,
    limit: Annotated[int, typer.Option(min=1, help="At most so many replies.")] = 20,
    after: Annotated[
        str | None,
        typer.Option(
            metavar="ID", help="Only replies behind this one, by its whole id.", show_default=False
        ),
    ] = None,
) -> None:
    """Lists the replies that wait for an answer, the oldest first.

    \b
      optin review list
      optin review list --json --limit 100
    """
    with open_service() as service:
        found = held_replies(service, operator(), after=after, limit=limit + 1)
    replies, more = found[:limit], len(found) > limit
    if json:
        say(dumped([held(reply) for reply in replies]))
        return
    for reply in replies:
        say(_line(reply))
        say(f"  {_text(reply)}")
    if more:
        say(f"More replies wait: optin review list --after {replies[-1].id}")
    if not replies:
        say("No reply waits for an answer." if after is None else "No more replies wait.")


@app.command()
def show(id: ReplyId, json: Json = False) -> None:
    """Shows a reply, and what happens if nobody answers."""
    with open_service() as service:
        reply = _by_id(service, id)
        if reply is None:
            found = _writer(service, id)
            reply = held_reply_of(service, found.contact.id, _held_channel(found), operator())
        for line in [dumped(held(reply))] if json else _lines(service, reply):
            say(line)


@app.command("yes")
def yes_(id: ReplyId, reason: Why = None) -> None:
    """Says that it was an opt-out. It counts from when the contact wrote, for everybody with that
    address.

    \b
      optin review yes 4f2a91
      optin review yes "+1 415 555 0100" --reason "She said so on the phone, too"
    """
    with open_service() as service:
        _answer(service, id, True, reason)


@app.command("no")
def no_(id: ReplyId, reason: Why = None) -> None:
    """Says that it was no opt-out. Messages go on as before.

    \b
      optin review no 4f2a91 --reason "He asked us to stop by his shop"
    """
    with open_service() as service:
        _answer(service, id, False, reason)


def _answer(service: Service, text: str, refusal: bool, reason: str | None) -> None:
    reply = _by_id(service, text)
    if reply is not None and reply.id is not None:
        channel = reply.channel
        won = answer_review(service, reply.id, refusal, operator(), reason=reason).won
        if not won:
            first = held_reply(service, reply.id, operator())
            raise Refused(f"{_answer_of(service, first)} Nothing was changed.")
    else:
        found = _writer(service, text)
        channel = _held_channel(found)
        answer = answer_hold(service, found.contact.id, channel, refusal, operator(), reason=reason)
        if not answer.won:
            said = _already(service, refusal=answer.refusal, by=answer.by, at=answer.at)
            raise Refused(f"{said} Nothing was changed.")
    if refusal:
        say(f"Saved as an opt-out: no more {things(channel)} are sent.")
    else:
        say(f"Saved as no opt-out: this reply no longer holds {things(channel)} back.")


def _by_id(service: Service, text: str) -> HeldReply | None:
    if len(text) < _SHORTEST_ID:
        return None
    fit = held_replies_that_begin(service, text.lower(), operator())
    if len(fit) > 1:
        raise Refused("Several replies begin so: write more of the id.")
    return fit[0] if fit else None


def _writer(service: Service, text: str) -> Profile:
    """The contact who wrote. Raises `NotFound` and `Several`."""
    try:
        return find_one(service, text)
    except NotFound:
        raise NotFound(
            "There is no such reply or contact. `optin review list` names the replies that wait."
        ) from None


def _held_channel(found: Profile) -> Channel:
    """Where a reply of this contact waits; else the channel on which people reply."""
    return next((c for c in Channel if (f := found.facts.get(c)) and f.hold), Channel.SMS)


def _line(reply: HeldReply) -> str:
    name = (shown(reply.contact.name, 40) or "(no name)") if reply.contact else "(no contact)"
    said = [reply.id, reply.channel.word, name, reply.masked, when(reply.since)]
    return "  ".join(filter(None, said))


def _text(reply: HeldReply) -> str:
    return f"“{shown(reply.text, 500)}”" if reply.text else "(The text was erased.)"


def _lines(service: Service, reply: HeldReply) -> Iterator[str]:
    yield _line(reply)
    yield f"  {_text(reply)}"
    if reply.refusal is not None:
        yield f"  ☑ {_answer_of(service, reply)}"
        return
    yield "  ☐ Read the reply and say whether it was an opt-out: optin review yes, or no."
    if reply.deadline:
        yield f"  If nobody answers, it counts as an opt-out on {when(reply.deadline)}."


def _answer_of(service: Service, reply: HeldReply) -> str:
    refusal, by = bool(reply.refusal), reply.answered_by
    return _already(service, refusal=refusal, by=by, at=reply.answered_at)


def _already(service: Service, *, refusal: bool, by: str | None, at: datetime | None) -> str:
    who = f" by {actor(by, service.providers, markup=False)}" if by else ""
    on = f", {when(at)}" if at else ""
    return f"Answered already as {'an' if refusal else 'no'} opt-out{who}{on}."

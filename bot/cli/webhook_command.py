"""`optin webhook`: the company's own systems that hear of each change."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Annotated

import typer

from bot.cli.command_session import open_service, operator
from bot.cli.terminal import say, when
from bot.cli.usage_errors import WrongUsage
from bot.consent.errors import Refused
from bot.consent.use_cases import Service
from bot.consent.use_cases.webhooks import (
    EVENTS,
    WebhookStatus,
    add_webhook,
    find_webhook,
    pause_webhook,
    place_of_time,
    remove_webhook,
    replay_webhook,
    resume_webhook,
    rotate_secret,
    webhook_status,
)
from bot.consent.webhooks import Webhook, WebhookState
from handlers.outbound.address_guard import AddressGuard
from handlers.outbound.attempt import send_sample
from handlers.outbound.delivery_client import DeliveryClient

app = typer.Typer(
    help="Sends each change to your own systems: signed events, in order for each contact, "
    "retried for three days. `optin serve` delivers them.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

WebhookId = Annotated[
    str,
    typer.Argument(
        metavar="ID",
        help="The webhook's id, or the beginning of it.",
        show_default=False,
    ),
]
After = Annotated[
    str | None,
    typer.Option(
        "--after",
        metavar="SEQ|TIME",
        help="Deliver what is behind this place in the log: a seq, as each event has it, or a time "
        "such as 2026-11-03T14:00Z.",
        show_default=False,
    ),
]


@app.command(
    "add",
    help="Delivers what happens from now on to URL, and shows the secret once.\n\n"
    "The URL must begin with https://. Private networks need OPTIN_WEBHOOK_ALLOW.\n\n"
    "\b\nEvents:\n"
    + "\n".join(f"  {event}" for event in EVENTS)
    + "\n\n\b\n  optin webhook add https://crm.example.com/optin\n"
    "  optin webhook add https://news.example.com/in --events consent.changed,block.changed",
)
def add(
    url: Annotated[
        str,
        typer.Argument(metavar="URL", help="Where your system listens.", show_default=False),
    ],
    events: Annotated[
        str,
        typer.Option(
            metavar="TYPES",
            help="Some of the types, separated by commas. Without it, all.",
            show_default=False,
        ),
    ] = "",
    include_address: Annotated[
        bool,
        typer.Option(
            "--include-address",
            help="Bodies hold phone numbers and e-mail addresses. Without it, they hold ids.",
        ),
    ] = False,
) -> None:
    chosen = [event.strip() for event in events.split(",") if event.strip()]
    with open_service() as service:
        webhook = add_webhook(
            service, operator().id, url=url, events=chosen, include_address=include_address
        )
    say(webhook.secrets[0].text)
    say("This is the secret of the webhook. Store it now: it is not shown again.")
    say(f"Its id is {webhook.id}. `optin webhook test {webhook.id}` sends an event.")


@app.command("list")
def list_() -> None:
    """Lists the webhooks: their URLs and events, and whether deliveries arrive."""
    with open_service() as service:
        found = webhook_status(service)
    for status in found:
        for line in _lines(status):
            say(line)
    if not found:
        say("There are no webhooks. `optin webhook add URL` makes one.")


@app.command()
def pause(id: WebhookId) -> None:
    """Delivers nothing until you resume. No event is lost meanwhile.

    \b
      optin webhook pause 4f2a91
    """
    with open_service() as service:
        webhook = pause_webhook(service, find_webhook(service, id).id)
    say(f"Paused: {_named(webhook)}.")


@app.command()
def resume(id: WebhookId, after: After = None) -> None:
    """Delivers again, from where it stopped. What failed is tried at once.

    \b
      optin webhook resume 4f2a91
      optin webhook resume 4f2a91 --after 48211
    """
    with open_service() as service:
        webhook = find_webhook(service, id)
        place = _place(service, after) if after else None
        resume_webhook(service, webhook.id, after=place)
    say(f"Active: {_named(webhook)}.")


@app.command()
def replay(id: WebhookId, after: After) -> None:
    """Delivers once more what happened after a place in the log. Each event has the same
    webhook-id as before, so that your system can recognise it.

    \b
      optin webhook replay 4f2a91 --after 48211
      optin webhook replay 4f2a91 --after 2026-11-03T14:00Z
    """
    with open_service() as service:
        webhook = find_webhook(service, id)
        place = _place(service, after or "")
        replay_webhook(service, webhook.id, after=place)
    say(f"Events after {place:,} are delivered once more: {_named(webhook)}.")
    if webhook.state is WebhookState.PAUSED:
        say(f"It is paused. `optin webhook resume {webhook.id}` begins.")


@app.command()
def rotate(id: WebhookId) -> None:
    """Makes a new secret and shows it once. The old one signs, too, for 24 hours.

    \b
      optin webhook rotate 4f2a91
    """
    with open_service() as service:
        webhook = rotate_secret(service, find_webhook(service, id).id)
    say(webhook.secrets[0].text)
    until = webhook.secrets[1].ends_at
    say(
        "This is the new secret. Store it now: it is not shown again. The old one signs, too, "
        f"until {when(until) if until else 'then'}."
    )


@app.command()
def remove(id: WebhookId) -> None:
    """Stops deliveries for good, and deletes the webhook with its secret.

    \b
      optin webhook remove 4f2a91
    """
    with open_service() as service:
        webhook = remove_webhook(service, find_webhook(service, id).id)
    say(f"Removed: {_named(webhook)}.")


@app.command()
def test(id: WebhookId) -> None:
    """Sends an event of the type webhook.test now, and says whether it arrived.

    \b
      optin webhook test 4f2a91
    """
    with open_service() as service:
        webhook = find_webhook(service, id)
        guard = AddressGuard(allowed=service.webhook_allow)
        with closing(DeliveryClient(guard)) as client:
            result = send_sample(client, webhook, service.now())
    if not result.delivered:
        raise Refused(f"The event did not arrive: {webhook.host} {result.problem}.")
    say(f"The event arrived: {_named(webhook)}.")


def _place(service: Service, text: str) -> int:
    if text.isascii() and text.isdigit():
        return int(text)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise WrongUsage(
            f"--after: {text} is neither a seq nor a time such as 2026-11-03T14:00Z."
        ) from None
    return place_of_time(service, at if at.tzinfo else at.replace(tzinfo=UTC))


def _named(webhook: Webhook) -> str:
    return f"{webhook.id}, {webhook.url}"


def _lines(status: WebhookStatus) -> Iterator[str]:
    webhook, health = status.webhook, status.health
    events = "all events" if webhook.events == EVENTS else ", ".join(webhook.events)
    said = [webhook.id, webhook.url, events, webhook.state.value]
    if webhook.include_address:
        said.append("with addresses")
    yield "  ".join(said)
    if webhook.problem:
        yield f"  Optin paused it: it {webhook.problem}."
    elif webhook.state is WebhookState.ACTIVE and health.since:
        yield f"  It has failed since {when(health.since)}: it {health.problem}."
    if status.retrying:
        yield f"  Events to retry: {status.retrying:,}."
    if status.first_given_up is not None:
        replay = f"optin webhook replay {webhook.id} --after {status.first_given_up - 1}"
        yield f"  Events that were given up: {status.given_up:,}. `{replay}` sends them again."

"""Subscribing to webhooks: what Zapier, Make and n8n call REST hooks."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from bot.consent.api_key import Scope
from bot.consent.errors import NotFound
from bot.consent.use_cases.feed import FeedType
from bot.consent.use_cases.webhooks import add_webhook, remove_webhook, webhooks
from bot.consent.webhooks import Webhook
from handlers.api.operations import ApiMessage, ApiReply, ApiRequest, Instant, Operation
from handlers.api.problems import Problem
from handlers.json_shapes import instant


class WebhookAsked(ApiMessage):
    """Where to send what changes."""

    url: Annotated[str, msgspec.Meta(max_length=2_000, description="It begins with https://.")]
    events: Annotated[list[FeedType], msgspec.Meta(description="All types without this.")] = (
        msgspec.field(default_factory=list)
    )
    include_address: Annotated[
        bool,
        msgspec.Meta(
            description="Whether bodies hold numbers and addresses. Needs the scope read, too."
        ),
    ] = False


class WebhookTold(ApiMessage):
    """A webhook."""

    id: str
    url: str
    events: list[FeedType]
    include_address: bool
    state: str
    created_at: Instant


class WebhookMade(WebhookTold):
    """A new webhook, with the secret that its deliveries are signed with."""

    secret: Annotated[str, msgspec.Meta(description="Shown once. Store it.")]


class WebhooksTold(ApiMessage):
    """The webhooks that this key made."""

    webhooks: list[WebhookTold]


def subscribe(asked: ApiRequest) -> ApiReply:
    """Sends what changes from now on to this URL, signed as Standard Webhooks says. Optin does not
    call the URL before something changes."""
    body: WebhookAsked = asked.body
    if body.include_address and Scope.READ not in asked.key.scopes:
        raise Problem("forbidden", 403, "include_address needs a key with the scope read, too.")
    made = add_webhook(
        asked.service,
        asked.actor.id,
        url=body.url,
        events=[event.value for event in body.events],
        include_address=body.include_address,
    )
    return ApiReply(value={**_told(made), "secret": made.secrets[0].text}, status=201)


def list_webhooks(asked: ApiRequest) -> ApiReply:
    """Lists the webhooks that this key made. `optin webhook list` lists all of them."""
    mine = [one for one in webhooks(asked.service) if one.created_by == asked.actor.id]
    return ApiReply(value={"webhooks": [_told(one) for one in mine]})


def unsubscribe(asked: ApiRequest) -> ApiReply:
    """Deletes a webhook that this key made. Optin sends it nothing more. The same again is 404."""
    id, me = asked.path["id"], asked.actor.id
    if not any((one.id, one.created_by) == (id, me) for one in webhooks(asked.service)):
        raise NotFound("This key has made no such webhook.")
    remove_webhook(asked.service, id)
    return ApiReply(value=b"", status=204)


def _told(webhook: Webhook) -> dict[str, Any]:
    return {
        "id": webhook.id,
        "url": webhook.url,
        "events": list(webhook.events),
        "include_address": webhook.include_address,
        "state": webhook.state.value,
        "created_at": instant(webhook.created_at),
    }


WEBHOOKS = (
    Operation(
        method="POST",
        path="/webhooks",
        scope=Scope.WEBHOOKS,
        summary="Subscribe",
        run=subscribe,
        tag="webhooks",
        body=WebhookAsked,
        example={"url": "https://crm.example.com/optin", "events": ["consent.changed"]},
        answers={201: WebhookMade},
        pointers={"url": "/url", "events": "/events"},
        problems=(409,),
        links={"unsubscribe": ("id", "/id")},
    ),
    Operation(
        method="GET",
        path="/webhooks",
        scope=Scope.WEBHOOKS,
        summary="This key's webhooks",
        run=list_webhooks,
        tag="webhooks",
        answers={200: WebhooksTold},
    ),
    Operation(
        method="DELETE",
        path="/webhooks/{id}",
        scope=Scope.WEBHOOKS,
        summary="Unsubscribe",
        run=unsubscribe,
        tag="webhooks",
        answers={204: None},
    ),
)

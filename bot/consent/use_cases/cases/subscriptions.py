"""Which managers want requests in their direct messages, too. To be told is not to be allowed:
who may decide is asked when they decide."""

from __future__ import annotations

import json
from collections.abc import Sequence

from bot.consent.errors import Refused
from bot.consent.model import Actor
from bot.consent.permissions import Action, authorize
from bot.consent.records import KeyValue
from bot.consent.use_cases.context import Service

_MARK = "requests_to"
_SLACK = "slack:"


def request_subscribers(key_value: KeyValue) -> Sequence[str]:
    """Slack's ids of these people."""
    people: list[str] = json.loads(key_value.get(_MARK) or "[]")
    return people


def is_subscribed_to_requests(service: Service, actor: Actor) -> bool:
    with service.store.reading() as records:
        return actor.id.removeprefix(_SLACK) in request_subscribers(records.key_value)


def subscribe_to_requests(service: Service, actor: Actor, wanted: bool) -> None:
    """From now on the manager gets a copy of each request, or no longer."""
    authorize(actor, Action.DECIDE)
    if not actor.id.startswith(_SLACK):
        raise Refused("Direct messages are Slack's: choose this there.")
    _want(service, actor.id.removeprefix(_SLACK), wanted)


def unsubscribe_from_requests(service: Service, person: str) -> None:
    """Whoever is no manager any more, by Slack's id, is not told any more: they can't say so."""
    _want(service, person, False)


def _want(service: Service, person: str, wanted: bool) -> None:
    with service.store.transaction() as records:
        people = [other for other in request_subscribers(records.key_value) if other != person]
        if wanted:
            people.append(person)
        records.key_value.put(_MARK, json.dumps(people) if people else None)

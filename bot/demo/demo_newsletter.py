"""The company's newsletter in the demo: a list of its own, a key of the API, and a webhook."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from bot.consent.api_key import Scope
from bot.consent.model import Actor, Role
from bot.consent.use_cases import Service
from bot.consent.use_cases.api_keys import add_key
from bot.consent.use_cases.webhooks.edit_webhooks import add_webhook
from bot.demo.demo_world import post

#: A webhook may lead to this machine only.
ALLOWED = "127.0.0.0/8"
#: Who subscribed. Optin has a reason against most of them.
SUBSCRIBERS = frozenset(
    {
        "Ana Gómez",
        "Bob Miller",
        "Carla Rossi",
        "Eve Laurent",
        "Grace Lee",
        "Ines Costa",
        "Paula Reyes",
        "Rosa Jiménez",
        "Tara Singh",
        "Umar Aziz",
        "Zoe Adams",
        "<!channel> *Bold* :skull: & Sons",
        "Jürgen Müller",
    }
)
_OPERATOR = Actor(id="cli:demo", role=Role.OPERATOR, source="cli")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewsletterAccess:
    """What the newsletter proves itself with to Optin, and Optin to the newsletter."""

    api_key: str = field(repr=False)
    webhook_secret: str = field(repr=False)


def give_access(service: Service, page: str) -> NewsletterAccess:
    """A key that may only check, and a webhook to the sandbox at `page`."""
    _, key = add_key(service, "Newsletter", [Scope.CHECK], _OPERATOR)
    webhook = add_webhook(service, _OPERATOR.id, url=f"{page}/newsletter/optin-events")
    return NewsletterAccess(api_key=key, webhook_secret=webhook.secrets[0].text)


def settle_newsletter(page: str, optin: str, access: NewsletterAccess, service: Service) -> None:
    """Tells the newsletter where Optin listens. Raises OSError where the sandbox is gone."""
    given = {
        "optin": optin,
        "api_key": access.api_key,
        "webhook_secret": access.webhook_secret,
        "subscribers": list(_subscribers(service)),
    }
    post(page, "/sandbox/newsletter", given)


def _subscribers(service: Service) -> Iterator[dict[str, Any]]:
    """The list as the newsletter has it: it does not ask Optin for addresses."""
    with service.store.reading() as records:
        for contact in records.contacts.all():
            if contact.name in SUBSCRIBERS:
                yield {
                    "id": contact.id,
                    "name": contact.name,
                    "phone": contact.phone,
                    "email": contact.email,
                }

"""Typeahead of the search: exact hits, then similar ones, then the contacts looked at last."""

from __future__ import annotations

from typing import Any

from slack_bolt import Ack

from bot.consent.model import Actor, Contact
from bot.consent.use_cases import Service, suggest
from handlers.slack import ids
from handlers.slack.blocks.elements import option
from handlers.slack.blocks.formatting import OPTION, fit, masked, shown
from handlers.slack.commands import unwrapped


def find(ack: Ack, body: dict[str, Any], consent: Service, actor: Actor) -> None:
    """At most twenty contacts for what has been typed so far."""
    text = unwrapped(str(body.get("value") or ""))
    ack(options=[_option(contact) for contact in suggest(consent, text, actor)])


def unknown(ack: Ack) -> None:
    """A select that no version of ours draws any more."""
    ack(options=[])


def _option(contact: Contact) -> dict[str, object]:
    known = ", ".join(masked(address) for address in contact.addresses)
    name = shown(contact.name, max(20, OPTION - len(known) - 3))
    pointer = ids.Pointer(contact=contact.id, version=contact.version)
    return option(fit(f"{name} · {known}", OPTION), str(pointer))

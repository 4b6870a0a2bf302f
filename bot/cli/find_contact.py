"""CONTACT: a phone number, an e-mail address, an id, or a name that fits only one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from bot.cli.command_session import operator
from bot.consent.errors import NotFound, Refused
from bot.consent.model import Contact
from bot.consent.use_cases import Found, Profile, Service, find
from handlers.slack.blocks.formatting import shown

ContactText = Annotated[
    str,
    typer.Argument(
        metavar="CONTACT",
        help="A phone number, an e-mail address, an id, or a name that fits only one.",
        show_default=False,
    ),
]

#: As many are listed where several fit.
_LISTED = 20


class Nobody(NotFound):
    """There is no such contact."""

    def __init__(self, found: Found) -> None:
        self.found = found
        super().__init__(_nobody(found))


class Several(Refused):
    """More than one contact fits."""

    def __init__(self, found: Found) -> None:
        self.found = found
        count = f"More than {found.count}" if found.more else f"{found.count:,}"
        super().__init__(
            f"{count} contacts fit: name the one by its id.\n{_listed(found.contacts)}"
        )


def find_one(service: Service, text: str) -> Profile:
    """The one contact that this means. Raises `Nobody` or `Several`."""
    found = find(service, text, operator(), limit=_LISTED)
    if not found.contacts:
        raise Nobody(found)
    if len(found.contacts) > 1:
        raise Several(found)
    return found.contacts[0]


def line(contact: Contact) -> str:
    """A contact in one line, with everything that may tell it from another."""
    said = (shown(contact.name) or "(erased)", contact.phone, contact.email, shown(contact.company))
    return "  ".join((contact.id, *filter(None, said)))


def _listed(profiles: Sequence[Profile]) -> str:
    return "\n".join(f"  {line(profile.contact)}" for profile in profiles)


def _nobody(found: Found) -> str:
    if found.problem:
        said = found.problem
    elif found.phone:
        said = "Nobody has this phone number."
    elif found.email:
        said = "Nobody has this e-mail address."
    else:
        said = "There is no such contact."
    if found.near:
        said += f" Did you mean one of these?\n{_listed(found.near)}"
    return said

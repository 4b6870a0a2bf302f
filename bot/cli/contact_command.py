"""`optin contact`: who somebody is."""

from __future__ import annotations

from typing import Annotated

import typer

from bot.cli.command_session import open_service, operator
from bot.cli.find_contact import ContactText, find_one
from bot.cli.status_command import Json
from bot.cli.terminal import say
from bot.cli.terminal_card import answer, who
from bot.cli.usage_errors import WrongUsage
from bot.consent.model import Channel, Contact
from bot.consent.use_cases import Details, add, edit, merge, profile
from handlers.json_shapes import dumped, instant

app = typer.Typer(
    help="Adds a contact, changes who somebody is, makes one of two records, or shows it.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

_Name = Annotated[str | None, typer.Option("--name", help="The whole name.", metavar="TEXT")]
_Phone = Annotated[str | None, typer.Option("--phone", help="A phone number.", metavar="TEXT")]
_Email = Annotated[str | None, typer.Option("--email", help="An address.", metavar="TEXT")]
_Company = Annotated[str | None, typer.Option("--company", help="A company.", metavar="TEXT")]
_External = Annotated[
    str | None,
    typer.Option("--external-id", help="The id in your other systems.", metavar="TEXT"),
]


@app.command("add")
def add_(
    name: _Name = None,
    phone: _Phone = None,
    email: _Email = None,
    company: _Company = None,
    external_id: _External = None,
) -> None:
    """Adds somebody with a name, and a phone number or an e-mail address.

    \b
      optin contact add --name "Ana Gómez" --phone "+1 415 555 0100"
    """
    details = Details(name=name, phone=phone, email=email, company=company, external_id=external_id)
    with open_service() as service:
        for line in who(add(service, details, operator())):
            say(line)


@app.command("set")
def set_(
    contact: ContactText,
    name: _Name = None,
    phone: _Phone = None,
    email: _Email = None,
    company: _Company = None,
    external_id: _External = None,
) -> None:
    """Changes who somebody is; empty text takes a value away. A new phone number or e-mail address
    is a new one: what the old one wanted, blocked or bounced says nothing of it.

    \b
      optin contact set ana@example.com --phone "+1 415 555 0142" --company ""
    """
    details = Details(name=name, phone=phone, email=email, company=company, external_id=external_id)
    if details == Details():
        raise WrongUsage("Say what to change, such as --phone.")
    with open_service() as service:
        before = find_one(service, contact).contact
        after = edit(service, before.id, details, operator())
        for line in who(after):
            say(line)


@app.command("merge")
def merge_(
    contact: ContactText,
    other: Annotated[
        str,
        typer.Argument(
            metavar="OTHER",
            help="Who is the same person; this record goes.",
            show_default=False,
        ),
    ],
) -> None:
    """Makes one contact of two records of the same person. CONTACT stays, and gets what it lacks
    of OTHER. A NO of either one stands, and so does Do not contact. Nothing of the log is lost.

    \b
      optin contact merge ana@example.com "+1 415 555 0142"
    """
    with open_service() as service:
        kept, gone = (find_one(service, text).contact for text in (contact, other))
        merged = merge(service, kept.id, gone.id, operator())
        for line in who(merged):
            say(line)
        shown_ = profile(service, merged.id, operator())
    for channel in Channel:
        for line in answer(shown_, channel):
            say(line)


@app.command("show")
def show(contact: ContactText, json: Json = False) -> None:
    """Shows who somebody is; `optin status` tells what they get from us."""
    with open_service() as service:
        found = find_one(service, contact).contact
    if json:
        say(dumped(_shape(found)))
        return
    for line in who(found):
        say(line)


def _shape(contact: Contact) -> dict[str, object]:
    fields = ("id", "version", "name", "company", "external_id", "phone", "line", "email")
    flags = ("do_not_contact", "erased")
    shape = {name: getattr(contact, name) for name in fields + flags}
    created = contact.created_at
    return shape | {"created_at": instant(created) if created else None}

"""`optin provider`: senders and providers that the company no longer uses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import typer

from bot.cli.command_session import open_service, operator
from bot.cli.terminal import say, when
from bot.consent.senders import Senders
from bot.consent.use_cases import Retired, restore, retire, retired, senders
from handlers.slack.blocks.formatting import shown
from handlers.vocabulary import person
from handlers.webhooks.providers import SPECS

app = typer.Typer(
    help="Senders and providers that the company no longer uses. Their blocks stop counting.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

_Name = Annotated[
    str,
    typer.Argument(
        metavar="NAME",
        help="A provider, a number of ours, a messaging service or profile, or an id out of "
        "OPTIN_SENDERS.",
        show_default=False,
    ),
]


@app.command("list")
def list_() -> None:
    """Lists our senders and the providers, with those that are retired."""
    with open_service() as service:
        known, gone = senders(service), retired(service)
    for line in _lines(known, {one.name: one for one in gone}):
        say(line)


@app.command("retire")
def retire_(name: _Name) -> None:
    """Says that a sender or a provider is used no longer. Its blocks stop counting, for every
    contact, and move to *Details*; consent stays as it is.

    \b
      optin provider retire mailgun
      optin provider retire "+1 888 555 0199"
    """
    with open_service() as service:
        made = retire(service, name, operator())
    say(f"Retired: {_shown(made)}. Its blocks stop counting.")


@app.command("restore")
def restore_(name: _Name) -> None:
    """Says that a sender or a provider is used again. Its blocks count as before.

    \b
      optin provider restore mailgun
    """
    with open_service() as service:
        made = restore(service, name, operator())
    say(f"In use: {_shown(made)}. Its blocks count again.")


def _lines(known: Senders, gone: dict[str, Retired]) -> Iterator[str]:
    """Senders, services that events have shown, providers; then what else is retired."""

    def line(name: str, *more: str) -> str:
        one = gone.pop(name, None)
        by = f"retired by {person(one.by, markup=False)}, {when(one.at)}" if one else "in use"
        return "  ".join(filter(None, (_shown(name), *more, by)))

    for group in known.groups:
        numbers = (number.number for number in group.numbers if number.number != group.id)
        yield line(group.id, shown(group.name), group.service or "", *numbers)
    configured = {group.service for group in known.groups}
    for name in dict.fromkeys(known.members.values()):
        if name not in configured:
            yield line(name, *(number for number, its in known.members.items() if its == name))
    for spec in SPECS.values():
        if not spec.ours:
            yield line(spec.name)
    for name in list(gone):
        yield line(name)


def _shown(name: str) -> str:
    return SPECS[name].label if name in SPECS else shown(name)

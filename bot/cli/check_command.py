"""`optin check`."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated

import typer

from bot.cli.command_session import open_service, operator
from bot.cli.private_file import write_private
from bot.cli.terminal import say
from bot.cli.usage_errors import WrongUsage
from bot.consent.use_cases import AddressVerdict, CheckedAddress, check_addresses
from handlers.address_list import (
    counts,
    next_step,
    read_addresses,
    read_list,
    reason,
    status_of,
    write_answers,
)
from handlers.slack.blocks.formatting import shown


def check(
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE|-",
            help="A CSV, or a list with one address to a line; - is a list on stdin.",
            show_default=False,
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(help="The same as a CSV file.", metavar="FILE", show_default=False),
    ] = None,
) -> None:
    """Says of each address of a list whether messages may be sent there, why not, and what has to
    happen. Nothing of the list is stored.

    \b
      optin check contacts.csv
      pbpaste | optin check -
      optin check contacts.csv --output answers.csv

    Where several contacts have an address, its answer is that of whoever may be sent least.
    """
    with open_service() as service:
        answers = list(check_addresses(service, _addresses(file), operator()))
    if not answers:
        raise WrongUsage("There is no address in this list.")
    if output is None:
        for one in answers:
            for line in _lines(one):
                say(line)
        say()
    else:
        write_private(output, write_answers(answers))
    say(counts(answers))
    if any(one.verdict is AddressVerdict.UNREADABLE for one in answers):
        raise typer.Exit(3)


def _addresses(file: str) -> Iterator[str]:
    return read_addresses(sys.stdin) if file == "-" else read_list(Path(file))


def _lines(one: CheckedAddress) -> Iterable[str]:
    icon, word = status_of(one)
    name = f"  {shown(one.contact.name, 60)}" if one.contact else ""
    yield f"{icon} {word}  {one.address or shown(one.text, 60)}{name}"
    for said in (reason(one), next_step(one)):
        if said:
            yield f"    {shown(said, 600)}"

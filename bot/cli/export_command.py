"""`optin export`."""

from __future__ import annotations

import sys
from contextlib import closing
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from bot.cli.command_session import open_service
from bot.cli.private_file import write_private
from bot.consent import use_cases
from handlers import json_shapes
from handlers.contacts_file import write_csv, write_json


class Format(StrEnum):
    """The form of an export: CSV for spreadsheets, JSON for programs."""

    CSV = "csv"
    JSON = "json"


def export(
    format: Annotated[Format, typer.Option(help="For spreadsheets, or for programs.")] = Format.CSV,
    output: Annotated[
        Path | None,
        typer.Option(help="To this file instead of stdout.", metavar="FILE", show_default=False),
    ] = None,
) -> None:
    """Writes all contacts with their answers. `optin import` takes the CSV in again, and no
    spreadsheet takes a cell of it for a formula.

    \b
      optin export > contacts.csv
      optin export --format json --output contacts.json
    """
    with open_service() as service, closing(use_cases.export(service)) as profiles:
        csv = format is Format.CSV
        lines = write_csv(profiles) if csv else write_json(profiles, json_shapes.status)
        if output is None:
            sys.stdout.writelines(lines)
            sys.stdout.flush()
        else:
            write_private(output, lines)

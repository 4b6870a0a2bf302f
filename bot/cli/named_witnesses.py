"""The witnesses of the log that a command line names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from bot.cli.usage_errors import WrongUsage
from bot.config.settings import Settings
from bot.config.witness_address import WitnessAddress, file_witness, witness
from bot.consent.use_cases import Service
from bot.runtime.witness_jobs import open_witness
from handlers.witnesses.witness import Witness


def named_witnesses(settings: Settings, names: Iterable[str]) -> list[WitnessAddress]:
    """`all` are those of the settings; a name without a scheme is a file's path. Raises
    `WrongUsage`."""
    found: dict[str, WitnessAddress] = {}
    for name in names:
        for address in _named(settings, name):
            found[address.name] = address
    return list(found.values())


def open_named(
    settings: Settings, service: Service, addresses: Iterable[WitnessAddress]
) -> Iterator[Witness]:
    for address in addresses:
        yield open_witness(address, settings, service)


def _named(settings: Settings, name: str) -> Iterable[WitnessAddress]:
    if name == "all":
        if not settings.witnesses:
            raise WrongUsage("OPTIN_WITNESSES names no witness.")
        return settings.witnesses
    try:
        return (witness(name),)
    except ValueError:
        path = Path(name)
        if not path.is_file():
            raise WrongUsage(
                f"{name} is neither a file nor a witness such as OPTIN_WITNESSES has."
            ) from None
        return (file_witness(path),)

"""The witnesses that the settings name, and the job that publishes the log's head to them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

from bot.config.settings import Settings
from bot.config.witness_address import WitnessAddress, WitnessKind
from bot.consent.use_cases import Service
from bot.runtime.repeated import every
from handlers.witnesses.file_witness import FileWitness
from handlers.witnesses.publish_heads import HeadPublisher
from handlers.witnesses.witness import Witness

#: The file of signed time stamps, in the folder of the settings: it does not go back when the
#: storage does.
TIMESTAMPS = "optin.timestamps"
#: Seconds between two looks at whether a witness is due, and two attempts at one that fails.
_LOOK = 600.0


def open_witnesses(settings: Settings, service: Service) -> list[Witness]:
    """All that the settings name. Asks none of them yet."""
    return [open_witness(address, settings, service) for address in settings.witnesses]


def open_witness(address: WitnessAddress, settings: Settings, service: Service) -> Witness:
    match address.kind:
        case WitnessKind.FILE:
            return FileWitness(Path(address.place), address.name)
        case WitnessKind.SLACK:
            return _slack(settings, service)
        case WitnessKind.TIMESTAMP:
            return _timestamp(address, settings, service)


def _slack(settings: Settings, service: Service) -> Witness:
    # A command that asks no Slack need not wait for its libraries.
    from handlers.slack.alerts.client import client
    from handlers.witnesses.slack_witness import SlackWitness

    return SlackWitness(service, client(settings.bot_token, settings.slack_api_url))


def _timestamp(address: WitnessAddress, settings: Settings, service: Service) -> Witness:
    # As above.
    from handlers.witnesses.timestamp_witness import TimestampWitness

    return TimestampWitness(
        service,
        address.place,
        address.name,
        certificates=settings.timestamp_certificates,
        file=Path(TIMESTAMPS),
    )


def witness_jobs(publisher: HeadPublisher) -> list[Callable[[], Awaitable[None]]]:
    """For `bot.runtime.server.Server`."""
    return [every(_LOOK, "witnesses", lambda _: publisher.publish_due())]

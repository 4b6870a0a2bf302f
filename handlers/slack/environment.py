"""What surrounds Optin where it runs, as people in Slack see it: settings, sources, the posting."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from handlers.slack.alerts.channel_health import Health
from handlers.witnesses.witness import Witness


class Sources(Protocol):
    """Where events come from, and how that goes."""

    @property
    def names(self) -> Collection[str]:
        """The stored values that `lines` needs."""
        ...

    def lines(self, noted: Mapping[str, str | None]) -> Iterable[str]:
        """In mrkdwn."""
        ...


class NoSources:
    """For a Slack without messaging providers."""

    names: Collection[str] = ()

    def lines(self, noted: Mapping[str, str | None]) -> Iterable[str]:
        return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """What whoever runs Optin decided, and how its parts do."""

    sources: Sources = field(default_factory=NoSources)
    #: Of the posting of alerts.
    health: Health = field(default_factory=Health)
    #: The names of settings, and what each says in mrkdwn. No secrets.
    settings: Sequence[tuple[str, str]] = ()
    #: Of the log's head.
    witnesses: Sequence[Witness] = ()

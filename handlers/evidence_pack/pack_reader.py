"""For whom an evidence pack is made: their time zone, and how people are named to them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo

from bot.consent.known_providers import KnownProviders
from bot.consent.log.entries import Entry
from handlers.slack.blocks.formatting import shown

#: From where, after who; a person at the command line and a program are their own source.
_SOURCES = {"slack": "in Slack", "import": "by an import", "sandbox": "in the sandbox"}
#: Characters of a name.
_NAME = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class PackReader:
    """What a pack needs to know of whoever asked for it."""

    providers: KnownProviders
    version: str
    #: The id of whoever made it, as in the log.
    actor: str
    #: Their time zone, where it is known; with `here`, it is that of this machine.
    zone_of: tzinfo | None = None
    here: bool = False
    #: What a person in Slack is called, by their id in the log; None where nobody knows.
    name_of: Callable[[str], str | None] = lambda id: None
    #: The names of files that were imported, by the actor of their entries.
    files: Mapping[str, str] = field(default_factory=dict)

    @property
    def made_by(self) -> str:
        return self.person(self.actor)

    def zone(self, at: datetime) -> str:
        """The zone's name; empty where it is UTC, or unknown."""
        if not self.local(at):
            return ""
        named = getattr(self.zone_of, "key", None) or f"{at.astimezone(self.zone_of):%Z}"
        return named if named[:1].isalpha() else f"UTC{named}"

    def local(self, at: datetime) -> str:
        """The time in the other zone, with the day where that is another one."""
        if self.zone_of is None and not self.here:
            return ""
        local, utc = at.astimezone(self.zone_of), at.astimezone(UTC)
        if local.utcoffset() == utc.utcoffset():
            return ""
        named = f"{local:%Z}"
        zone = named if named[:1].isalpha() else f"UTC{named}"
        day = f"{local.day} {local:%B}, " if local.date() != utc.date() else ""
        return f"{day}{local:%H:%M} {zone}"

    def who(self, entry: Entry) -> str:
        """Who made an entry, and from where: "the contact, via Twilio"."""
        who = self.person(entry.actor)
        if not entry.actor.startswith(("slack:", "contact")):
            return who
        kind, _, provider = entry.source.partition(":")
        source = _SOURCES.get(kind) or f"via {self._label(provider or kind)}"
        return f"{who}, {source}"

    def person(self, id: str) -> str:
        """Who acted, without markup."""
        kind, _, name = id.partition(":")
        name = shown(name, _NAME)
        if kind == "slack":
            known = self.name_of(id)
            return f"{shown(known, _NAME)} ({name})" if known else f"Slack user {name}"
        others = {
            "cli": f"{name} at the command line",
            "api": shown(self.providers.program(id), _NAME),
            "import": self._import(id, name),
            "provider": self._label(name),
            "contact": "the contact",
        }
        return others.get(kind, "Optin")

    def _import(self, id: str, name: str) -> str:
        file = self.files.get(id)
        return f"import of the file “{shown(file, _NAME)}”" if file else f"import {name}"

    def _label(self, provider: str) -> str:
        return shown(self.providers.label(provider), _NAME)

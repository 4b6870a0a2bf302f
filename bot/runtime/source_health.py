"""How the messaging providers do, for people in Slack: what `optin doctor` says of each."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.consent.records import KeyValue
from bot.consent.use_cases.lists.list_records import ListState, list_key, state_of
from handlers.slack.blocks.formatting import date, escape, fit
from handlers.webhooks.providers import SPECS
from handlers.webhooks.receiver.provider_health import provider_key, provider_status, read_status
from handlers.webhooks.receiver.provider_words import findings_of

#: Characters of a line; a provider may send long words.
_LONGEST = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderSources:
    """The providers that are on, for `handlers.slack.home.home_tab.Sources`."""

    on: Collection[str]
    #: Those whose suppression lists Optin reads.
    lists: Collection[str] = ()
    now: Callable[[], datetime]

    @property
    def names(self) -> Collection[str]:
        """The stored values that `lines` needs."""
        return [*map(provider_key, self.on), *map(list_key, self.lists)]

    def heard(self, key_value: KeyValue) -> bool:
        """Whether any of them has sent something."""
        return any(provider_status(key_value, name).event_at for name in self.on)

    def lines(self, noted: Mapping[str, str | None]) -> Iterator[str]:
        """A line in mrkdwn for each thing that `optin doctor` says."""
        for name in self.on:
            heard = read_status(noted.get(provider_key(name)))
            for found in findings_of(SPECS[name], heard, self.now(), _marked):
                if found.cure:
                    yield f"🟡 {_mrkdwn(found.what)} {_mrkdwn(found.cure)}"
                else:
                    yield f"✅ {_mrkdwn(found.what)}"
        for name in self.lists:
            text = noted.get(list_key(name))
            yield _list_line(SPECS[name].label, state_of(text) if text else ListState())


def _list_line(label: str, state: ListState) -> str:
    lists = f"{escape(label)}'s suppression lists"
    if state.problem:
        since = f" since {date(state.problem_since)}" if state.problem_since else ""
        return f"🟡 {lists} can't be read or written{since}: {_mrkdwn(state.problem)}"
    if state.finished_at is None:
        return f"🟡 {lists} have not been read yet. Optin reads them within a few minutes."
    read = f"{lists} were read to the end {date(state.finished_at)}."
    differ = state.last_report.theirs_but_yes if state.last_report else 0
    if differ:
        whom = f"{differ:,} addresses" if differ > 1 else "1 address"
        return (
            f"🟡 {read} They have {whom} whose answer in Optin is YES: the alert about the read "
            "has the contacts."
        )
    return f"✅ {read}"


#: A time until the words around it are escaped, some of which are a provider's own.
_TIME = re.compile("\x01([0-9]{1,11})\x01")


def _marked(at: datetime) -> str:
    return f"\x01{int(at.timestamp())}\x01"


def _mrkdwn(text: str) -> str:
    said = escape(fit(" ".join(text.split()), _LONGEST))
    timed = _TIME.sub(lambda found: date(datetime.fromtimestamp(int(found[1]), UTC)), said)
    return timed.replace("\x01", "")

"""Alerts about a provider's suppression lists: what a read found, that the first write waits for a
person, that the provider refuses the key. They name no contact."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from bot.consent.alerts import INSTALLER, Alert, AlertKind, Subject, revise
from bot.consent.model import Channel
from bot.consent.store import Records
from bot.consent.use_cases.context import Service


class ListNewsKind(StrEnum):
    """What an alert about lists says."""

    #: A read found differences.
    DRIFT = "drift"
    #: The first write waits until a person confirms it.
    CONFIRM = "confirm"
    CONFIRMED = "confirmed"
    #: The key belongs to another account, or the lists are empty by now: confirm anew.
    OTHER_LISTS = "other_lists"
    #: Nothing can be read or written.
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListNews:
    """The text of such an alert, as values."""

    kind: ListNewsKind
    #: What people call the provider.
    label: str
    #: Counts of the read, by the names of `DriftReport`; `only_theirs` by cause.
    report: Mapping[str, Any] = field(default_factory=dict)
    problem: str = ""
    #: Whether Optin may write there.
    confirmed: bool = False
    #: Of OTHER_LISTS and CONFIRMED: whether Optin writes there at all.
    writes: bool = True
    by: str = ""
    at: datetime | None = None


def news_of(alert: Alert) -> ListNews:
    """What an alert of the kind LISTS is about."""
    kept = json.loads(alert.text or "{}")
    at = datetime.fromisoformat(kept["at"]) if kept.get("at") else None
    return ListNews(**{**kept, "kind": ListNewsKind(kept["kind"]), "at": at})


def announce(
    service: Service,
    records: Records,
    provider: str,
    news: ListNews,
    now: datetime,
    *,
    contacts: tuple[str, ...] = (),
) -> None:
    """One message for each kind of news and provider on a day; the latest is what it says.
    `contacts` are those whom a person has to look at."""
    key = f"{AlertKind.LISTS}:{provider}:{news.kind}:{now.date()}"
    if news.kind in _CONFIRMABLE:
        key = _confirm_key(provider)
    subject = Subject(channel=Channel.EMAIL, contacts=contacts)
    live = records.outbox.newest_for(key)
    if live is not None and news_of(live).kind is not ListNewsKind.CONFIRMED:
        records.outbox.put(revise(live, text=_text(news), last_at=now, subject=subject))
        return
    records.outbox.put(
        Alert(
            id=secrets.token_hex(16),
            key=key,
            kind=AlertKind.LISTS,
            slack_channel=service.alert_channel or INSTALLER,
            first_at=now,
            last_at=now,
            subject=subject,
            about=provider,
            text=_text(news),
        )
    )


def announce_confirmed(
    records: Records, provider: str, by: str, now: datetime, *, writes: bool
) -> None:
    """Updates the alert that asked for it."""
    alert = records.outbox.newest_for(_confirm_key(provider))
    if alert is not None:
        answer = {"kind": ListNewsKind.CONFIRMED, "by": by, "at": now, "writes": writes}
        asked = asdict(news_of(alert)) | answer
        records.outbox.put(revise(alert, text=_text(ListNews(**asked))))


def announce_problem(
    service: Service, records: Records, provider: str, problem: str, now: datetime
) -> None:
    """That Optin can neither read nor write there, and why."""
    label = service.providers.label(provider)
    news = ListNews(kind=ListNewsKind.PROBLEM, label=label, problem=problem, at=now)
    announce(service, records, provider, news, now)


#: These ask for one and the same confirmation.
_CONFIRMABLE = frozenset({ListNewsKind.CONFIRM, ListNewsKind.OTHER_LISTS})


def _confirm_key(provider: str) -> str:
    return f"{AlertKind.LISTS}:{provider}:{ListNewsKind.CONFIRM}"


def _text(news: ListNews) -> str:
    return json.dumps(asdict(news), default=datetime.isoformat)

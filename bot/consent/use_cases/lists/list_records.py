"""What Optin keeps of one provider's lists: the read that is under way, its report, and who
confirmed the first write."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from typing import Any

from bot.consent.frozen import plain_replace
from bot.consent.records import KeyValue

#: How the names of the states begin.
PREFIX = "list_state:"


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftReport:
    """How a provider's lists and Optin differ, in entries."""

    #: Those that both know.
    on_both: int = 0
    #: Those that only the provider had, by cause: Optin takes them in.
    only_theirs: Mapping[str, int] = field(default_factory=dict)
    #: Of these, addresses whose consent stays YES: a person looks.
    theirs_but_yes: int = 0
    #: Opt-outs that only Optin had: Optin adds them.
    only_ours: int = 0
    #: Entries that Optin believed and the provider does not show any more.
    gone: int = 0

    @property
    def differs(self) -> bool:
        """Whether anything is told of it."""
        return bool(self.only_theirs or self.theirs_but_yes or self.only_ours or self.gone)

    def as_dict(self) -> dict[str, Any]:
        """The counts by name."""
        return asdict(self)

    def plus(self, **more: int | Mapping[str, int]) -> DriftReport:
        """The report with these added."""
        changes: dict[str, Any] = {}
        for name, count in more.items():
            before = getattr(self, name)
            if isinstance(count, Mapping):
                causes = dict.fromkeys((*before, *count))
                changes[name] = {c: before.get(c, 0) + count.get(c, 0) for c in causes}
            else:
                changes[name] = before + count
        return plain_replace(self, **changes)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListState:
    """One provider's lists, as the last job left them."""

    #: Says which account the key belongs to (`ProviderLists.account`); a keyed hash.
    account: str = ""
    #: Who confirmed the first write to the lists of this account, and when.
    confirmed_by: str | None = None
    confirmed_at: datetime | None = None
    #: The read that is under way; empty where none is.
    read_id: str = ""
    began_at: datetime | None = None
    #: From where it goes on; None at its beginning.
    cursor: str | None = None
    pages: int = 0
    #: What it has found so far.
    counts: DriftReport = field(default_factory=DriftReport)
    #: Ids of contacts whose YES stays although the provider suppresses them, the first ten.
    look_at: tuple[str, ...] = ()
    #: Who reads, and until when nobody else does.
    reader: str = ""
    reader_until: datetime | None = None
    #: When the last whole read ended, and what it found.
    finished_at: datetime | None = None
    last_report: DriftReport | None = None
    #: When a read showed none of the entries that Optin knew; None after any other read.
    others_at: datetime | None = None
    #: Who confirmed after that, while Optin writes nothing there, that these are the right lists.
    others_confirmed_by: str | None = None
    #: Why nothing can be read or written now, in words that hold no address, and since when.
    problem: str = ""
    problem_since: datetime | None = None

    @property
    def confirmed(self) -> bool:
        """Whether Optin may write to these lists."""
        return self.confirmed_at is not None

    @property
    def others_confirmed(self) -> bool:
        """Whether a person has confirmed these lists after none of the known entries was there."""
        return self.others_at is not None and (self.confirmed or bool(self.others_confirmed_by))


def list_key(provider: str) -> str:
    """The name of the stored value."""
    return f"{PREFIX}{provider}"


def list_state(key_value: KeyValue, provider: str) -> ListState:
    """The state inside a transaction."""
    text = key_value.get(list_key(provider))
    return state_of(text) if text else ListState()


def put_state(key_value: KeyValue, provider: str, state: ListState) -> None:
    """Replaces the state inside a transaction."""
    text = json.dumps(asdict(state), default=datetime.isoformat)
    key_value.put(list_key(provider), text)


def state_of(text: str) -> ListState:
    """The state that is kept as this text."""
    return _state(json.loads(text))


def _state(kept: dict[str, Any]) -> ListState:
    known = {name: value for name, value in kept.items() if name in _FIELDS}
    for name in _TIMES:
        if known.get(name):
            known[name] = datetime.fromisoformat(known[name])
    for name in ("counts", "last_report"):
        if known.get(name) is not None:
            known[name] = DriftReport(**known[name])
    known["look_at"] = tuple(known.get("look_at", ()))
    return ListState(**known)


_FIELDS = {one.name for one in fields(ListState)}
_TIMES = ("confirmed_at", "began_at", "reader_until", "finished_at", "others_at", "problem_since")

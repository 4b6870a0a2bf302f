"""Whom the newsletter writes to, and whom it holds messages back for."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any


class Medium(StrEnum):
    """How a message goes out, in the words of Optin's API."""

    SMS = "sms"
    EMAIL = "email"

    @property
    def noun(self) -> str:
        return "text" if self is Medium.SMS else "e-mail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscriber:
    """`id` is the contact's id in Optin, which the newsletter's unsubscribe links have, too."""

    id: str
    name: str
    phone: str = ""
    email: str = ""

    def address(self, medium: Medium) -> str:
        """Empty where the subscriber can't be reached this way."""
        return self.phone if medium is Medium.SMS else self.email


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldReason:
    """One gate of Optin's answer: what has to happen, and who does it."""

    code: str
    remedy: str
    owner: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldBack:
    """Why a subscriber gets no messages of one medium. Times are seconds since 1970.

    An event says that the answer is no. Only the next check brings the reasons.
    """

    since: float
    reasons: tuple[HeldReason, ...] = ()
    #: The type of the event, where an event was first to say so.
    event: str = ""


class MailingList:
    """The subscribers, in the order of the list, and a mark for each who is held back."""

    def __init__(self, subscribers: Iterable[Subscriber] = ()) -> None:
        self._subscribers = {one.id: one for one in subscribers}
        self._held: dict[tuple[str, Medium], HeldBack] = {}
        self._newest: dict[tuple[str, Medium], int] = {}

    def __iter__(self) -> Iterator[Subscriber]:
        return iter(self._subscribers.values())

    def get(self, id_: str) -> Subscriber | None:
        return self._subscribers.get(id_)

    def reached_by(self, medium: Medium) -> list[Subscriber]:
        return [one for one in self if one.address(medium)]

    def held(self, one: Subscriber, medium: Medium) -> HeldBack | None:
        return self._held.get((one.id, medium))

    def hold(
        self, one: Subscriber, medium: Medium, reasons: tuple[HeldReason, ...], at: float
    ) -> None:
        """Marks the subscriber as a check answered. A mark that stands already keeps its time."""
        held = self.held(one, medium) or HeldBack(since=at)
        self._held[one.id, medium] = replace(held, reasons=reasons)

    def release(self, one: Subscriber, medium: Medium, as_of: int) -> None:
        """Takes the mark off, as a check answered; `as_of` is the last event that it knew of."""
        place = (one.id, medium)
        if self._newest.get(place, -1) <= as_of:
            self._newest[place] = as_of
            self._held.pop(place, None)

    def follow(self, type_: str, data: Mapping[str, Any], at: float) -> None:
        """Marks the subscriber as a verified event says.

        Webhooks come at least once, and after a retry an older one may come last. The highest
        `seq` of a subscriber wins, and one that the last check knew of changes nothing.
        """
        one, seq = self.get(str(data.get("contact"))), data.get("seq")
        if one is None or not isinstance(seq, int):
            return
        for change in changes_of(data):
            place = (one.id, change.medium)
            if seq <= self._newest.get(place, -1):
                continue
            self._newest[place] = seq
            if change.after == "yes":
                self._held.pop(place, None)
            elif place not in self._held:
                self._held[place] = HeldBack(since=at, event=type_)


@dataclass(frozen=True, slots=True, kw_only=True)
class MediumChange:
    """What an event says of one medium. "yes" lets messages go out; None: Optin gives no answer."""

    medium: Medium
    before: str | None
    after: str | None


def changes_of(data: Mapping[str, Any]) -> list[MediumChange]:
    """The answers that an event changed: {"before": {"sms": "yes"}, "after": {"sms": "no"}}."""
    before, after = data.get("before"), data.get("after")
    if not isinstance(before, Mapping) or not isinstance(after, Mapping):
        return []
    changes = [
        MediumChange(
            medium=medium, before=_word(before.get(medium)), after=_word(after.get(medium))
        )
        for medium in Medium
    ]
    return [change for change in changes if change.before != change.after]


def _word(answer: object) -> str | None:
    return answer if isinstance(answer, str) else None


def event_time(text: object, otherwise: float) -> float:
    """The seconds of an ISO 8601 time; `otherwise` where it is none."""
    try:
        at = datetime.fromisoformat(str(text))
    except ValueError:
        return otherwise
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()

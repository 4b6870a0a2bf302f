"""Re-opt-ins, once more by the rules: rules.md §6 as code that knows nothing of ours.

A case is a dict; it is over when its state is none of OPEN. What a case is told of passes through
`_event`, as everything that the Activity Log has.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from tests.rules_model import No, Person, is_refused
from tests.rules_model_events import RulesOfEvents

FOURTEEN_DAYS, REMINDERS = timedelta(days=14), (timedelta(days=2), timedelta(days=5))
OPEN = ("pending", "approved")

Case = dict[str, Any]


class RulesOfCases(RulesOfEvents):
    """All the rules."""

    def __init__(self) -> None:
        super().__init__()
        #: In the order of their requests.
        self.cases: list[Case] = []
        self.self_approve = False

    # What people do

    def request(
        self, role: str, id: str, channel: str, asked: dict[str, Any], actor: str, now: datetime
    ) -> None:
        self._may(role, "edit")
        person = self._present(id)
        if person[channel] is None:
            raise No("Invalid")
        if not is_refused(self.consent(person, channel)):
            raise No("Refused")
        if not (asked["evidence"] or "").strip():
            raise No("NeedsEvidence")
        agreed = now if asked["ago"] is None else now - asked["ago"]
        if agreed > now:
            raise No("Invalid")
        agreed = min(agreed + asked["precision"], now)
        if agreed <= max(self._refusals(person, channel)):
            raise No("Refused")
        other = self.under_way(person, channel)
        if other is not None:
            if now < other["expires_at"]:
                raise No("Refused")
            self._end(other, "expired", "system", now)
        # The contact's key counts, too, where it was there before anybody asked.
        lifted = self.known(person[channel])["cleared"].values()
        key = max((at for at in lifted if at > max(self._refusals(person, channel))), default=None)
        if self._blocked(person[channel]):
            key = None
        case = {
            "person": id, "channel": channel, "address": person[channel], "by": actor,
            "at": now, "agreed": agreed, "evidence": asked["evidence"].strip(),
            "expires_at": now + FOURTEEN_DAYS, "state": "", "version": 0,
            "decided_by": None, "own": False, "unstopped_at": key, "ended_by": None,
            "ended_at": None, "reminded": 0, "steps": [],
        }  # fmt: skip
        self.cases.append(case)
        self._step(case, "pending", actor, now)

    def approve(self, role: str, n: int, actor: str, version: int, now: datetime) -> bool:
        """Whether it was this that decided."""
        self._may(role, "decide")
        case = self.cases[n]
        own = case["by"] == actor
        if case["state"] == "pending" and own and not self.self_approve:
            raise No("NotAllowed")
        if not self._may_decide(case, version, now):
            return False
        case["own"] = own
        case["decided_by"] = actor
        self._step(case, "approved", actor, now)
        if not self._blocked(case["address"]):
            self._complete(case, now)
        return True

    def deny(self, role: str, n: int, reason: str, actor: str, version: int, now: datetime) -> bool:
        self._may(role, "decide")
        if not reason.strip():
            raise No("Invalid")
        case = self.cases[n]
        if not self._may_decide(case, version, now):
            return False
        case["decided_by"] = actor
        self._end(case, "denied", actor, now)
        return True

    def cancel(self, role: str, n: int, actor: str, now: datetime) -> bool:
        self._may(role, "edit")
        case = self.cases[n]
        if case["by"] != actor:
            self._may(role, "decide")
        if case["state"] not in OPEN:
            return False
        self._end(case, "cancelled", actor, now)
        return True

    def read_reply(self, role: str, address: str, refusal: bool, actor: str, now: datetime) -> None:
        """Somebody says whether a reply that is held was a refusal."""
        self._may(role, "edit")
        since, _ = self.known(address)["hold"]
        for person in self._holders(address):
            here = person["consents"].get(address)
            if refusal and here and here["on"] == "NO" and here["whose"] == "contact":
                self._event(
                    person, "refused again", actor, "person", now,
                    channel="phone", address=address, occurred=since,
                )  # fmt: skip
            elif refusal:
                no = {"on": "NO", "whose": "contact", "since": since, "evidence": None}
                self._consent(person, "phone", address, no, actor, "person", now)
            self._say(address, person, "hold", None)
            self._event(person, "hold", actor, "person", now)

    def erase(self, role: str, id: str, actor: str, now: datetime) -> None:
        super().erase(role, id, actor, now)
        for case in [case for case in self.cases if case["person"] == id]:
            if case["state"] in OPEN:
                self._end(case, "cancelled", actor, now)
            case.update(address="", evidence="", steps=[])
        self.people[id]["events"] = []

    # What time does

    def look_after(self, now: datetime) -> None:
        for case in self.cases:
            if case["state"] in OPEN and now >= case["expires_at"]:
                self._end(case, "expired", "system", now)
            elif case["state"] in OPEN:
                case["reminded"] = len([d for d in REMINDERS if case["at"] + d <= now])

    # What else happens

    def may_return(self, people: list[Person], channel: str) -> bool:
        return any(self.under_way(person, channel) is not None for person in people)

    def lifted(self, people: list[Person], channel: str, at: datetime, now: datetime) -> None:
        for person in people:
            case = self.under_way(person, channel)
            if case is None or self._blocked(case["address"]):
                continue
            case["unstopped_at"] = at
            if case["state"] == "approved" and now >= case["expires_at"]:
                self._end(case, "expired", "system", now)
            elif case["state"] == "approved":
                self._complete(case, now)

    def under_way(self, person: Person, channel: str) -> Case | None:
        found = [
            case
            for case in self.cases
            if (case["person"], case["channel"]) == (person["id"], channel)
            and case["state"] in OPEN
        ]
        assert len(found) <= 1
        return found[0] if found else None

    def _event(self, person: Person, what: str, actor: str, hand: str, now: datetime, **more: Any):
        super()._event(person, what, actor, hand, now, **more)
        who = "contact" if (what, hand) == ("refused again", "provider") else actor
        for channel in ("phone", "email"):
            case = self.under_way(person, channel)
            if case is None:
                continue
            if person[channel] != case["address"]:
                self._end(case, "cancelled", who, now)
                continue
            if (more.get("channel"), more.get("address")) != (channel, case["address"]):
                continue
            again = None
            if what == "refused again":
                again = more.get("occurred", now)
            elif what == "consent" and is_refused(more["after"]):
                again = more["after"]["since"]
            elif what == "consent":
                self._end(case, "cancelled", who, now)
            if again is not None and again >= case["agreed"]:
                self._end(case, "overtaken", who, now)

    # Inside

    def _may_decide(self, case: Case, version: int, now: datetime) -> bool:
        if case["state"] != "pending":
            return False
        if now >= case["expires_at"]:
            self._end(case, "expired", "system", now)
            return False
        if version != case["version"]:
            raise No("Changed")
        return True

    def _refusals(self, person: Person, channel: str) -> list[datetime]:
        """When the person refused at the present address, as far as anybody has told."""
        times = [self.consent(person, channel)["since"]]
        for event in person["events"]:
            if (event.get("channel"), event.get("address")) != (channel, person[channel]):
                continue
            if event["what"] == "refused again":
                times.append(event.get("occurred", event["at"]))
            elif event["what"] == "consent" and is_refused(event["after"]):
                times.append(event["after"]["since"])
        return times

    def _blocked(self, address: str) -> bool:
        return any(state == "blocked" for state, _ in self.known(address)["blocks"].values())

    def _complete(self, case: Case, now: datetime) -> None:
        """Both keys are there: YES, in the manager's name, as old as the permission."""
        manager, person = case["decided_by"], self.people[case["person"]]
        self._end(case, "completed", manager, now)
        yes = {
            "on": "YES", "whose": "contact", "since": case["agreed"], "evidence": case["evidence"],
        }  # fmt: skip
        self._consent(person, case["channel"], case["address"], yes, manager, "person", now)

    def _end(self, case: Case, state: str, actor: str, now: datetime) -> None:
        case.update(ended_by=actor, ended_at=now)
        self._step(case, state, actor, now)

    def _step(self, case: Case, state: str, actor: str, now: datetime) -> None:
        """One line of the log, and one version more of the case, not of the contact."""
        case["steps"].append((case["state"], state, actor))
        case["state"] = state
        case["version"] += 1
        super()._event(self.people[case["person"]], "case", actor, "person", now)

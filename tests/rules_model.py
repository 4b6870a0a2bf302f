"""The rules once more, written from the design and not from the code: plain dicts, no hurry.

A person is a dict; a consent is a dict of on, whose, since, evidence, actor. Every operation either
raises `No` with the name of the refusal, and has changed nothing, or changes the dicts and says in
`entries` how many lines the Activity Log has grown by.
"""

from __future__ import annotations

from copy import deepcopy
from datetime import datetime, timedelta
from typing import Any

FIFTEEN_MINUTES = timedelta(minutes=15)
ASKED = {None, "Asked by phone", "Asked by e-mail", "Asked in person", "Web form", "said so"}
LANDLINES = {"+442079460958"}

MAY = {
    "nobody": set(),
    "agent": {"edit"},
    "manager": {"edit", "lift", "decide"},
    "operator": {"edit", "lift", "decide", "import", "erase"},
}

#: On, block, bounce | why not, and who has to act. Word by word from the design.
TWELVE_ROWS = """
YES    none     no   |
YES    none     yes  |  bounced:agent
YES    blocked  no   |  blocked:contact
YES    blocked  yes  |  blocked:contact  bounced:agent
NO     none     no   |  opted_out:whose
NO     none     yes  |  opted_out:whose  bounced:agent
NO     blocked  no   |  opted_out:whose  blocked:contact
NO     blocked  yes  |  opted_out:whose  blocked:contact  bounced:agent
UNSET  none     no   |  never_asked:agent
UNSET  none     yes  |  never_asked:agent  bounced:agent
UNSET  blocked  no   |  never_asked:agent  blocked:contact
UNSET  blocked  yes  |  never_asked:agent  blocked:contact  bounced:agent
"""

Person = dict[str, Any]
UNSET: dict[str, Any] = {"on": "UNSET", "whose": None, "since": None, "evidence": None}


class No(Exception):
    """The rules refuse this."""


class Rules:
    def __init__(self) -> None:
        self.people: dict[str, Person] = {}
        #: What the log tells of an address, line by line, and on whom. Of nobody's under `#`.
        self.told: dict[str, list[tuple[str | None, str, Any]]] = {}
        #: Of each import: whether it was undone.
        self.imports: dict[str, bool] = {}
        self.entries = 0

    # What people see

    def consent(self, person: Person, channel: str) -> dict[str, Any]:
        address = person[channel]
        return person["consents"].get(address, UNSET) if address else UNSET

    def known(self, address: str) -> dict[str, Any]:
        return fold(self.told.get(address, []))

    def answer(
        self, person: Person, channel: str, sender: str | None = None
    ) -> tuple[str, dict[str, str]]:
        """The answer, and each reason why not with who has to act: the table of twelve, and what
        lies on top."""
        if person["erased"]:
            return "no", {"erased": "operator"}
        gates = {"do_not_contact": "manager"} if person["dnc"] else {}
        address = person[channel]
        if address is None:
            return "no", gates | {"no_address": "agent"}
        consent, known = self.consent(person, channel), self.known(address)
        states = {
            state
            for ours, (state, _) in known["blocks"].items()
            if channel == "email" or sender in (None, ours)
        }
        block = "blocked" if "blocked" in states else "none"
        bounce = "yes" if known["bounce"] == "YES" else "no"
        for gate, who in row(consent["on"], block, bounce).items():
            if gate == "opted_out":
                gates[gate] = "manager" if is_refused(consent) else "agent"
            elif gate == "blocked" and channel == "phone":
                gates["carrier_block"] = who
            elif gate == "blocked":
                gates["suppressed"] = "operator"
            elif gate == "bounced" and known["complaint"]:
                gates["complaint"] = "manager"
            else:
                gates[gate] = who
        if address in LANDLINES:
            gates["invalid_address"] = "agent"
        if known["hold"]:
            gates["review_hold"] = "agent"
        unsure = {"probation": "agent"} if known["bounce"] == "PROBATION" else {}
        if "unknown" in states:
            unsure["block_unknown"] = "agent" if channel == "phone" else "operator"
        if gates:
            return "no", gates | unsure
        return ("unverified", unsure) if unsure else ("yes", {})

    # What people do

    def add(self, role: str, id: str, fields: dict[str, Any], actor: str, now: datetime) -> None:
        self._may(role, "edit")
        self._whole(fields)
        for channel in ("phone", "email"):
            address = fields.get(channel)
            if address and any(_same_name(p, fields) for p in self._holders(address)):
                raise No("Refused")
        self._external_id_is_free(fields)
        self._create(id, fields, actor, "person", now)

    def edit(self, role: str, id: str, fields: dict[str, Any], actor: str, now: datetime) -> None:
        self._may(role, "edit")
        person = self._present(id)
        self._whole(
            {k: fields.get(k, person[k]) for k in ("name", "phone", "email", "external_id")}
            | {"unreadable": fields.pop("unreadable", False)}
        )
        if fields.get("external_id", person["external_id"]) != person["external_id"]:
            self._external_id_is_free(fields)
        self._update(person, fields, actor, "person", now)

    def change(
        self, role: str, id: str, wish: dict[str, Any], actor: str, stale: bool, now: datetime
    ) -> None:
        self._may(role, "edit")
        self._present(id)
        if stale:
            outs = {k: "NO" for k in ("phone", "email") if wish.get(k) == "NO"}
            wish = {"reason": wish["reason"], "evidence": wish["evidence"], **outs} | (
                {"dnc": True} if wish.get("dnc") else {}
            )
        before = deepcopy(self.__dict__)
        try:
            self._change(role, self.people[id], wish, actor, now)
        except No:
            self.__dict__ = before
            raise

    def note(self, role: str, id: str, actor: str, now: datetime) -> None:
        self._may(role, "edit")
        self._event(self._present(id), "note", actor, "person", now)

    def undo(self, role: str, id: str, channel: str, actor: str, now: datetime) -> None:
        self._may(role, "edit")
        person = self._present(id)
        told = [e for e in person["events"] if e["what"] == "consent" and e["channel"] == channel]
        if not told or told[-1]["address"] != person[channel]:
            raise No("Refused")
        slip = told[-1]
        if (slip["before"]["on"], slip["after"]["on"]) != ("YES", "NO") or slip["actor"] != actor:
            raise No("Refused")
        if now - slip["at"] > FIFTEEN_MINUTES:
            raise No("TooLate")
        after = person["events"][person["events"].index(slip) :]
        if any(
            (e["what"] == "refused again" and e["channel"] == channel) or e.get("theirs") == channel
            for e in after
        ):
            raise No("Refused")
        self._consent(person, channel, slip["address"], slip["before"], actor, "person", now)

    def erase(self, role: str, id: str, actor: str, now: datetime) -> None:
        self._may(role, "erase")
        person = self._present(id)
        for address in sorted(person["ever"]):
            self._keep_refusal(person, address, now)
            self._forget(person, address)
        person.update(
            name="", phone=None, email=None, external_id="", dnc=False, erased=True,
            consents={}, events=[], ever=set(), stops=[], expected=[],
            version=person["version"] + 1,
        )  # fmt: skip
        self.entries += 1

    # What files do

    def match(self, row: dict[str, Any]) -> Person | None:
        for person in self.people.values():
            if row.get("external_id") and person["external_id"] == row["external_id"]:
                return person
        for channel in ("phone", "email"):
            for person in self._holders(row.get(channel)):
                if row.get("external_id") and person["external_id"]:
                    continue
                both = row.get("phone") and row.get("email")
                same = (person["phone"], person["email"]) == (row.get("phone"), row.get("email"))
                if _same_name(person, row) or (both and same):
                    return person
        return None

    def take(self, importer: str, row: dict[str, Any], new_id: str, now: datetime) -> None:
        """One good row of a file."""
        fields = {k: row[k] for k in ("name", "phone", "email", "external_id") if row.get(k)}
        person = self.match(row)
        if person is None:
            person = self._create(new_id, fields, importer, importer, now)
        else:
            self._update(person, fields, importer, importer, now)
        for channel, wanted in (("phone", row["sms_on"]), ("email", row["email_on"])):
            self._take_consent(person, channel, wanted, row, importer, now)
        for channel, bounced in (("phone", row["sms_bounce"]), ("email", row["email_bounce"])):
            address = person[channel]
            was = self.known(address)["bounce"] if address else None
            if bounced and was in ("NO", "PROBATION"):
                self._bounce(address, "YES", importer, importer, now, was=was)

    def undo_import(self, importer: str, actor: str, now: datetime) -> None:
        theirs = {
            id: [e for e in person["events"] if e["actor"] == importer]
            for id, person in self.people.items()
        }
        touched = [id for id, ours in theirs.items() if ours and not self.people[id]["erased"]]
        for id in sorted(touched, key=lambda id: -theirs[id][-1]["seq"]):
            person, ours = self.people[id], theirs[id]
            for event in reversed(ours):
                known = self.known(event["address"]) if event["what"] == "bounce" else {}
                if known and (known["bounce"], known["bounced_at"]) == ("YES", event["at"]):
                    self._bounce(
                        event["address"], event["before"], actor, "undo", now, former=person
                    )
            hands = {e["hand"] for e in person["events"]} - {"undo", "system"}
            if any(e["what"] == "added" for e in ours) and hands == {importer}:
                del self.people[id]
                self.entries += 1
                continue
            self._undo_consents(person, importer, actor, now)
            self._undo_fields(person, ours, actor, now)
        self.imports[importer] = True
        self.entries += 1

    # Inside

    def may_return(self, people: list[Person], channel: str) -> bool:
        """Whether a re-opt-in is under way for any of them."""
        return False

    def _may(self, role: str, action: str) -> None:
        if action not in MAY[role]:
            raise No("NotAllowed")

    def _present(self, id: str) -> Person:
        if id not in self.people:
            raise No("NotFound")
        if self.people[id]["erased"]:
            raise No("Refused")
        return self.people[id]

    def _holders(self, address: str | None) -> list[Person]:
        return [p for p in self.people.values() if address and address in (p["phone"], p["email"])]

    def _whole(self, fields: dict[str, Any]) -> None:
        if fields.get("unreadable"):
            raise No("Invalid")
        if not fields.get("name") or not (fields.get("phone") or fields.get("email")):
            raise No("Invalid")

    def _external_id_is_free(self, fields: dict[str, Any]) -> None:
        wanted = fields.get("external_id")
        if wanted and any(p["external_id"] == wanted for p in self.people.values()):
            raise No("Refused")

    def _event(self, person: Person, what: str, actor: str, hand: str, now: datetime, **more: Any):
        person["events"].append(
            {"what": what, "actor": actor, "hand": hand, "at": now, "seq": self.entries, **more}
        )
        person["version"] += what not in ("note", "refused again", "expected", "case")
        self.entries += 1

    def _create(
        self, id: str, fields: dict[str, Any], actor: str, hand: str, now: datetime
    ) -> Person:
        person: Person = {
            "id": id, "name": "", "phone": None, "email": None, "external_id": "",
            "dnc": False, "erased": False, "consents": {}, "version": 0, "events": [],
            "ever": set(), "stops": [], "expected": [],
        }  # fmt: skip
        person |= {k: v for k, v in fields.items() if v}
        self.people[id] = person
        self._event(person, "added", actor, hand, now)
        self._arrive(person, ("phone", "email"), now)
        return person

    def _update(
        self, person: Person, fields: dict[str, Any], actor: str, hand: str, now: datetime
    ) -> None:
        was = {k: (person[k], v) for k, v in fields.items() if v != person[k]}
        if not was:
            return
        person |= fields
        self._event(person, "fields", actor, hand, now, was=was)
        self._arrive(person, [c for c in ("phone", "email") if c in was], now)

    def _arrive(self, person: Person, channels: Any, now: datetime) -> None:
        """Who comes to an address that a person refused who was erased since is refused there,
        unless they agreed there later."""
        for channel in channels:
            address = person[channel]
            if address is None:
                continue
            person["ever"].add(address)
            here = person["consents"].get(address, UNSET)
            kept, found = self.known(f"#{address}"), self.known(address)
            refused = kept["refusal"]
            if refused and not is_refused(here) and not (here["since"] and here["since"] > refused):
                no = {"on": "NO", "whose": "contact", "since": refused, "evidence": None}
                self._consent(person, channel, address, no, "system", "system", now)
            for sender in {**kept["blocks"], **kept["cleared"]}:
                state, since = block_in(kept, sender)
                there, there_since = block_in(found, sender)
                if there == "blocked" and state == "unknown":
                    state = "blocked"
                tie = since == there_since and there == "none" and state != "none"
                if there_since is None or since > there_since or tie:
                    self._say(address, person, "block", (sender, state, since))
                    self._event(person, "block", "system", "system", now)
            if kept["hold"] and not found["hold"]:
                self._say(f"#{address}", None, "hold", None)
                self.entries += 1
                self._say(address, person, "hold", kept["hold"])
                self._event(person, "hold", "system", "system", now)

    def _consent(
        self, person: Person, channel: str, address: str, consent: dict[str, Any], actor: str,
        hand: str, now: datetime,
    ) -> None:  # fmt: skip
        before = person["consents"].get(address, UNSET)
        after = {**consent, "actor": actor} if consent["on"] != "UNSET" else {**UNSET}
        person["consents"][address] = after
        self._event(
            person, "consent", actor, hand, now,
            channel=channel, address=address, before=before, after=after,
        )  # fmt: skip

    def _say(self, address: str, person: Person | None, what: str, value: Any) -> None:
        """A line of the log about an address, logged on this person."""
        self.told.setdefault(address, []).append((person["id"] if person else None, what, value))

    def _bounce(
        self, address: str, state: str, actor: str, hand: str, now: datetime,
        was: str | None = None, former: Person | None = None,
    ) -> None:  # fmt: skip
        """A bounce belongs to the address and is logged with everybody who has it."""
        for person in self._holders(address) or [former]:
            assert person is not None
            self._say(address, person, "bounce", (state, now, False))
            self._event(person, "bounce", actor, hand, now, address=address, before=was)

    def _change(
        self, role: str, person: Person, wish: dict[str, Any], actor: str, now: datetime
    ) -> None:
        for channel in ("phone", "email"):
            if wish.get(channel):
                self._set(person, channel, wish, actor, now)
        for channel in wish.get("clear", ()):
            address = person[channel]
            known = self.known(address) if address else {"bounce": "NO"}
            if known["bounce"] == "YES":
                if known["complaint"]:
                    self._may(role, "lift")
                self._bounce(address, "PROBATION", actor, "person", now)
        if wish.get("dnc") is not None and wish["dnc"] != person["dnc"]:
            if not wish["dnc"]:
                self._may(role, "lift")
            person["dnc"] = wish["dnc"]
            self._event(person, "dnc", actor, "person", now)
        if wish.get("note"):
            self._event(person, "note", actor, "person", now)

    def _set(
        self, person: Person, channel: str, wish: dict[str, Any], actor: str, now: datetime
    ) -> None:
        address, current = person[channel], self.consent(person, channel)
        if address is None:
            raise No("Invalid")
        if wish[channel] == "NO":
            whose = "contact" if wish["reason"] in ASKED else "staff"
            if current["on"] == "NO" and (whose == "staff" or current["whose"] == "contact"):
                if whose == "contact":
                    self._again(person, channel, current, actor, "person", now)
                return
            no = {"on": "NO", "whose": whose, "since": now, "evidence": None}
            self._consent(person, channel, address, no, actor, "person", now)
            return
        proof = wish["evidence"].strip() if wish["evidence"] else None
        if current["on"] == "YES" and (current["evidence"] or not proof):
            return
        if is_refused(current):
            raise No("NeedsManager")
        if not proof:
            raise No("NeedsEvidence")
        yes = {"on": "YES", "whose": "contact", "since": now, "evidence": proof}
        self._consent(person, channel, address, yes, actor, "person", now)

    def _again(
        self, person: Person, channel: str, current: dict[str, Any], actor: str, hand: str,
        now: datetime,
    ) -> None:  # fmt: skip
        """A refusal upon a refusal that its author may still undo: told, so that it can't be; or
        while a re-opt-in is under way."""
        fresh = current["whose"] == "contact" and now - current["since"] <= FIFTEEN_MINUTES
        if (fresh and current["actor"] != actor) or self.may_return([person], channel):
            self._event(
                person, "refused again", actor, hand, now,
                channel=channel, address=person[channel],
            )  # fmt: skip

    def _take_consent(
        self, person: Person, channel: str, wanted: str, row: dict[str, Any], importer: str,
        now: datetime,
    ) -> None:  # fmt: skip
        address, current = person[channel], self.consent(person, channel)
        proof = (row["evidence"] or "").strip() or None
        if address is None or wanted == "UNSET":
            return
        if wanted == "NO":
            if not is_refused(current):
                no = {"on": "NO", "whose": "import", "since": now, "evidence": None}
                self._consent(person, channel, address, no, importer, importer, now)
            else:
                self._again(person, channel, current, importer, importer, now)
            return
        others = [p for p in self._holders(address) if p is not person]
        if any(p["dnc"] or is_refused(p["consents"].get(address, UNSET)) for p in others):
            return
        if current["on"] == "UNSET" or (
            current["on"] == "YES" and not current["evidence"] and proof
        ):
            since = row["evidence_at"] or now
            yes = {"on": "YES", "whose": "import", "since": since, "evidence": proof}
            self._consent(person, channel, address, yes, importer, importer, now)

    def _undo_consents(self, person: Person, importer: str, actor: str, now: datetime) -> None:
        """Back to before the import's own unbroken run of changes at each address."""
        for address in list(person["consents"]):
            here = [e for e in person["events"] if e.get("address") == address]
            run = []
            for event in reversed(here):
                if event["what"] == "refused again":
                    break
                if event["what"] == "consent":
                    if event["actor"] != importer:
                        break
                    run.append(event)
            if run:
                before = run[-1]["before"]
                channel = run[-1]["channel"]
                self._consent(person, channel, address, before, actor, "undo", now)

    def _undo_fields(
        self, person: Person, ours: list[dict[str, Any]], actor: str, now: datetime
    ) -> None:
        for event in reversed(ours):
            if event["what"] != "fields":
                continue
            back = {k: was for k, (was, is_) in event["was"].items() if person[k] == is_}
            would_be = {**person, **back}
            if would_be["phone"] or would_be["email"]:
                self._update(person, back, actor, "undo", now)

    def _keep_refusal(self, person: Person, address: str, now: datetime) -> None:
        consent = person["consents"].get(address, UNSET)
        since = consent["since"] if is_refused(consent) else None
        if since is None and person["dnc"] and address in (person["phone"], person["email"]):
            since = now
        hold = self.known(address)["hold"]
        if since is None and hold and not self._others(person, address):
            since = hold[0]
        kept = self.known(f"#{address}")["refusal"]
        if since and not (kept and kept >= since):
            self._say(f"#{address}", None, "refusal", since)
            self.entries += 1

    def _others(self, person: Person, address: str) -> list[Person]:
        return [p for p in self._holders(address) if p is not person]

    def _forget(self, person: Person, address: str) -> None:
        """What is known stays with the address while somebody has it, and goes with the last, but
        for the blocks, which nobody's hash keeps."""
        known = self.known(address)
        self.told[address] = [t for t in self.told.get(address, []) if t[0] != person["id"]]
        others = self._others(person, address)
        if others:
            for what, value in missing(known, self.known(address)):
                self._say(address, others[0], what, value)
                theirs = "phone" if "@" not in address else "email"
                complaint = what == "bounce" and value[2]
                others[0]["events"].append(
                    {"what": "restated", "actor": "eraser", "hand": "person", "at": None}
                    | ({"theirs": theirs} if complaint else {})
                )
                others[0]["version"] += 1
                self.entries += 1
            return
        for sender in {**known["blocks"], **known["cleared"]}:
            self._say(f"#{address}", None, "block", (sender, *block_in(known, sender)))
            self.entries += 1


def fold(told: list[tuple[str | None, str, Any]]) -> dict[str, Any]:
    """What is known of an address when the log tells this of it, oldest first."""
    known: dict[str, Any] = {
        "bounce": "NO", "bounced_at": None, "complaint": False, "soft": [],
        "blocks": {}, "cleared": {}, "hold": None, "refusal": None,
    }  # fmt: skip
    for _, what, value in told:
        if what == "bounce":
            state, at, complaint = value
            known |= {"bounce": state, "bounced_at": None if state == "NO" else at, "soft": []}
            known["complaint"] = complaint and state == "YES"
        elif what == "soft":
            count, at = value
            soft = known["soft"]
            known["soft"] = sorted([*soft, at]) if count > len(soft) else soft[len(soft) - count :]
        elif what == "block":
            sender, state, since = value
            known["blocks"].pop(sender, None)
            if state == "none":
                known["cleared"][sender] = since
            else:
                known["blocks"][sender] = (state, since)
        elif what == "stop again":
            sender, at = value
            state, since = known["blocks"].get(sender, ("none", at))
            if since < at:
                known["blocks"][sender] = (state, at)
        else:
            known[what] = value
    return known


def block_in(known: dict[str, Any], sender: str) -> tuple[str, datetime | None]:
    return known["blocks"].get(sender) or ("none", known["cleared"].get(sender))


def missing(known: dict[str, Any], left: dict[str, Any]) -> list[tuple[str, Any]]:
    """What has to be told again when only `left` is told any more."""
    told: list[tuple[str, Any]] = []
    for sender in {**left["blocks"], **left["cleared"], **known["blocks"], **known["cleared"]}:
        before, block = left["blocks"].get(sender), known["blocks"].get(sender)
        lifted = known["cleared"].get(sender)
        if lifted and (lifted != left["cleared"].get(sender) or (before and not block)):
            told.append(("block", (sender, "none", lifted)))
            before = None
        if block and block != before:
            told.append(("block", (sender, *block)))
    if any(known[k] != left[k] for k in ("bounce", "bounced_at", "complaint", "soft")):
        told.append(("bounce", (known["bounce"], known["bounced_at"], known["complaint"])))
        told += [("soft", (n, at)) for n, at in enumerate(known["soft"], 1)]
    if known["hold"] != left["hold"]:
        told.append(("hold", known["hold"]))
    return told


def row(on: str, block: str, bounce: str) -> dict[str, str]:
    """Of the table of twelve: why not, and who has to act."""
    for line in TWELVE_ROWS.strip().splitlines():
        facts, _, reasons = line.partition("|")
        if facts.split() == [on, block, bounce]:
            return dict(reason.split(":") for reason in reasons.split())
    raise AssertionError("the table has every row")


def _same_name(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """But for case, accents, spaces and punctuation."""
    names = [one["name"].lower().replace("ó", "o"), other["name"].lower().replace("ó", "o")]
    return len({"".join(filter(str.isalnum, name)) for name in names}) == 1


def is_refused(consent: dict[str, Any]) -> bool:
    return consent["on"] == "NO" and consent["whose"] != "staff"

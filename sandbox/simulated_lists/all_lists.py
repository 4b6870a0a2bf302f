"""The lists of all providers, and what tests and the demo put on them."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sandbox.sandbox_errors import Impossible
from sandbox.simulated_lists.entry_list import ListedEntry
from sandbox.simulated_lists.list_api import SimulatedListApi
from sandbox.simulated_lists.list_call import CallKind
from sandbox.simulated_lists.mailgun_lists import SimulatedMailgun
from sandbox.simulated_lists.postmark_lists import SimulatedPostmark
from sandbox.simulated_lists.resend_lists import SimulatedResend
from sandbox.simulated_lists.sendgrid_lists import SimulatedSendGrid
from sandbox.simulated_lists.ses_lists import SimulatedSes
from sandbox.simulated_lists.telnyx_optouts import SimulatedTelnyx
from sandbox.simulated_lists.twilio_consents import SimulatedTwilioConsents
from sandbox.workspace_state import World


class SimulatedLists:
    """One account at each provider."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.sendgrid = SimulatedSendGrid()
        apis: tuple[SimulatedListApi, ...] = (
            self.sendgrid,
            SimulatedMailgun(),
            SimulatedPostmark(),
            SimulatedResend(),
            SimulatedSes(),
            SimulatedTelnyx(),
            SimulatedTwilioConsents(),
        )
        self._apis = {api.name: api for api in apis}

    def __iter__(self) -> Iterator[SimulatedListApi]:
        return iter(self._apis.values())

    def named(self, name: str) -> SimulatedListApi:
        """Raises Impossible."""
        try:
            return self._apis[name]
        except KeyError:
            raise Impossible(f"There are no lists of {name}.") from None

    def now(self) -> float:
        return self._world.clock().timestamp()

    def changed(self) -> None:
        """Tells the pages that something stands on a list, or no longer does."""
        self._world.changed("outside")

    def settle(self, name: str, body: Mapping[str, Any]) -> None:
        """What POST /sandbox/lists/<name> asks for, in this order: `clear`, `keys` (scopes by key,
        None for all), `rate` ([calls, seconds] or None), `fail` (how often by address), `delay`
        (seconds), what the provider has besides, `generate`, `entries`, `remove`, `reset_calls`.
        Raises Impossible."""
        api = self.named(name)
        try:
            self._settle(api, body)
        except KeyError as missing:
            raise Impossible(f"The lists of {name} need {missing}.") from None
        except (AttributeError, TypeError, ValueError) as wrong:
            raise Impossible(f"The lists of {name} can't be read: {wrong}.") from None
        self.changed()

    def _settle(self, api: SimulatedListApi, body: Mapping[str, Any]) -> None:
        if body.get("clear"):
            api.clear()
        if "keys" in body:
            api.keys = {
                key: frozenset(["*"] if scopes is None else scopes)
                for key, scopes in body["keys"].items()
            }
        if "rate" in body:
            api.rate = (int(body["rate"][0]), float(body["rate"][1])) if body["rate"] else None
        api.failing.update(body.get("fail", {}))
        api.delay = float(body.get("delay", api.delay))
        api.settings(body)
        if wanted := body.get("generate"):
            api.listed(wanted["list"]).load(self._generated(wanted))
        for one in body.get("entries", ()):
            facts = {k: v for k, v in one.items() if k not in ("list", "address", "at")}
            at = float(one.get("at") or self.now())
            entry = ListedEntry(address=one["address"], at=at, facts=facts)
            api.listed(one["list"]).add(entry)
        for one in body.get("remove", ()):
            api.listed(one["list"]).remove(one["address"])
        if body.get("reset_calls"):
            api.calls.clear()
            api.statuses.clear()
            api.emptied = 0

    def _generated(self, wanted: Mapping[str, Any]) -> Iterable[ListedEntry]:
        """{"list", "count", "address"?: "contact{}@example.com"}: a second between each and the
        next, the last one now."""
        count, now = int(wanted["count"]), float(int(self.now()))
        form = str(wanted.get("address", "contact{}@example.com"))
        for number in range(1, count + 1):
            yield ListedEntry(address=form.format(number), at=now - (count - number))


def summary(api: SimulatedListApi) -> dict[str, Any]:
    """How many there are on each list, and what was asked."""
    totals = dict.fromkeys(CallKind, 0)
    for (kind, _), count in api.calls.items():
        totals[kind] += count
    return {
        "lists": {name: len(listed) for name, listed in api.lists.items()},
        "calls": totals,
        "statuses": {str(status): count for status, count in sorted(api.statuses.items())},
        "emptied": api.emptied,
    }


def in_full(api: SimulatedListApi, address: str) -> dict[str, Any]:
    """The entries, and the calls about each address by their kind."""
    calls: dict[str, dict[str, int]] = {kind: {} for kind in CallKind}
    for (kind, one), count in api.calls.items():
        if one and (not address or one == address.casefold()):
            calls[kind][one] = count
    entries = [
        {**entry.facts, "list": name, "address": entry.address, "at": entry.at}
        for name, entry in api.entries(address)
    ]
    return {**summary(api), "entries": entries, "calls_about": calls}

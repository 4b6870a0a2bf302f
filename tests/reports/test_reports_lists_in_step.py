"""Cases D17 and D18 of the public reports with the providers' lists on: signed webhooks in, the
command line, and the provider's lists over HTTP. They end without an operator."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from bot.consent.known_providers import KnownProviders
from bot.runtime.read_settings import read_settings
from handlers.suppression_lists.write_worker import WriteWorker
from handlers.webhooks.registry import list_clients
from sandbox.client import Workspace
from sandbox.client.lists_client import ListsClient
from tests.support.list_clients_fixtures import SWITCHES
from tests.support.reports_fixtures import MAILBOX, Product, Starter, gates

#: By provider: where it keeps them, and what else it says of an entry.
UNSUBSCRIBES: Mapping[str, tuple[str, dict[str, Any]]] = {
    "sendgrid": ("unsubscribes", {}),
    "mailgun": ("mg.example.com/unsubscribes", {}),
    "postmark": ("broadcast", {"SuppressionReason": "ManualSuppression", "Origin": "Recipient"}),
}
BOUNCES: Mapping[str, tuple[str, dict[str, Any]]] = {
    "sendgrid": ("bounces", {}),
    "mailgun": ("mg.example.com/bounces", {}),
    "postmark": ("broadcast", {"SuppressionReason": "HardBounce", "Origin": "Recipient"}),
    "resend": ("suppressions", {"origin": "bounce"}),
    "ses": ("suppression", {"Reason": "BOUNCE"}),
}


@dataclass(kw_only=True)
class Listed:
    """A product, and one provider's lists."""

    product: Product
    there: ListsClient
    worker: WriteWorker

    def put(self, place: tuple[str, dict[str, Any]]) -> None:
        """The provider puts the mailbox on a list."""
        list_, facts = place
        self.there.add(list_, MAILBOX, at=self.product.seconds, **facts)

    def work(self) -> None:
        """The worker beside the server, for some minutes."""
        for _ in range(4):
            while self.worker.step():
                pass
            self.product.wait(minutes=1)


@pytest.fixture
def start(launch: Starter) -> Iterator[Callable[[str], Listed]]:
    with Workspace.start(mode="socket") as workspace:

        def started(by: str) -> Listed:
            there = workspace.lists(by)
            there.settle(delay=0)  # the product's clock stands still
            settings = {name: value.format(url=there.url) for name, value in SWITCHES[by].items()}
            product = launch(**settings, OPTIN_WRITE_BACK="yes")
            # The first read, and the yes to writes.
            product.done("sync", by, "--yes")
            lists = list_clients(read_settings(settings).providers)
            worker = WriteWorker(product.bot.service, lists, chance=lambda: 0.5)
            return Listed(product=product, there=there, worker=worker)

        yield started


@pytest.mark.parametrize("by", UNSUBSCRIBES)
def test_a_re_opt_in_turns_green_when_a_look_at_the_list_confirms_it(
    start: Callable[[str], Listed], by: str
) -> None:
    listed = start(by)
    product = listed.product
    ana = product.add(email=MAILBOX)
    product.mail("unsubscribe", by=by)
    listed.put(UNSUBSCRIBES[by])
    said = product.approve_re_opt_in(ana, "email")

    # The approval says so, and the card is not green.
    label = KnownProviders.label(product.bot.service.providers, by)
    assert f"☐ Optin: Optin takes the address off {label}'s suppression list." in said
    email = product.email(ana)
    assert (email["answer"], email["on"]) == ("no", "YES")
    assert gates(email) == [("suppressed", "operator")]
    listed.work()
    assert listed.there.entries(MAILBOX) == []
    assert product.email(ana)["answer"] == "yes"
    assert "Email ✅" in product.card(ana)
    # A message that the old entry stopped is told late, and is no new opt-out.
    assert listed.there.emptied == 0
    product.check()


@pytest.mark.parametrize("by", BOUNCES)
def test_a_cleared_bounce_goes_from_the_providers_list(
    start: Callable[[str], Listed], by: str
) -> None:
    listed = start(by)
    product = listed.product
    ana = product.add(email=MAILBOX)
    product.mail("bounce", by=by)
    listed.put(BOUNCES[by])
    product.wait(hours=1)
    product.done("set", ana, "--clear-bounce=email", "--reason=Typo mended", "--evidence=Call")
    # The test message comes before the entry is gone, and the provider drops it.
    product.mail("dropped", by=by)
    listed.work()

    assert listed.there.entries(MAILBOX) == []
    email = product.email(ana)
    assert gates(email) == [("probation", "agent")]
    assert email["answer"] == "unverified"
    product.wait(hours=1)
    product.mail("delivered", by=by)
    assert product.email(ana)["answer"] == "yes"
    assert listed.there.emptied == 0
    product.check()

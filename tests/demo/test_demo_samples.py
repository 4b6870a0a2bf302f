"""The sample contacts of the demo: their past, and what its tour needs of them."""

from __future__ import annotations

from bot.consent.use_cases import Service, find, verify
from bot.demo.samples import fill
from bot.demo.tour import IN_THE_TOUR, TOUR
from tests.support.consent_fixtures import AGENT


def test_the_entries_of_the_samples_stand_in_the_order_of_time(service: Service) -> None:
    fill(service)
    with service.store.reading() as records:
        times = [entry.recorded_at for entry in records.log.all()]

    assert times == sorted(times)
    assert times[-1] < service.now()
    assert verify(service).problem is None


def test_a_campaign_that_goes_wrong_opts_out_nobody_of_the_tour(service: Service) -> None:
    fill(service)
    steps = TOUR["steps"]
    assert isinstance(steps, list)
    names = {step["contact"] for step in steps if "contact" in step}
    for step in steps:
        _, _, text = step.get("command", "").partition(" ")
        names |= (
            {one.contact.name for one in find(service, text, AGENT).contacts} if text else set()
        )

    assert names == IN_THE_TOUR

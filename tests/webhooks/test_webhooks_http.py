"""Every recorded request of every provider, over HTTP to a running server, each on a storage of its
own: what it is answered, and what `optin status` shows then."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from bot.runtime import clock
from tests.support.cli_fixtures import Cli
from tests.support.receiving_fixtures import Answer, Receiver, receiver
from tests.support.storages import url_of
from tests.support.webhooks_fixtures import Sample, all_samples

#: The collection beside the checkout, too, as far as it is not the same.
SAMPLES = list(
    {(one.provider, one.case, str(one.told)): one for one in reversed(all_samples())}.values()
)

#: The samples' `category` only proposes. By rules.md §7 these say nothing of the contact.
OURS = {
    "carrier_filtered",
    "rate_limited",
    "reputation",
    "sender_problem",
    "sender_registration",
}
#: rules.md §7 wins over the sample: on the provider's list, for a cause that nobody knows.
LISTED = {("ses", "Permanent/Suppressed"), ("ses", "Permanent/OnAccountSuppressionList")}
#: rules.md §7 wins over the sample: the contact or the carrier, a person looks.
AMBIGUOUS = {("telnyx", "40004"), ("telnyx", "40008"), ("twilio", "30004")}


@pytest.mark.parametrize("sample", SAMPLES, ids=str)
def test_a_recorded_request_has_the_effect_that_it_expects(
    sample: Sample, tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    with told(sample, tmp_path, monkeypatch) as bot:
        for earlier in sample.before():
            assert send(bot, earlier).status == 200
        before = bot.bytes()
        answer = send(bot, sample)

        if is_elsewhere(sample):
            assert answer.status == 404
            assert bot.bytes() == before
        elif sample.told["method"] == "GET" and sample.provider == "one_click":
            # The page is shown, and nothing changes.
            assert answer.status == 200
            assert b"<button>" in answer.body
            assert bot.bytes() == before
        elif sample.accepted:
            assert answer.status == 200
            assert send(bot, sample).status == 200
        else:
            assert (answer.status, answer.body) == (401, b"")
            assert bot.bytes() == before
            assert bot.counted(sample.provider, "forged") == 1
        expected = dict.fromkeys(people(*sample.before(), sample), UNTOUCHED)
        for one in [*sample.before(), sample]:
            for event in one.expected if one.accepted else ():
                if event["contact"]:
                    expected[event["contact"]] = after(expected[event["contact"]], event, sample)
        assert {contact: shown(cli, contact) for contact in expected} == expected


@pytest.mark.parametrize(
    "sample", [one for one in SAMPLES if one.told.get("duplicate_of")], ids=str
)
def test_what_is_told_twice_is_logged_once(
    sample: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with told(sample, tmp_path, monkeypatch) as bot:
        for original in sample.before():
            send(bot, original)
        entries = len(bot.log())
        answer = send(bot, sample)

        assert answer.status == 200
        assert len(bot.log()) == entries


def test_a_sequence_ends_as_its_order_says(
    tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    sequences: dict[Path, list[Sample]] = {}
    for sample in SAMPLES:
        if sample.case.startswith("sequence_"):
            sequences.setdefault(sample.path.parent, []).append(sample)

    assert sequences
    for number, steps in enumerate(sequences.values()):
        folder = tmp_path / str(number)
        folder.mkdir()
        expected = dict.fromkeys(people(*steps), UNTOUCHED)
        with told(steps[0], folder, monkeypatch, *steps) as bot:
            for step in sorted(steps, key=lambda one: one.case):
                assert send(bot, step).status == 200
                for event in step.expected:
                    expected[event["contact"]] = after(expected[event["contact"]], event, step)
            assert {contact: shown(cli, contact) for contact in expected} == expected


Shown = Mapping[str, Any]

UNTOUCHED: Shown = {
    "on": "YES",
    "bounce": "NO",
    "blocks": {},
    "suppressed": False,
    "held": False,
    "complaint": False,
}


def after(  # noqa: C901, PLR0911 - a table of events
    before: Shown, event: Mapping[str, Any], sample: Sample
) -> Shown:
    """What rules.md §4 makes of an event that stands in a sample."""
    category, code = event["category"], event["provider_code"]
    sms = event["channel"] == "sms"

    def blocked(state: str) -> dict[str, Any]:
        if not sms:
            return {"suppressed": True}
        return {"blocks": {**before["blocks"], event["scope"]: state}}

    match event["type"]:
        case _ if (sample.provider, code) in AMBIGUOUS or event.get("failure") == "ambiguous":
            return {**before, **blocked("unknown")}
        case _ if (sample.provider, code) in LISTED:
            return {**before, "suppressed": True}
        case "opt_out" if category == "keyword_fallback":
            # By its word alone. Of a broken text nobody can say what the provider saw in it.
            broken = sample.case.endswith(("with_nul", "half_emoji"))
            return {**before, "on": "NO", **blocked("unknown" if broken else "blocked")}
        case "opt_out" if sms:
            return {**before, "on": "NO", **blocked("blocked")}
        case "opt_out" if event.get("actor") == "customer":
            return {**before, "on": "NO", **blocked("blocked")}
        case "opt_out":
            # Our own side put it on the provider's list.
            return {**before, "on": "NO", "suppressed": sample.provider != "one_click"}
        case "blocked_by_opt_out":
            bounced = {"bounce": "YES", "complaint": True}
            complained = bounced if category == "suppressed_prior_complaint" else {}
            return {**before, "on": "NO", **blocked("blocked"), **complained}
        case "complaint":
            listed = {"bounce": "YES", "complaint": True, "suppressed": True}
            return {**before, "on": "NO", **listed}
        case "bounce_permanent":
            listed = before["suppressed"] or category == "suppressed_prior_bounce"
            return {**before, "bounce": "YES", "suppressed": listed}
        case "reassigned":
            # Nobody refused: the new owner never agreed, and a person asks.
            return {**before, **blocked("blocked"), "held": True}
        case "ignored" if category == "inbound_text_possible_opt_out":
            # "STOP PLEASE" is a probable refusal (rules.md §5): held until a person has read it.
            return {**before, "held": True}
    # The first soft failure shows no bounce yet; what is ours or the route's, and what only
    # tells that something arrived, changes nothing.
    return before


def shown(cli: Cli, contact: str) -> Shown:
    """What `optin status` says."""
    done = cli("status", contact, "--json")
    channel = json.loads(done.out)["email" if "@" in contact else "sms"]
    gates = {gate["code"] for gate in channel["gates"]}
    return {
        "on": channel["on"],
        "bounce": channel["bounce"],
        # E-mail has no senders: its list is the provider's, and shows as a gate.
        "blocks": {block["sender_id"]: block["state"] for block in channel.get("blocks", ())},
        "suppressed": "suppressed" in gates,
        "held": "review_hold" in gates,
        "complaint": "complaint" in gates,
    }


def people(*samples: Sample) -> list[str]:
    """The addresses that the samples are about."""
    return sorted(
        {event["contact"] for one in samples for event in one.expected if event["contact"]}
        | {mailbox for one in samples for mailbox in one.mailboxes().values()}
    )


@contextmanager
def told(
    sample: Sample, folder: Path, monkeypatch: pytest.MonkeyPatch, *others: Sample
) -> Iterator[Receiver]:
    """The bot with the sample's settings at the sample's time, and with its people, who said yes
    before any of it."""
    certificates = folder / "certificates"
    certificates.mkdir()
    samples = [sample, *sample.before(), *others]
    times = [one.received_at for one in samples]
    times += [
        datetime.fromisoformat(event["occurred_at"])
        for one in samples
        for event in one.expected
        if event["occurred_at"]
    ]
    ids = {mailbox: id for one in samples for id, mailbox in one.mailboxes().items()}
    env = {**sample.environment(certificates), "OPTIN_PUBLIC_URL": sample.public_url}
    with clock.stopped(min(times) - timedelta(days=1)) as time, receiver(folder, env) as bot:
        for contact in people(*samples):
            kind = "email" if "@" in contact else "phone"
            bot.willing(contact, external_id=ids.get(contact), **{kind: contact})
        time.advance(sample.received_at - time())
        monkeypatch.setenv("OPTIN_STORAGE", url_of(bot.storage))
        yield bot


def is_elsewhere(sample: Sample) -> bool:
    """A published signature over an address that is none of ours; `verify` is tried with it."""
    return not urlsplit(sample.told["url"]).path.startswith(("/webhooks/", "/u/"))


def send(bot: Receiver, sample: Sample) -> Answer:
    """The request, at the time at which it came."""
    parts = urlsplit(sample.told["url"])
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    time = bot.service.now
    assert isinstance(time, clock.Stopped)  # as `told` has it
    time.advance(sample.received_at - time())
    return bot.send(
        sample.told["method"], target, sample.told["body"].encode(), sample.told["headers"]
    )

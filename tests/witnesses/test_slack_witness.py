"""The alert channel as a witness: what is posted, and what is read back."""

from __future__ import annotations

from dataclasses import replace

import pytest
from slack_sdk import WebClient

from bot.consent.alerts import AlertKind
from bot.consent.errors import Refused
from bot.consent.log.heads import LogHead, head_text
from bot.consent.use_cases import accept_rollback
from bot.consent.use_cases.log_tree import present_head
from bot.consent.use_cases.witnessed_heads import check_heads, compare_heads
from bot.runtime.heads_of_witnesses import head_of_witness
from handlers.slack.alerts.client import EVENT_TYPE
from handlers.witnesses.publish_heads import HeadPublisher
from handlers.witnesses.slack_witness import SlackWitness
from handlers.witnesses.witness import WitnessFailed
from sandbox.first_workspace import ALERTS
from tests.support.alerts_fixtures import Bench
from tests.support.alerts_fixtures import bench as bench
from tests.support.consent_fixtures import OPERATOR


@pytest.fixture
def witness(bench: Bench) -> SlackWitness:
    client = WebClient(token=bench.workspace.bot_token, base_url=bench.workspace.api_url)
    return SlackWitness(bench.service, client)


def head_of(bench: Bench) -> LogHead:
    with bench.service.store.reading() as records:
        return present_head(records, bench.service.now())


def test_head_is_posted_with_its_text_and_read_back(bench: Bench, witness: SlackWitness) -> None:
    bench.add()
    head = head_of(bench)
    witness.publish(head)
    assert (witness.newest(), witness.remembered()) == (head, [])
    bench.run()

    assert witness.remembered() == [head]
    message = bench.message()
    assert "The Activity Log has 2 entries" in message.plain
    assert head_text(head) in message.raw["text"]
    assert bench.alert().kind is AlertKind.HEAD
    assert message.metadata == {
        "event_type": EVENT_TYPE,
        "event_payload": {"id": bench.alert().id, "head": head_text(head)},
    }


def test_head_that_is_published_twice_is_posted_once(bench: Bench, witness: SlackWitness) -> None:
    bench.add()
    witness.publish(head_of(bench))
    bench.run()
    witness.publish(replace(head_of(bench), at=bench.service.now()))
    bench.run()

    assert len(bench.messages()) == 1


def test_heads_are_read_back_oldest_first_among_other_messages(
    bench: Bench, witness: SlackWitness
) -> None:
    heads = []
    publisher = HeadPublisher(bench.service, [witness])
    for number in range(3):
        bench.add(phone=f"+1415555020{number}", name=f"Ana {number}")
        bench.stops(1, first=number)
        assert publisher.publish_now() == 1
        heads.append(head_of(bench))
        bench.run()

    assert witness.remembered() == heads


def test_head_that_somebody_else_posts_is_none(bench: Bench, witness: SlackWitness) -> None:
    bench.add()
    bench.workspace.person("Ana").say(head_text(head_of(bench)), "#optin-alerts")

    assert witness.remembered() == []


def test_slack_that_refuses_or_is_gone_is_said(bench: Bench) -> None:
    refused = WebClient(token="xoxb-wrong", base_url=bench.workspace.api_url)
    with pytest.raises(WitnessFailed, match="Slack says invalid_auth"):
        SlackWitness(bench.service, refused).remembered()
    gone = WebClient(token="xoxb-1", base_url="http://127.0.0.1:9/api/")
    with pytest.raises(WitnessFailed, match="can't be reached"):
        SlackWitness(bench.service, gone).remembered()


def test_workspace_without_an_alert_channel_has_no_witness(
    bench: Bench, witness: SlackWitness
) -> None:
    bench.add()
    alone = SlackWitness(replace(bench.service, alert_channel=None), WebClient())
    for call in (lambda: alone.publish(head_of(bench)), alone.remembered):
        with pytest.raises(WitnessFailed, match="OPTIN_ALERT_CHANNEL is not set"):
            call()
    assert bench.service.alert_channel == ALERTS


def test_heads_that_a_person_accepted_as_lost_are_no_contradiction(
    bench: Bench, witness: SlackWitness
) -> None:
    bench.add()
    service, kept = bench.service, head_of(bench)
    lost = replace(kept, size=kept.size + 9, chain="f" * 64)
    for head in (kept, lost):
        witness.publish(head)
        bench.run()
    assert "does not hold" in str(check_heads(service, witness.remembered()))
    heads = [head_of_witness(head, "slack") for head in witness.remembered()]
    accept_rollback(service, OPERATOR, heads)
    compared = compare_heads(service, witness.remembered())
    ((loss, found),) = compared.lost

    assert (compared.problem, found, loss.by) == (None, lost, OPERATOR.id)
    assert (loss.size, loss.kept, loss.first) == (lost.size, kept.size, kept.size + 1)
    with pytest.raises(Refused, match="has everything that is remembered"):
        accept_rollback(service, OPERATOR, heads)

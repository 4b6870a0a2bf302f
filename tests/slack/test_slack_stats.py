"""`/optin stats`: numbers, a chart and a file."""

from __future__ import annotations

import csv
import io

from bot.consent.use_cases.ingest import ingest
from sandbox.client import PersonClient
from tests.support.alerts_fixtures import reply
from tests.support.slack_fixtures import Slack

PHONE = "+14155550100"


def test_the_answer_has_sentences_a_chart_and_the_same_as_text(
    slack: Slack, ana: PersonClient
) -> None:
    ingest(slack.service, [reply("STOP", PHONE, occurred_at=slack.clock())])
    message = ana.command("/optin stats").messages[0]

    assert "SMS: 1 (1 by text)." in message.plain
    (chart,) = [b for b in message.raw["blocks"] if b["type"] == "data_visualization"]
    days = chart["chart"]["axis_config"]["categories"]
    sms, email = chart["chart"]["series"]
    assert len(days) == 14
    assert [point["label"] for point in sms["data"]] == days
    assert ([p["value"] for p in sms["data"]][-1], sum(p["value"] for p in email["data"])) == (1, 0)
    assert "SMS: 1 (1 by text)." in message.raw["text"]
    assert "0100" not in str(message.raw)


def test_without_opt_outs_there_is_no_chart_and_no_file(slack: Slack, ana: PersonClient) -> None:
    message = ana.command("/optin stats").messages[0]

    assert "Nobody opted out." in message.plain
    assert message.buttons == []
    assert "data_visualization" not in str(message.raw["blocks"])


def test_the_opt_outs_of_each_day_come_as_a_file_to_whoever_asked(
    slack: Slack, ana: PersonClient
) -> None:
    ingest(slack.service, [reply("STOP", PHONE, occurred_at=slack.clock())])
    ana.command("/optin stats")
    ana.press("Opt-outs as CSV")

    assert "in your direct messages" in ana.messages()[-1].plain
    rows = list(csv.DictReader(io.StringIO(ana.download(ana.dms()[-1].files[0]).decode())))
    # Those of older days, which the samples have, are in it, too.
    assert rows[-1] == {
        "day": f"{slack.clock().date()}",
        "channel": "sms",
        "source": "text",
        "opt_outs": "1",
    }
    assert slack.person("Ben").dms() == []

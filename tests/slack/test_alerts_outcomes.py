"""Every row of the table of outcomes: what Slack answers, and what becomes of the alert."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from http.client import RemoteDisconnected
from socket import gaierror
from ssl import SSLCertVerificationError
from urllib.error import URLError

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.web import SlackResponse

from bot.consent.alerts import AlertKind, DeliveryState, FollowUp
from bot.consent.use_cases import erase
from bot.consent.use_cases.alerts.outbox import outbox
from handlers.slack.alerts.client import client
from handlers.slack.alerts.slack_errors import ErrorKind, slack_failure
from handlers.slack.roles import Roles
from sandbox.client import ShownMessage
from sandbox.first_workspace import ALERTS, BEN, LEE, MANAGERS
from tests.support.alerts_fixtures import Bench, reply
from tests.support.consent_fixtures import OPERATOR

MINUTE = timedelta(minutes=1)


@pytest.fixture
def told(bench: Bench) -> Iterator[Bench]:
    """With one alert that waits to be told."""
    bench.add()
    bench.take(reply("STOP"))
    return bench


def posts(bench: Bench) -> int:
    return len(bench.calls("chat.postMessage"))


@pytest.mark.parametrize("seconds", [1, 30, 3600])
def test_a_rate_limit_is_obeyed_to_the_second(told: Bench, seconds: int) -> None:
    told.workspace.fault("chat.postMessage", "ratelimited", retry_after=seconds)
    told.settle()
    told.clock.advance(timedelta(seconds=seconds - 1))
    told.settle()
    early = posts(told)
    told.clock.advance(timedelta(seconds=1))
    told.settle()

    assert early == 1
    assert len(told.messages()) == 1
    assert told.health.rate_limited == 1


@pytest.mark.parametrize("said", [None, "soon", "NaN", "-5", "inf", ""])
def test_a_rate_limit_without_a_time_waits_half_a_minute(said: str | None) -> None:
    headers = {} if said is None else {"retry-after": said}
    found = slack_failure(refused({"ok": False, "error": "ratelimited"}, 429, headers))

    assert (found.trouble, found.wait) == (ErrorKind.LIMITED, timedelta(seconds=30))


def test_a_rate_limit_outlives_a_restart(told: Bench) -> None:
    told.workspace.fault("chat.postMessage", "ratelimited", retry_after=60)
    told.settle()
    told.restart()
    told.add("+14155550133", name="Bea")
    told.take(reply("STOP", "+14155550133"))
    told.run(58, every=2)
    early = posts(told)
    told.run(10)

    assert early == 1
    assert len(told.messages()) == 2


def test_an_edit_goes_on_while_posting_is_limited(told: Bench) -> None:
    told.run()
    told.add("+14155550133", name="Bea")
    told.workspace.fault("chat.postMessage", "ratelimited", retry_after=3600)
    told.take(reply("STOP", "+14155550133"))
    told.run()
    told.take(reply("UNSTOP"))
    told.run()

    assert "Came back" in told.messages()[0].plain


@pytest.mark.parametrize(
    "word", ["invalid_blocks", "msg_too_long", "msg_blocks_too_long", "no_text"]
)
def test_a_drawing_that_is_refused_goes_as_a_sentence(told: Bench, word: str) -> None:
    told.workspace.fault("chat.postMessage", "error", error=word)
    told.run()
    message = told.message()

    assert message.blocks == [] or message.buttons == []
    assert "number ending 0100 texted STOP" in message.text


def test_a_sentence_that_is_refused_is_given_up_and_counted(told: Bench) -> None:
    told.workspace.fault("chat.postMessage", "error", error="invalid_blocks", times=2)
    told.run(6)

    assert told.alert().delivery.state is DeliveryState.DEAD
    assert told.health.dead == 1
    assert posts(told) == 2


@pytest.mark.parametrize("word", ["restricted_action", "restricted_action_read_only_channel"])
def test_a_channel_that_apps_may_not_post_to_is_paused(told: Bench, word: str) -> None:
    told.workspace.fault("chat.postMessage", "error", error=word)
    told.run(5)
    dms = told.messages("directmessage")

    assert told.health.paused == {ALERTS: word}
    assert "Ask a workspace admin" in dms[0].plain
    assert told.messages() == []


def test_a_channel_without_the_bot_keeps_its_alerts_and_tells_the_installer(told: Bench) -> None:
    told.workspace.remove_app("#optin-alerts")
    told.run(30 * 60, every=20)
    tries = [call for call in told.calls("chat.postMessage") if call["outcome"] != "ok"]
    dms = told.messages("directmessage")
    told.workspace.invite_app("#optin-alerts")
    told.run(120, every=10)

    assert len(tries) <= 31
    assert len(dms) == 1
    assert "/invite @Optin" in dms[0].plain
    assert len(told.messages()) == 1
    assert told.health.paused == {}


def test_the_installer_is_told_once_a_day(told: Bench) -> None:
    told.workspace.archive("#optin-alerts")
    told.run(25 * 3600, every=1200)

    assert len(told.messages("directmessage")) == 2
    assert "is archived" in told.messages("directmessage")[0].plain


def test_more_alerts_than_are_looked_through_keep_nobody_from_hearing_of_it(bench: Bench) -> None:
    bench.workspace.remove_app("#optin-alerts")
    for number in range(250):
        bench.take(reply(f"please stop texting me {number}", f"+1415556{number:04}"))
    bench.run(5)

    assert len(bench.messages("directmessage")) == 1


def test_a_dead_channel_is_no_reason_to_be_late(told: Bench) -> None:
    told.workspace.archive("#optin-alerts")
    told.run(20 * 60, every=20)

    assert told.health.ready()
    assert told.health.waiting == 1
    assert told.health.oldest is None


@pytest.mark.parametrize(
    "word",
    ["invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive"],
)
def test_a_refused_token_stops_posting_and_nothing_else(told: Bench, word: str) -> None:
    told.workspace.fault("*", "error", error=word, times=1000)
    told.run(600, every=10)
    calls = len(told.calls())
    not_ready = not told.health.ready()
    told.add("+14155550133", name="Bea")
    told.take(reply("STOP", "+14155550133"))
    told.workspace.clear_faults()
    told.run(400, every=10)

    assert not_ready
    assert calls <= 8
    assert told.health.ready()
    assert len(told.messages()) == 2


@pytest.mark.parametrize("kind", ["server_error", "close_after_accept"])
def test_an_outcome_that_nobody_knows_is_looked_up(told: Bench, kind: str) -> None:
    told.workspace.fault("chat.postMessage", kind)
    told.run(10)
    state, early = told.alert().delivery.state, posts(told)
    told.run(60, every=5)

    assert (state, early) == (DeliveryState.UNKNOWN, 1)
    assert len(told.messages()) == 1
    assert posts(told) == (1 if kind == "close_after_accept" else 2)
    assert told.alert().delivery.state is DeliveryState.SENT


@pytest.mark.parametrize("word", ["internal_error", "fatal_error", "service_unavailable"])
def test_slacks_own_trouble_is_an_outcome_that_nobody_knows(told: Bench, word: str) -> None:
    told.workspace.fault("chat.postMessage", "error", error=word)
    told.run(100, every=5)

    assert len(told.messages()) == 1
    assert posts(told) == 2
    assert len(told.calls("conversations.history")) == 1


def test_an_answer_after_our_patience_makes_no_second_message(told: Bench) -> None:
    impatient = client(told.workspace.bot_token, told.workspace.api_url)
    impatient.timeout = 1
    slack = replace(told.slack, client=impatient)
    told.worker = told.hire(slack)
    told.workspace.fault("chat.postMessage", "timeout", seconds=2)
    told.run(100, every=5)

    assert len(told.messages()) == 1
    assert posts(told) == 1


def test_what_was_told_meanwhile_is_drawn_once_the_message_is_found(told: Bench) -> None:
    told.workspace.fault("chat.postMessage", "close_after_accept")
    told.run(2)
    told.take(reply("STOP"))
    told.run(100, every=5)

    assert "(2 times today)" in told.message().plain


def test_a_long_channel_is_looked_through_to_its_end(told: Bench) -> None:
    told.workspace.fault("chat.postMessage", "close_after_accept")
    told.settle()
    for number in range(210):
        told.workspace.person("Lee").say(f"{number}", channel="#optin-alerts")
    told.run(100, every=10)

    assert posts(told) == 1
    assert len(told.calls("conversations.history")) == 2
    assert told.alert().delivery.state is DeliveryState.SENT


def test_where_slack_can_not_be_asked_it_is_posted_again_after_an_hour(told: Bench) -> None:
    told.workspace.fault("chat.postMessage", "close_after_accept")
    told.workspace.fault("conversations.history", "error", error="missing_scope", times=1000)
    told.run(59 * 60, every=30)
    early = posts(told)
    told.run(10 * 60, every=30)
    messages = told.messages()

    assert early == 1
    assert ["(repeated)" in message.plain for message in messages] == [False, True]
    assert told.health.ready()


def test_a_limited_history_is_waited_for(told: Bench) -> None:
    told.workspace.fault("chat.postMessage", "close_after_accept")
    told.workspace.fault("conversations.history", "ratelimited", retry_after=7200)
    told.run(7200, every=60)
    early = (posts(told), len(told.calls("conversations.history")))
    told.run(120, every=10)

    assert early == (1, 1)
    assert posts(told) == 1
    assert told.alert().delivery.state is DeliveryState.SENT


@pytest.mark.parametrize("kind", ["server_error", "close_after_accept"])
def test_an_edit_with_an_unknown_outcome_is_made_again(told: Bench, kind: str) -> None:
    told.run()
    told.take(reply("UNSTOP"))
    told.workspace.fault("chat.update", kind)
    told.run(30)

    assert "Came back" in told.message().plain
    assert told.calls("conversations.history") == []


def test_a_message_that_somebody_deleted_comes_again_with_the_next_news(told: Bench) -> None:
    told.run()
    delete(told, told.message())
    told.run(10)
    assert told.messages() == []  # nothing is new

    told.take(reply("UNSTOP"))
    told.run(10)

    assert "Came back" in told.message().plain
    assert not told.alert().delivery.due
    told.take(reply("STOP"))
    told.run(10)
    assert "2 times today" in told.message().plain  # and is edited as ever


def test_a_deleted_message_of_an_erased_contact_does_not_come_again(told: Bench) -> None:
    told.run()
    (contact,) = told.alert().subject.contacts
    delete(told, told.message())
    erase(told.service, contact, OPERATOR)
    told.run(10)

    assert told.messages() == []
    assert not told.alert().delivery.due


def test_a_line_whose_card_was_deleted_brings_the_card_back(bench: Bench) -> None:
    bench.stops(9)
    bench.run(20)
    (card,) = [m for m in bench.messages() if "Many at once" in m.plain]
    delete(bench, card)
    bench.stops(91, first=9)
    bench.run(30)
    (again,) = [m for m in bench.messages() if "Many at once" in m.plain]
    lines = [m for m in bench.messages() if m.thread_ts == again.ts]

    assert "100 opt-outs by text" in again.plain
    assert lines
    assert not any(alert.delivery.due for alert in bench.alerts())


def delete(bench: Bench, message: ShownMessage) -> None:
    web = WebClient(bench.workspace.bot_token, base_url=bench.workspace.api_url)
    web.chat_delete(channel=ALERTS, ts=message.ts)


def test_the_next_manager_is_told_where_the_first_one_has_left(told: Bench) -> None:
    told.worker = told.hire(replace(told.slack, roles=Roles(managers=frozenset({BEN, LEE}))))
    told.workspace.deactivate("Ben")
    told.workspace.archive("#optin-alerts")
    told.run(10)

    assert "is archived" in told.messages("directmessage")[0].plain
    assert not told.health.nobody_to_notify


@pytest.mark.parametrize("word", ["user_disabled", "user_not_found", "channel_not_found"])
def test_the_next_manager_is_told_where_the_first_one_takes_no_messages(
    told: Bench, word: str
) -> None:
    # For the channel, and for Lee, who is the first of the group. Mia is the next.
    told.workspace.fault("chat.postMessage", "error", error=word, times=2)
    told.run(10)

    assert told.workspace.person("Mia").dms()
    assert told.messages("directmessage") == []


def test_nobody_left_to_be_told_is_known_to_health(told: Bench) -> None:
    told.worker = told.hire(replace(told.slack, roles=Roles(managers=frozenset({BEN}))))
    told.workspace.deactivate("Ben")
    told.workspace.archive("#optin-alerts")
    told.run(10)

    assert told.health.nobody_to_notify
    assert told.health.ready()


def test_a_group_that_slack_does_not_show_keeps_no_named_manager_from_being_told(
    told: Bench,
) -> None:
    roles = Roles(managers=frozenset({LEE, MANAGERS}))
    told.worker = told.hire(replace(told.slack, roles=roles))
    told.workspace.disable_group("optin-managers")
    told.workspace.archive("#optin-alerts")
    told.run(10)

    assert told.messages("directmessage")


def test_a_full_workspace_is_left_alone_for_an_hour(told: Bench) -> None:
    told.workspace.fault("chat.postMessage", "error", error="message_limit_exceeded")
    told.run(59 * 60, every=60)
    early = posts(told)
    told.run(5 * 60, every=30)

    assert early == 1
    assert len(told.messages()) == 1
    assert len(told.messages("directmessage")) == 1


def test_a_word_that_nobody_knows_is_tried_a_dozen_times(told: Bench) -> None:
    told.workspace.fault("chat.postMessage", "error", error="moon_in_wrong_phase", times=1000)
    told.run(24 * 3600, every=600)

    assert told.alert().delivery.state is DeliveryState.DEAD
    assert posts(told) == 12


def test_a_slack_that_can_not_be_reached_is_tried_less_and_less(told: Bench) -> None:
    nowhere = client(told.workspace.bot_token, "http://127.0.0.1:9/api/")
    told.worker = told.hire(replace(told.slack, client=nowhere))
    told.run(600, every=5)
    tries = told.health.outcomes()["conversations.info", "ConnectionRefusedError"]
    told.worker = told.hire(told.slack)
    told.run(900, every=10)

    assert 5 <= tries <= 9
    assert len(told.messages()) == 1
    assert told.calls("conversations.history") == []


def test_a_notice_that_nobody_can_get_is_given_up(told: Bench) -> None:
    nobody = replace(told.slack, roles=Roles())
    told.worker = told.hire(nobody)
    told.workspace.archive("#optin-alerts")
    told.run(10)
    (notice,) = told.alerts(AlertKind.NOTICE)

    assert notice.delivery.state is DeliveryState.DEAD
    assert outbox(told.service).dead == 1


def test_a_burst_keeps_to_one_call_a_second(bench: Bench) -> None:
    for number in range(10):
        bench.take(reply("please stop texting me", f"+1415556{number:04}"))
    for _ in range(4):
        bench.settle()
        bench.clock.advance(timedelta(milliseconds=500))

    assert posts(bench) == 2


def refused(body: object, status: int, headers: dict[str, str] | None = None) -> SlackApiError:
    response = SlackResponse(
        client=None,
        http_verb="POST",
        api_url="",
        req_args={},
        data=body,  # type: ignore[arg-type]
        headers=headers or {},
        status_code=status,
    )
    return SlackApiError("", response)


@pytest.mark.parametrize(
    ("error", "trouble"),
    [
        (TimeoutError(), ErrorKind.UNKNOWN),
        (ConnectionResetError(), ErrorKind.UNKNOWN),
        (RemoteDisconnected(), ErrorKind.UNKNOWN),
        (URLError(TimeoutError()), ErrorKind.UNKNOWN),
        (URLError(ConnectionRefusedError()), ErrorKind.UNREACHED),
        (URLError(gaierror()), ErrorKind.UNREACHED),
        (URLError(SSLCertVerificationError()), ErrorKind.UNREACHED),
        # The SDK trips over JSON that is no object.
        (AttributeError(), ErrorKind.UNKNOWN),
        (refused({"ok": False, "error": "Received a response in a non-JSON format: <html>"}, 200),
         ErrorKind.UNKNOWN),
        (refused({"ok": False, "error": "Received a response in a non-JSON format: "}, 502),
         ErrorKind.UNKNOWN),
        (refused({}, 200), ErrorKind.UNKNOWN),
        (refused({"ok": False, "error": "invalid_auth"}, 503), ErrorKind.UNKNOWN),
        (refused({"ok": False, "error": None}, 200), ErrorKind.UNKNOWN),
        (refused({"ok": False, "error": "invalid_auth"}, 200), ErrorKind.TOKEN),
        (refused({}, 429), ErrorKind.LIMITED),
        (refused({"ok": False, "error": "message_not_found"}, 200), ErrorKind.GONE),
        (refused({"ok": False, "error": "moon_in_wrong_phase"}, 200), ErrorKind.OTHER),
    ],
)  # fmt: skip
def test_what_a_failed_call_means(error: Exception, trouble: ErrorKind) -> None:
    assert slack_failure(error).trouble is trouble


def test_the_worker_repeats_no_call_by_itself(told: Bench) -> None:
    assert told.slack.client.retry_handlers == []
    assert told.slack.client.timeout == 10


def test_an_alert_that_can_not_be_drawn_holds_up_no_other(
    told: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    with told.service.store.transaction() as records:
        (stop,) = records.outbox.all()
        answered = FollowUp(answer="canary")
        broken = replace(
            stop, id="0" * 32, kind=AlertKind.REVIEW, follow_up=answered, text="canary"
        )
        records.outbox.put(broken)
    told.run(5)

    assert len(told.messages()) == 1
    assert told.health.dead == 1
    assert "can't be told" in caplog.text
    assert "canary" not in caplog.text


def test_edits_of_one_message_never_become_two(told: Bench) -> None:
    told.run()
    told.workspace.fault("chat.update", "close_after_accept", times=3)
    told.take(reply("STOP"), reply("UNSTOP"))
    told.run(120, every=5)

    assert len(told.messages()) == 1
    assert posts(told) == 1

"""Many at once: three singly, then one card, a thread, and a list at the end."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest

from bot.consent.alerts import AlertKind
from bot.consent.events import Failure
from bot.consent.use_cases.ingest import ingest
from sandbox.client import ShownMessage
from tests.support.alerts_fixtures import Bench, failed, reply


def storm(bench: Bench, count: int, *, seconds: int, whole: int = 300) -> None:
    """So many STOPs, evenly over so many seconds, with the worker at work for the whole time."""
    done = 0
    for second in range(whole):
        wanted = min(count, count * (second + 1) // seconds)
        ingest(
            bench.service,
            [reply("STOP", f"+1212{number:07}") for number in range(done, wanted)],
        )
        done = wanted
        bench.run(1)


def card(bench: Bench) -> ShownMessage:
    """The only one there is."""
    (found,) = [m for m in bench.messages() if bench.alerts(AlertKind.STORM)[0].delivery.ts == m.ts]
    return found


@pytest.mark.parametrize(("count", "seconds"), [(500, 240), (10_000, 20)])
def test_a_storm_costs_forty_calls_in_five_minutes(bench: Bench, count: int, seconds: int) -> None:
    storm(bench, count, seconds=seconds)
    bench.run(360, every=2)
    calls = bench.calls()
    began = calls[0]["at"]
    singles = [m for m in bench.messages() if "Unknown number" in m.plain]

    assert len([call for call in calls if call["at"] < began + 300]) <= 40
    assert len(singles) == 3
    # The card counts these three, too.
    assert f"{count:,} opt-outs by text" in card(bench).plain
    assert "Over: " in card(bench).plain
    assert bench.health.dead == 0


def test_the_first_alert_comes_at_once(bench: Bench) -> None:
    bench.stops(500)
    bench.settle()

    assert len(bench.messages()) == 1


def test_the_card_says_how_many_how_fast_and_to_which_sender(bench: Bench) -> None:
    bench.stops(63)
    bench.run(20)

    assert "63 opt-outs by text since " in card(bench).plain
    assert "63 a minute" in card(bench).plain
    assert "Most were to +1 888-555-0199 (63)" in card(bench).plain
    assert card(bench).buttons == ["Mark handled"]


def test_the_card_is_drawn_at_most_every_fifteen_seconds(bench: Bench) -> None:
    storm(bench, 60, seconds=60, whole=60)
    at = [call["at"] for call in bench.calls("chat.update")]

    assert len(at) >= 3
    assert all(later - earlier >= 15 for earlier, later in itertools.pairwise(at))


@pytest.mark.parametrize("known", [True, False], ids=["contacts", "strangers"])
def test_the_card_comes_after_the_single_alerts_that_it_counts(bench: Bench, known: bool) -> None:
    phones = [f"+141555501{number:02}" for number in range(12)]
    for phone in phones if known else []:
        bench.add(phone, name=phone)
    bench.take(*(reply("STOP", phone) for phone in phones))
    bench.run(10)
    posted = [m for m in bench.messages() if not m.thread_ts]

    assert ["Many at once" in message.plain for message in posted] == [False, False, False, True]


def test_lines_at_round_numbers_go_into_the_thread(bench: Bench) -> None:
    bench.stops(100)
    bench.run(30)
    lines = [m.plain for m in bench.messages() if m.thread_ts == card(bench).ts]

    assert [line.split(" by ")[0] for line in lines] == ["10 opt-outs", "100 opt-outs"]


def test_the_list_comes_at_the_end_masked(bench: Bench) -> None:
    for number in range(6):
        bench.add(f"+1415555010{number}", name=f"Contact {number}")
    for number in range(6):
        bench.take(reply("STOP", f"+1415555010{number}"))
        bench.clock.advance(timedelta(seconds=1))
    bench.stops(4)
    bench.run(30)
    assert not any(message.files for message in bench.messages())
    bench.run(300, every=5)
    ((file,),) = [message.files for message in bench.messages() if message.files]
    rows = bench.workspace.person("Lee").download(file).decode().splitlines()
    listed = [row.split(",")[1] for row in rows]

    assert listed == [
        "number_or_address",
        *(f"ending 010{n}" for n in range(6)),
        *(f"ending 000{n}" for n in range(4)),
    ]
    assert file["name"].startswith("opt-outs-")


def test_a_lost_answer_to_the_list_makes_no_second_file(bench: Bench) -> None:
    bench.stops(8)
    bench.run(30)
    bench.workspace.fault("files.completeUploadExternal", "close_after_accept")
    bench.run(500, every=5)

    assert len([message for message in bench.messages() if message.files]) == 1


def test_without_the_scope_for_files_the_end_is_told_in_words(bench: Bench) -> None:
    bench.stops(8)
    bench.run(30)
    bench.workspace.fault("files.getUploadURLExternal", "error", error="missing_scope")
    bench.run(400, every=5)

    assert "It is over" in bench.messages()[-1].plain
    assert bench.health.ready()


def test_a_restart_goes_on_with_the_same_card(bench: Bench) -> None:
    bench.stops(30)
    bench.run(10)
    bench.restart()
    bench.stops(30, first=30)
    bench.run(30)
    cards = [message for message in bench.messages() if "Many at once" in message.plain]

    assert len(cards) == 1
    assert "60 opt-outs by text" in cards[0].plain


def test_after_a_storm_they_are_told_singly_again(bench: Bench) -> None:
    bench.stops(10)
    bench.run(400, every=5)
    bench.stops(1, first=10)
    bench.run()

    assert "Unknown number" in bench.messages()[-1].plain


def test_refusals_of_the_provider_make_a_card_of_their_own(bench: Bench) -> None:
    for number in range(8):
        bench.add(f"+1415555010{number}", name=f"Contact {number}")
    bench.clock.advance(timedelta(hours=1))
    for number in range(8):
        bench.take(failed(Failure.OPT_OUT, f"+1415555010{number}", code="21610"))
    bench.run(20)

    assert len(bench.messages()) == 4
    assert "8 refusals by the provider" in card(bench).plain


def test_one_who_was_told_singly_raises_that_counter_in_a_storm_too(bench: Bench) -> None:
    bench.stops(10)
    bench.stops(1)
    bench.run(20)

    assert bench.alerts(AlertKind.STORM)[0].count == 10


def test_a_clock_that_is_set_back_keeps_nothing_waiting(bench: Bench) -> None:
    bench.stops(2)
    bench.run(2)
    bench.clock.advance(-timedelta(hours=1))
    bench.stops(1, first=2)
    bench.run(2)

    assert len(bench.messages()) == 3

"""Text for Slack: fitted and inert, whatever anybody wrote."""

from __future__ import annotations

import html
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from handlers.slack.blocks.formatting import (
    escape,
    fit,
    inert,
    joined,
    lines,
    masked,
    phone,
    plain,
    section,
    shown,
    unaddressed,
)
from sandbox.first_workspace import APPROVALS
from sandbox.mrkdwn import plain as mrkdwn_plain
from tests.support.longest_profiles import NASTY
from tests.support.slack_fixtures import MANIFEST, Slack, started

TEXT = st.text(max_size=400) | st.text(alphabet="<>&!@#*_~`:| \n\u0301\u202eAb1", max_size=400)
LIMIT = st.integers(min_value=1, max_value=200)

ENTITY = re.compile("&(?!amp;|lt;|gt;)")


@given(TEXT, LIMIT)
def test_fitted_text_is_never_longer_than_its_limit(text: str, limit: int) -> None:
    assert len(fit(text, limit)) <= limit
    assert len(shown(text, limit)) <= limit
    assert len(str(plain(text, limit)["text"])) <= max(limit, 1)


@given(TEXT, LIMIT)
def test_what_fits_already_stays_as_it_is(text: str, limit: int) -> None:
    once = fit(text, limit)

    assert fit(once, limit) == once
    assert shown(shown(text, limit), limit) == shown(text, limit)
    if len(text) <= limit:
        assert once == text


@given(TEXT, LIMIT)
def test_cut_text_says_so(text: str, limit: int) -> None:
    if len(text) > limit:
        assert fit(text, limit).endswith("…")


@given(TEXT)
def test_escaped_text_reads_as_it_was_written(text: str) -> None:
    escaped = escape(text)

    assert "<" not in escaped
    assert ">" not in escaped
    assert not ENTITY.search(escaped)
    assert html.unescape(escaped) == text or "&" in text


@example(":`:", 3)
@given(TEXT, LIMIT)
def test_inert_text_has_no_markup_and_no_half_an_entity(text: str, limit: int) -> None:
    said = inert(text, limit)

    assert "<" not in said
    assert ">" not in said
    assert not ENTITY.search(said)
    assert "\n" not in said
    assert "`" not in said
    assert not re.search(r"(?<![A-Za-z0-9])[*_~]|[*_~](?![A-Za-z0-9])", said)
    assert not re.search(r":[\w+'-]+:", said)
    assert not said.startswith("&gt;")
    assert mrkdwn_plain(said, lambda _: None, "UTC") == html.unescape(said)


@given(TEXT)
def test_shown_text_is_one_line_that_turns_nothing_round(text: str) -> None:
    said = shown(text)

    assert said == said.strip()
    assert not re.search("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]", said)
    said.encode()  # no lone surrogates


@given(st.lists(TEXT, max_size=20), st.integers(min_value=10, max_value=3000))
def test_lines_are_kept_whole_or_left_out(parts: list[str], limit: int) -> None:
    kept = lines(parts, limit)

    assert len(kept) <= limit
    assert kept in (
        "\n".join(parts),
        "\n".join([*parts[: kept.count("\n")], "…"]),
    ) or "\n" in "".join(parts)


@given(TEXT)
def test_a_section_takes_any_text(text: str) -> None:
    block = section(inert(text, 400))

    assert 1 <= len(block["text"]["text"]) <= 3000  # type: ignore[index]


@given(st.emails())
def test_a_masked_address_hides_whose_it_is(email: str) -> None:
    name, _, host = email.rpartition("@")

    assert masked(email).endswith(f"@{host}") or "@" in name
    assert len(name) == 1 or name not in masked(email)


def test_numbers_are_shown_as_people_read_them() -> None:
    assert phone("+14155550100") == "+1 415-555-0100"
    assert phone("+4915123456780") == "+49 1512 3456780"
    assert phone("+442079460000") == "+44 20 7946 0000"
    assert masked("+14155550100") == "ending 0100"
    assert masked("ana@example.com") == "a…@example.com"


def test_lists_are_joined_as_in_a_sentence() -> None:
    assert joined(["a"]) == "a"
    assert joined(["a", "b"]) == "a and b"
    assert joined(["a", "b", "c"], "or") == "a, b or c"


@pytest.mark.parametrize(
    ("written", "reads"),
    [
        ("*bold* _it_ ~no~", "∗bold∗ ˍitˍ ∼no∼"),
        ("`code` ```pre```", "ˋcodeˋ ˋˋˋpreˋˋˋ"),
        ("\u200b*\u200bforced\u200b*\u200b", "\u200b∗\u200bforced\u200b∗\u200b"),
        ("__init__ (*x*) *", "ˍˍinitˍˍ (∗x∗) ∗"),
        ("日*x*本 é_x_é", "日∗x∗本 éˍxˍé"),
        (":skull: 10:30", "∶skull: 10:30"),
        ("> quoted", "› quoted"),
    ],
)
def test_markup_in_somebodys_own_words_reads_as_it_was_written(written: str, reads: str) -> None:
    """Zero-width spaces around a mark force Slack to format; look-alikes can't."""
    assert html.unescape(inert(written)) == reads
    assert mrkdwn_plain(inert(written), lambda _: None, "UTC") == reads


def test_names_of_every_kind_are_shown() -> None:
    assert shown("محمد عبد الله") == "محمد عبد الله"
    assert shown("  two \n lines\t") == "two lines"
    assert shown("\u202eevil\u202c") == "evil"
    assert shown("Z" + "\u0351" * 50) == "Z" + "\u0351" * 3
    assert inert("Smith & <Sons>") == "Smith &amp; &lt;Sons&gt;"
    assert inert("snake_case 3*4 a~b") == "snake_case 3*4 a~b"


@pytest.mark.parametrize(
    "written",
    [
        "+14155550142",
        "(415) 555-0142",
        "415–555–0142",
        "415 - 555 - 0142",
        "415   555   0142",
        "415\n555\n0142",
        "\u202a+1\u00a0(415)\u00a0555\u20110142\u202c",
        "415\u200b5550142",
        "415·555·0142",
        "415_555_0142",
        "tel_4155550142",
        "No4155550142",
        "v.4155550142x",
        "4155550142.",
    ],
)
def test_a_number_in_somebodys_own_words_is_masked_however_it_is_written(written: str) -> None:
    said = re.sub(r"\D", "", inert(unaddressed(f"call {written}, thanks"), 600))

    assert said == "0142"


@pytest.mark.parametrize(
    "written",
    [
        "nia.canary@example.com",
        "nia.canary @ example.com",
        "nia.canary@ example.com",
        "nia.canary＠example.com",
        "<nia.canary@example.com>",
        "mailto:nia.canary@example.com",
        "nia.canary\u200b@example.com",
    ],
)
def test_a_mailbox_in_somebodys_own_words_is_masked_however_it_is_written(written: str) -> None:
    said = inert(unaddressed(f"wrote from {written}, thanks"), 600)

    assert "canary" not in said
    assert "n…@example.com" in said


@pytest.mark.parametrize(
    "words",
    [
        "agreed on 2026-11-23 10:00-10:30",
        "agreed on 11/23/2026, 9:05",
        "agreed on 23.11.2026",
        "3 calls, 12 texts, 1,250 points",
        "tomorrow @ 10 in the shop",
    ],
)
def test_days_and_times_in_somebodys_own_words_stay(words: str) -> None:
    assert unaddressed(words) == words


@pytest.mark.parametrize(
    "piece", ["1", "1-", "1 ", "a@", "a @ ", "+", "(1)", "@", "1" * 6 + ",", "._"]
)
def test_words_made_to_be_slow_are_read_at_once(piece: str) -> None:
    before = time.perf_counter()
    unaddressed(piece * 10_000)

    assert time.perf_counter() - before < 0.5


@pytest.fixture
def slack_with_steps(tmp_path: Path) -> Iterator[Slack]:
    with started(tmp_path, "http", manifest=MANIFEST, OPTIN_APPROVAL_CHANNEL=APPROVALS) as slack:
        yield slack


STEPS = {
    "check_status": ("contact", "channel"),
    "record_opt_out": ("contact", "channel", "who_asked", "note"),
    "request_re_opt_in": ("contact", "channel", "evidence", "note"),
    "wait_for_outcome": ("request",),
}


@pytest.mark.parametrize("text", NASTY.values(), ids=NASTY.keys())
def test_a_step_ends_with_inert_text_whatever_its_inputs_are(
    slack_with_steps: Slack, text: str
) -> None:
    slack, ana = slack_with_steps, slack_with_steps.person("Ana")
    slack.add(text[:1_000].strip() or "Ana", email="hostile@example.com", phone="+12125550188")
    well = {"contact": "hostile@example.com", "evidence": "Form 7", "request": "f" * 32}
    for step, names in STEPS.items():
        for hostile in (None, *names):
            inputs = {name: well.get(name) for name in names} | {"person": ana.id}
            number = len(ana.step_runs())
            ana.run_step(step, **(inputs | ({hostile: text} if hostile and text else {})))
            slack.workspace.wait_until(lambda at=number: ana.step_runs()[at]["state"] != "running")

    for run in ana.step_runs():
        for said in (*(run["outputs"] or {}).values(), run["error"] or ""):
            assert len(said) <= 3_000
            assert "<" not in said
            assert ">" not in said
            assert not ENTITY.search(said)
            assert run["state"] == "completed" or said
    assert [ping for ping in slack.workspace.pings() if ping.startswith("!")] == []

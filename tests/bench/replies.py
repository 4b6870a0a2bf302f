"""How well replies are read, on the half of the labelled set that nothing was fitted to, and how
quickly."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from time import perf_counter_ns

from bot.consent.replies import Refusal, read_reply
from bot.consent.replies.keywords import ENGLISH, LANGUAGES
from handlers.webhooks.providers import SPECS
from tests.support.labelled_replies import LANGUAGES as MEASURED
from tests.support.labelled_replies import load

Report = Callable[[str, str, str, bool, str], None]

TWILIO = SPECS["twilio"].blocking_words

#: Refusals caught at least, false alarms at most.
BARS = {"en": (0.99, 0.01)} | dict.fromkeys(("fr", "de", "es", "pt"), (0.97, 0.015))
MICROSECONDS = 1000


def run(report: Report) -> None:
    measured = [labelled for labelled in load() if labelled.half == "measure"]
    for language in MEASURED:
        here = [labelled for labelled in measured if labelled.language == language]
        refusals = [is_refusal(labelled.text) for labelled in here if labelled.refusal]
        others = [is_refusal(labelled.text) for labelled in here if not labelled.refusal]
        caught, alarms = sum(refusals) / len(refusals), sum(others) / len(others)
        least, most = BARS[language]
        report(
            f"replies: {language} refusals caught",
            f"{caught:.1%}",
            f">= {least:.0%}",
            caught >= least,
            f"of {len(refusals)} on the measure half",
        )
        report(
            f"replies: {language} false alarms",
            f"{alarms:.1%}",
            f"<= {most:.1%}",
            alarms <= most,
            f"of {len(others)} on the measure half",
        )
    keywords(report)
    speed(report, [labelled.text for labelled in measured])


def keywords(report: Report) -> None:
    words: list[tuple[str, tuple[str, ...]]] = [(word, ()) for word in sorted(ENGLISH)]
    words += [(word, (code,)) for code, pack in LANGUAGES.items() for word in sorted(pack)]
    read = [
        read_reply(form, TWILIO, languages).refusal is Refusal.KEYWORD
        for word, languages in words
        for form in (word, word.upper(), word.capitalize(), f" {word}\n")
    ]
    report(
        "replies: bare keywords",
        f"{sum(read)} of {len(read)}",
        "all",
        all(read),
        f"{len(words)} words in four forms",
    )


def speed(report: Report, texts: list[str]) -> None:
    is_refusal(texts[0])  # reads the phrases and weights
    # The best of three, since the machine is shared.
    took = sorted(min(once(text) for _ in range(3)) for text in texts)
    slow = took[int(len(took) * 0.99)]
    report(
        "replies: time for a text",
        f"{median(took):.0f} µs",
        f"<= {MICROSECONDS} µs",
        slow <= MICROSECONDS,
        f"p99 {slow:.0f} µs, slowest {took[-1]:.0f} µs",
    )


def once(text: str) -> float:
    before = perf_counter_ns()
    is_refusal(text)
    return (perf_counter_ns() - before) / 1000


def is_refusal(text: str) -> bool:
    return read_reply(text, TWILIO, tuple(LANGUAGES)).refusal is not Refusal.NONE

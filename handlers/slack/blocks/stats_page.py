"""The numbers of `/optin stats` as a message: sentences, and a chart of the last days."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.consent.model import Channel
from bot.consent.use_cases.stats import Stats
from handlers import stats_words
from handlers.slack import ids
from handlers.slack.blocks.elements import button
from handlers.slack.blocks.formatting import Block, context, header, section

#: Of a chart.
MOST_BARS = 20
#: Days: what a chart of Slack's has room for is twenty.
DAYS = 14


def stats_page(found: Stats) -> list[Block]:
    """The answer to `/optin stats`."""
    honoured = list(stats_words.honoured(found))
    blocks = [
        header("Opt-ins and opt-outs"),
        section(
            "*Who can be sent to*",
            *(f"{one.word}: {stats_words.share(found, one)}" for one in Channel),
        ),
        section(
            f"*Opt-outs of the last {DAYS} days*",
            stats_words.opt_outs(found),
            *stats_words.busiest(found),
        ),
    ]
    if found.opt_outs:
        blocks.append(_chart(found))
    if honoured:
        blocks.append(section("*How soon they were honoured*", *honoured))
    blocks += [
        section("*Bounces*", stats_words.bounces(found)),
        context("Each contact counts once for each channel. Days are those of your time zone."),
    ]
    if found.opt_outs:
        as_file = button("Opt-outs as CSV", ids.STATS_FILE, "stats")
        blocks.append({"type": "actions", "elements": [as_file]})
    return blocks


def _chart(found: Stats) -> Block:
    return chart(
        "Opt-outs by day",
        [f"{day.day} {day:%b}" for day in found.days],
        {channel.word: stats_words.by_day(found, channel) for channel in Channel},
    )


def chart(title: str, labels: Sequence[str], series: Mapping[str, Sequence[int]]) -> Block:
    """Bars with these labels, of which Slack shows the last twenty."""
    # https://docs.slack.dev/reference/block-kit/blocks/data-visualization-block
    kept = list(labels)[-MOST_BARS:]
    bars = [
        {
            "name": name,
            "data": [
                {"label": label, "value": value}
                for label, value in zip(kept, values[-len(kept) :], strict=True)
            ],
        }
        for name, values in series.items()
    ]
    return {
        "type": "data_visualization",
        "title": title,
        "chart": {"type": "bar", "series": bars, "axis_config": {"categories": kept}},
    }

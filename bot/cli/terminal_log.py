"""The Activity Log as text."""

from __future__ import annotations

from collections.abc import Iterator

from bot.cli.terminal import when
from bot.consent.known_providers import KnownProviders
from bot.consent.use_cases import LogLine
from handlers.entry_lines import label_of, recorded_later, times
from handlers.entry_sentences import Style, sentence
from handlers.slack.blocks.formatting import lowered, shown
from handlers.vocabulary import came_from


def log_lines(line: LogLine, providers: KnownProviders) -> Iterator[str]:
    """What happened; below it when, who and from where, then why."""
    entry = line.entry
    name = f"{shown(line.contact.name) or '(erased)'} · " if line.contact else ""
    said = sentence(entry, Style(providers=providers, say=shown))
    if line.times > 1:
        last = when(entry.occurred_at)
        once = lowered(said.text).removesuffix(", again")
        yield f"{name}{times(line)}: {once}, the last {last}"
        return
    yield f"{name}{said.text}"
    recorded = f" · recorded {when(entry.recorded_at)}" if recorded_later(entry) else ""
    who = came_from(entry, providers, markup=False)
    yield f"  {when(entry.occurred_at)}{recorded} · {who}"
    if said.left:
        yield f"  {label_of(entry)}: {shown(said.left, 300)}"
    if entry.evidence and entry.evidence.text:
        dated = f" ({when(entry.evidence.at)})" if entry.evidence.at else ""
        yield f"  Evidence: {shown(entry.evidence.text, 300)}{dated}"

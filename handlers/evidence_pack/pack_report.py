"""report.html of an evidence pack: who, what, when, by whom and in what words, for a lawyer.

One file with no script, no picture and no address that a browser would fetch. Everything that
people and providers wrote is escaped text. It prints on A4.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from bot.consent.gates import Gate
from bot.consent.log.entries import Entry
from bot.consent.model import Channel, Consent, ConsentValue, Origin
from bot.consent.rules import RULES_VERSION, Answer, Decision
from bot.consent.use_cases import others_gates
from bot.consent.use_cases.evidence import ContactEvidence, LoggedEntry
from handlers.answers import whose
from handlers.entry_lines import recorded_later
from handlers.entry_sentences import FIELDS, Style, sentence
from handlers.evidence_pack.pack_losses import losses_section
from handlers.evidence_pack.pack_reader import PackReader
from handlers.evidence_pack.report_text import WHOLE
from handlers.evidence_pack.report_text import as_html as _text
from handlers.evidence_pack.report_text import day_in_words as _day
from handlers.evidence_pack.report_text import in_words as _at
from handlers.slack.blocks.formatting import phone, shown
from handlers.vocabulary import icon_and_word, things


def report_html(evidence: ContactEvidence, reader: PackReader) -> str:
    """The whole file."""
    reader = replace(reader, files=evidence.files)
    name = _text(evidence.contact.name) or "an erased person"
    parts = (
        _HEAD.format(title=f"Evidence of consent: {name}", style=_STYLE),
        f"<h1>Evidence of consent: {name}</h1>\n",
        _made(evidence, reader),
        _erased(evidence, reader) if evidence.contact.erased else _person(evidence, reader),
        "" if evidence.contact.erased else _answers(evidence, reader),
        losses_section(evidence, reader),
        _timeline(evidence, reader),
        _checking(evidence),
        "</main></body></html>\n",
    )
    return "".join(parts)


_HEAD = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style></head><body><main>
"""
_STYLE = """
@page { size: A4; margin: 12mm 13mm; }
body { font: 8.5pt/1.3 "Liberation Sans", Arial, Helvetica, sans-serif; color: #111; margin: 0; }
main { max-width: 184mm; margin: 0 auto; padding: 6mm; }
h1 { font-size: 15pt; margin: 0 0 1mm; }
h2 { font-size: 10.5pt; margin: 3.5mm 0 1mm; break-after: avoid; }
p { margin: 0 0 1.5mm; }
table { border-collapse: collapse; table-layout: fixed; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: 0.6mm 2mm 0.6mm 0;
  border-bottom: 0.2mm solid #bbb; overflow-wrap: anywhere; unicode-bidi: isolate; }
thead { display: table-header-group; }
tr { break-inside: avoid; }
.small, .local { font-size: 7.5pt; color: #444; }
.local { white-space: nowrap; }
.number { width: 11mm; }
.time { width: 42mm; }
.who { width: 28mm; }
.words { width: 47mm; }
.facts th, .facts td { border: 0; }
.label { width: 30mm; font-weight: normal; color: #444; }
.channel { width: 22mm; }
.answers { width: 22mm; }
.consent { width: 70mm; }
.answer { font-weight: bold; }
code { font: 7.5pt "Liberation Mono", "Courier New", monospace; overflow-wrap: anywhere; }
@media print { main { padding: 0; max-width: none; } }
"""


def _made(evidence: ContactEvidence, reader: PackReader) -> str:
    zone = reader.zone(evidence.made_at)
    also = f", and in parentheses in the time zone {_text(zone)}" if zone else ""
    return (
        f"<p>Made by {_text(reader.made_by)} on {_at(evidence.made_at, reader)}, by Optin "
        f"{_text(reader.version)}, out of its Activity Log: the record of each change, which is "
        f"only ever added to. Each time is in UTC (Coordinated Universal Time){also}.</p>\n"
    )


def _person(evidence: ContactEvidence, reader: PackReader) -> str:
    contact = evidence.contact
    rows = [
        ("Name", _text(contact.name) or "none"),
        ("Company", _text(contact.company)),
        ("Phone number", _text(phone(contact.phone)) if contact.phone else "none"),
        ("E-mail address", _text(contact.email) if contact.email else "none"),
        ("Known to Optin since", _at(contact.created_at, reader) if contact.created_at else ""),
        ("Id in Optin", f"<code>{_text(contact.id)}</code>"),
        ("Id in other systems", _text(contact.external_id)),
    ]
    if contact.do_not_contact:
        rows.append(("Do not contact", "Yes: nothing is sent on any channel"))
    return _facts("The person", rows)


def _erased(evidence: ContactEvidence, reader: PackReader) -> str:
    erasure = [one.entry for one in evidence.entries if one.entry.contact == evidence.contact.id]
    at = next((e.recorded_at for e in reversed(erasure) if e.kind == "erased"), None)
    when = f" on {_at(at, reader)}" if at else ""
    return (
        "<h2>The person</h2>\n"
        f"<p>This person was erased{when}. Optin has no name, no number, no mailbox and none of "
        "the words of this person any more, and nothing is sent to them. What the person had "
        "refused is kept under a keyed hash of the address: Optin recognises the address if "
        "somebody enters it again, and nobody can read the address from the hash. The entries "
        f"below are what may be said. The id in Optin is <code>{_text(evidence.contact.id)}</code>."
        "</p>\n"
    )


def _answers(evidence: ContactEvidence, reader: PackReader) -> str:
    rows = "".join(_answer(evidence, channel, reader) for channel in Channel)
    return (
        f"<h2>May messages be sent? The answer on {_day(evidence.made_at)}</h2>\n"
        f"<p>The rule (version {RULES_VERSION}): a message may be sent only where the person "
        "agreed and nothing stands in the way: no refusal, no block at a carrier or provider, no "
        "bounce, no reply that waits to be read, no “Do not contact”. Whatever stands in the way "
        "is named here.</p>\n"
        '<table><thead><tr><th class="channel">Channel</th><th class="answers">Answer</th>'
        '<th>Why</th><th class="consent">The person\'s consent</th>'
        f"</tr></thead><tbody>\n{rows}</tbody></table>\n"
    )


_ANSWER = {
    Answer.YES: "Yes",
    Answer.NO: "No",
    Answer.UNVERIFIED: "Not certain, so not shown as yes",
}


def _answer(evidence: ContactEvidence, channel: Channel, reader: PackReader) -> str:
    profile = evidence.profile
    decision = profile.decisions[channel]
    _, word = icon_and_word(decision)
    why = list(_why(evidence, decision, reader))
    if channel is Channel.SMS:
        for sender, other in profile.by_sender.items():
            more = others_gates(profile, other)
            if more:
                named = _text(phone(profile.senders.named(sender)))
                why += [f"From {named}: {_gate(evidence, other, gate, reader)}" for gate in more]
    told = _consent(profile.contact.consent(channel), channel, reader)
    return (
        f"<tr><td>{'Text messages (SMS)' if channel is Channel.SMS else 'E-mail'}</td>"
        f'<td><span class="answer">{_ANSWER[decision.answer]}</span><br>{_text(word)}</td>'
        f"<td>{'<br>'.join(why)}</td><td>{told}</td></tr>\n"
    )


def _why(evidence: ContactEvidence, decision: Decision, reader: PackReader) -> Iterator[str]:
    if not decision.gates:
        yield "The person agreed, and nothing stands in the way."
    for gate in decision.gates:
        yield _gate(evidence, decision, gate, reader)
    for note in decision.notes:
        yield _text(note)


def _gate(evidence: ContactEvidence, decision: Decision, gate: Gate, reader: PackReader) -> str:
    """Why not, since when, and the name of the rule."""
    told = whose(evidence.profile, decision.channel, gate)
    reason = told.reason.replace(gate.sender, phone(gate.sender)) if gate.sender else told.reason
    since = f" Since {_at(gate.since, reader)}." if gate.since else ""
    return f'{_text(reason)}{since} <span class="small">(rule: {_text(gate.code)})</span>'


_WHOSE = {
    Origin.CONTACT: "as the person wished",
    Origin.STAFF: "as the company's staff decided",
    Origin.IMPORT: "as an imported file says",
}


def _consent(consent: Consent, channel: Channel, reader: PackReader) -> str:
    if consent.on is ConsentValue.UNSET:
        return f"Never asked for {things(channel)}."
    said = [f"{channel.word} On is {consent.on}"]
    if consent.by:
        said.append(_WHOSE[consent.by])
    since = f", since {_at(consent.since, reader)}" if consent.since else ""
    lines = [f"{' '.join(said)}{since}."]
    if consent.reason:
        lines.append(f"Recorded words: {_text(consent.reason)}")
    if consent.evidence:
        dated = f", of {_at(consent.evidence.at, reader)}" if consent.evidence.at else ""
        lines.append(f"Evidence: {_text(consent.evidence.text)}{dated}")
    elif consent.unproven:
        lines.append("Nothing shows that the person agreed.")
    return "<br>".join(lines)


def _timeline(evidence: ContactEvidence, reader: PackReader) -> str:
    rows = "".join(_row(evidence, one, reader) for one in evidence.entries)
    return (
        "<h2>What happened, the oldest first</h2>\n"
        '<table class="log"><thead><tr><th class="number">Entry</th><th class="time">When</th>'
        '<th>What</th><th class="who">By whom</th><th class="words">In what words</th></tr></thead>'
        f"<tbody>\n{rows}</tbody></table>\n"
    )


def _row(evidence: ContactEvidence, one: LoggedEntry, reader: PackReader) -> str:
    entry = one.entry
    when = _at(entry.occurred_at, reader)
    if recorded_later(entry):
        when += f'<br><span class="small">Recorded on {_at(entry.recorded_at, reader)}</span>'
    return (
        f'<tr><td class="number">{entry.seq:,}</td><td class="time">{when}</td>'
        f"<td>{'<br>'.join(_what(evidence, entry, reader))}</td>"
        f'<td class="who">{_text(reader.who(entry))}</td>'
        f'<td class="words">{"<br>".join(_words(entry, reader))}</td></tr>\n'
    )


def _what(evidence: ContactEvidence, entry: Entry, reader: PackReader) -> Iterator[str]:
    style = Style(providers=reader.providers, say=lambda text, limit: shown(text, WHOLE))
    yield _text(sentence(entry, style).text)
    if entry.contact and entry.contact != evidence.contact.id:
        yield '<span class="small">Recorded of another contact with this address</span>'
    changes = (entry.changes or {}).items()
    steps = [
        f"{FIELDS[field]}: {_step(before, after)}"
        for field, (before, after) in changes
        if field in FIELDS
    ]
    if steps:
        yield f'<span class="small">{_text("; ".join(steps))}</span>'
    for channel, (before, after) in (entry.answers or {}).items():
        if before != after:
            step = f"{Channel(channel).word} may be sent: {before} → {after}"
            yield f'<span class="small">{_text(step)}</span>'


def _step(before: str | bool | None, after: str | bool | None) -> str:
    return _value(after) if before in (None, "") else f"{_value(before)} → {_value(after)}"


def _value(value: str | bool | None) -> str:
    if isinstance(value, bool):
        return "YES" if value else "NO"
    return value or "none"


def _words(entry: Entry, reader: PackReader) -> Iterator[str]:
    if entry.redacted:
        yield '<span class="small">The personal part was erased.</span>'
    # What a provider reports is in the sentence already.
    if entry.reason and not entry.actor.startswith("provider:"):
        yield _text(entry.reason)
    if entry.evidence:
        dated = f", of {_at(entry.evidence.at, reader)}" if entry.evidence.at else ""
        yield f"Evidence: {_text(entry.evidence.text)}{dated}"


def _checking(evidence: ContactEvidence) -> str:
    head = evidence.head
    return (
        "<h2>How to check this report</h2>\n"
        "<p>This file is one of several. <code>python verify.py</code>, in their folder, checks "
        "that none of them was changed, and that each entry stands in the log as it was written. "
        "It takes Python alone, and no network. README.txt says what that shows, and what it does "
        f"not. The log <code>{_text(head.log)}</code> had {head.size:,} entries. The newest one's "
        f"hash was <code>{_text(head.chain)}</code>, and the root of them all "
        f"<code>{_text(head.root)}</code>.</p>\n"
    )


def _facts(title: str, rows: list[tuple[str, str]]) -> str:
    """Labels with what they say, two of them in a line."""
    cells = [f'<th class="label">{label}</th><td>{said}</td>' for label, said in rows if said]
    lines = "".join(f"<tr>{''.join(cells[at : at + 2])}</tr>\n" for at in range(0, len(cells), 2))
    return f'<h2>{title}</h2>\n<table class="facts"><tbody>\n{lines}</tbody></table>\n'
